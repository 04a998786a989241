"""The folders of .bin files on a node's disk: whose they are, how much they take, when they go."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from contextlib import suppress
from pathlib import Path

import pytest
from runs import ROOT

from tsf.data import scratch
from tsf.errors import UserError


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(scratch, "SECONDS_BETWEEN_TRIES", 0.01)


@pytest.fixture
def disk(monkeypatch):
    """Sets how many MB the disk has free beyond what is in a folder."""

    def disk(folder, mb):
        Usage = namedtuple("Usage", "free")

        def usage(_):
            used = 0
            for where, _, names in os.walk(folder):
                for name in names:
                    with suppress(FileNotFoundError):  # a job is deleting it
                        used += os.stat(Path(where, name)).st_size
            return Usage(mb * 1_000_000 - used)

        monkeypatch.setattr(shutil, "disk_usage", usage)

    return disk


def folders(where):
    """What jobs have there, without what stays: the user's folder and its lock."""
    return [path for path in where.glob("tsf-*/*") if path.name != "lock"]


def fill(folder, mb):
    (folder / "x.bin").write_bytes(bytes(mb * 1_000_000))


# ---- where ----


def test_a_path_and_a_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("NODE_DISK", str(tmp_path))
    assert scratch.place(str(tmp_path)) == scratch.place("$NODE_DISK") == tmp_path


def test_tmpdir_is_the_users_and_not_snakemakes(tmp_path, monkeypatch):
    """Which gives its jobs /tmp in place of a folder that is not there."""
    monkeypatch.setenv("TMPDIR", "/tmp")
    monkeypatch.setenv("TSF_TMPDIR", str(tmp_path))
    assert scratch.place("$TMPDIR") == tmp_path
    monkeypatch.setenv("TSF_TMPDIR", "")  # it is not set
    with pytest.raises(UserError, match=r"^scratch \$TMPDIR: not set on "):
        scratch.place("$TMPDIR")
    monkeypatch.delenv("TSF_TMPDIR")  # by hand, without Snakemake
    assert scratch.place("$TMPDIR") == Path("/tmp")


def test_places_that_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RELATIVE", "here")
    monkeypatch.setenv("GONE", str(tmp_path / "gone"))
    (tmp_path / "file").touch()
    faults = {
        "$UNSET_HERE": "$UNSET_HERE: not set on ",
        "$RELATIVE": "$RELATIVE: here: not an absolute path",
        "$GONE": f"$GONE: {tmp_path}/gone: no folder that can be written to",
        f"{tmp_path}/file": f"{tmp_path}/file: no folder that can be written to",
        "/proc/1": "/proc/1: no folder that can be written to",
    }
    for value, words in faults.items():
        with pytest.raises(UserError) as fault, scratch.job_folder(value, "job", 1, None):
            pass
        assert str(fault.value).startswith(f"scratch {words}") and "\n" not in str(fault.value)


def refused(tmp_path, words):
    with pytest.raises(UserError, match=words):
        scratch.job_folder(str(tmp_path), "job", 1, None).__enter__()


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    (tmp_path / scratch._name()).mkdir()
    name, own = scratch._name(), os.getuid()
    monkeypatch.setattr(scratch, "_name", lambda: name)
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    refused(tmp_path, "belongs to another user")


def test_what_is_no_folder_of_one_s_own_is_refused(tmp_path):
    home = tmp_path / scratch._name()
    home.touch()
    refused(tmp_path, "a file or a link, no folder; delete it")
    home.unlink()
    for target in (tmp_path, tmp_path / "gone"):
        home.symlink_to(target)
        refused(tmp_path, "a file or a link, no folder; delete it")
        home.unlink()
    (home / "lock").mkdir(parents=True)
    refused(tmp_path, "lock: a folder, no file to lock; delete it")


def test_a_claim_without_a_number(tmp_path):
    """A job may hold it, and then take any amount; nobody holds a folder."""
    with scratch.job_folder(str(tmp_path), "job", 5, 10) as folder:
        for said in ("", "many", "-5"):
            (folder.parent / "claim").write_text(said)
            refused(tmp_path, "claim: a job holds it, but it says no MB; end that job")
    no_claim = tmp_path / scratch._name() / "x/claim"
    no_claim.mkdir(parents=True)
    with scratch.job_folder(str(tmp_path), "job", 5, 10):
        assert not no_claim.exists()


# ---- one job ----


