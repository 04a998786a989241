"""Work in processes that die, hang or raise: each costs its own item, and none outlives the run."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial

import psutil
import pytest
from faulty_work import work
from runs import ROOT

from tsf.errors import UserError
from tsf.workers import each, one_by_one


def lost(item, reason):
    return f"lost {item}: {reason}"


EXPECTED = {
    "segfault": "its process was killed by SIGSEGV, twice",
    "killed": "its process was killed by SIGKILL, twice",
    "exit": "its process ended with status 3, twice",
    "memory": "its process ran out of memory, twice",
    "hang": "took more than 1 s",
}


@pytest.mark.parametrize("processes", [1, 3])
def test_what_dies_costs_its_own_item_after_another_try(tmp_path, processes):
    items = ["a", *EXPECTED, "b", tmp_path / "flaky", "c"]
    tried = tmp_path / "tried"
    tried.mkdir()
    found = each(partial(work, folder=tried), items, processes, "x", lost, 1)
    assert found == [
        f"lost {item}: {EXPECTED[item]}" if item in EXPECTED else f"did {item}" for item in items
    ]
    tries = {path.name: len(path.read_text()) for path in tried.iterdir()}
    flaky = str(tmp_path / "flaky").replace("/", "_")
    twice = {"segfault", "killed", "exit", "memory", flaky}
    assert tries == {name: 2 if name in twice else 1 for name in tries} and len(tries) == 9
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    "item, error, words",
    [("raise", UserError, "^what, where and what to do$"), ("no pickle", RuntimeError, "of two")],
)
def test_what_work_raises_is_raised(processes, item, error, words):
    with pytest.raises(error, match=words):
        each(work, ["a", item, "b"], processes, "x", lost)
    assert not multiprocessing.active_children()


def test_without_a_substitute_the_item_is_named():
    with pytest.raises(UserError, match=r"^exit: its process ended with status 3, twice; run"):
        each(work, ["a", "exit"], 2, "x")


def test_a_worker_that_cannot_start_ends_the_run(monkeypatch):
    """It must not pass for a fault of every video."""
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setenv("PYTHONPATH", "")
    with pytest.raises(UserError, match="a worker process ended with status 1 before it began"):
        each(work, ["a", "b"], 2, "x", lost)


def test_one_by_one_goes_as_far_as_it_is_asked():
    results = one_by_one(work, iter(["a", "exit", "b", "raise"]), lost)
    assert next(results) == "did a" and next(results).startswith("lost exit")
    assert next(results) == "did b"
    results.close()
    assert not multiprocessing.active_children()


def test_nothing_to_do_starts_nothing():
    assert each(work, [], 4, "x", lost) == []


PROGRAM = """
from faulty_work import work
from tsf import errors, workers
if __name__ == "__main__":
    errors.run(lambda: workers.each(work, ["hang"] * 5, {processes}, "x"))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("processes", [1, 2])
def test_the_workers_end_with_the_job(tmp_path, number, processes):
    """Only the job itself is told; behind `| tee` a worker that lives on would keep the shell."""
    (tmp_path / "job.py").write_text(PROGRAM.format(processes=processes))
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    job = subprocess.Popen(
        [sys.executable, tmp_path / "job.py"],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(children := psutil.Process(job.pid).children()) < processes + 1:
        assert time.monotonic() < deadline and job.poll() is None
        time.sleep(0.05)
    time.sleep(2)
    job.send_signal(number)
    start = time.monotonic()
    output, _ = job.communicate(timeout=60)  # until nobody holds the pipe
    assert time.monotonic() - start < 10, "seconds, on a busy machine too"
    assert "Traceback" not in output and job.returncode != 0
    while [child for child in children if lives(child)]:
        assert time.monotonic() - start < 10
        time.sleep(0.05)


def lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