def test_the_folder_is_there_for_the_job_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with scratch.job_folder(str(tmp_path), "torch.003", 5, 10) as folder:
        fill(folder, 1)
        (made,) = folders(tmp_path)
        assert folder.parent == made and made.name.startswith("torch.003.")
        assert made.parent.stat().st_mode & 0o077 == 0
    with pytest.raises(ValueError), scratch.job_folder(str(tmp_path), "torch.003", 5, 10) as folder:
        fill(folder, 1)
        raise ValueError
    assert folders(tmp_path) == [] and (tmp_path / "mine").read_text() == "mine"


def test_two_jobs_of_one_name_have_a_folder_each(tmp_path):
    """As of two runs in different folders, which share the node's disk."""
    with (
        scratch.job_folder(str(tmp_path), "torch.003", 5, 10) as one,
        scratch.job_folder(str(tmp_path), "torch.003", 5, 10) as other,
    ):
        fill(one, 1)
        assert one != other and list(other.iterdir()) == []


def test_a_disk_without_room_is_refused(tmp_path, disk):
    disk(tmp_path, 99)
    with scratch.job_folder(str(tmp_path), "job", 99, None):
        pass
    with pytest.raises(UserError, match=r"99 MB are free, and the \.bin files take 100 MB; free"):
        scratch.job_folder(str(tmp_path), "job", 100, None).__enter__()
    with pytest.raises(UserError, match=r"100 MB .* beside 0 MB .* more than disk_mb=50"):
        scratch.job_folder(str(tmp_path), "job", 100, 50).__enter__()
    assert folders(tmp_path) == []


# ---- several jobs of a node ----


@pytest.mark.parametrize(("cap_mb", "free_mb"), [(7, 1000), (1000, 7), (None, 7)])
def test_jobs_of_a_node_stay_below_the_cap_and_the_disk(tmp_path, disk, capsys, cap_mb, free_mb):
    """Eight jobs of 3 MB, of which 7 MB hold two; they do not write at once what they claim."""
    disk(tmp_path, free_mb)
    together, peaks, faults = [], [], []

    def job():
        try:
            with scratch.job_folder(str(tmp_path), "job", 3, cap_mb) as folder:
                together.append(folder)
                time.sleep(0.03)
                fill(folder, 3)
                peaks.append(len(together))
                time.sleep(0.03)
                together.remove(folder)
        except UserError as fault:
            faults.append(fault)

    jobs = [threading.Thread(target=job) for _ in range(8)]
    for thread in jobs:
        thread.start()
    for thread in jobs:
        thread.join(30)
    assert faults == [] and len(peaks) == 8
    assert max(peaks) == 2
    assert folders(tmp_path) == []
    waits = [line for line in capsys.readouterr().out.splitlines() if "wait for other jobs" in line]
    assert 6 <= len(waits) <= 8  # once a job, however long it takes


KILLED = """
import os, signal, sys
from tsf.data.scratch import job_folder
with job_folder(sys.argv[1], "job", 3, 7) as folder:
    (folder / "x.bin").write_bytes(b"x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave(where):
    """Have a job killed there."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    died = subprocess.run([sys.executable, "-c", KILLED, where], env=env)
    assert died.returncode == -signal.SIGKILL
    (left,) = folders(where)
    assert (left / "bins/x.bin").exists()
    return left


def test_what_killed_jobs_have_left_goes_and_what_lives_stays(tmp_path):
    left = leave(tmp_path)
    (left.parent / "half").mkdir()  # killed before it had its claim
    with scratch.job_folder(str(tmp_path), "other", 7, 7) as folder:  # no place for both
        fill(folder, 1)
        assert folders(tmp_path) == [folder.parent]
        scratch.delete_leftovers(str(tmp_path))
        assert (folder / "x.bin").exists()
    leave(tmp_path)
    scratch.delete_leftovers(str(tmp_path))
    assert folders(tmp_path) == []


def test_what_another_node_has_there_is_left_alone(tmp_path, monkeypatch):
    """Where nodes share the folder, one may not see the locks of the other."""
    left = leave(tmp_path)
    monkeypatch.setattr(scratch.socket, "gethostname", lambda: "another")
    scratch.delete_leftovers(str(tmp_path))
    with scratch.job_folder(str(tmp_path), "job", 7, 7):
        assert (left / "bins/x.bin").exists()


def test_no_leftovers_where_there_is_no_scratch(tmp_path):
    """As on the machine that sends the jobs to a cluster."""
    for value in ("$UNSET_HERE", str(tmp_path / "gone"), str(tmp_path)):
        scratch.delete_leftovers(value)
    assert list(tmp_path.iterdir()) == []
