"""The whole tree of processes killed at any moment: the next run ends with the same results.

KILLS says how often (`make kills N=20`), KILLS_SEED which moments.
"""

import os
import shutil
import signal
import subprocess
import time
from random import Random

import pytest
import runs

KILLS = int(os.environ.get("KILLS", "2"))
SEED = int(os.environ.get("KILLS_SEED", "0"))
TARGETS = ("results/accuracy.json", "results/predictions.csv")
# what the killed run has still to do: all that follows from the videos
DUE = ("rawframes", "decoded", "out_bin", "shards", "result", "k400.info", "accuracy.json")
# all that must be as the undisturbed run made it; a summary has times
SAME = ("*.tsv", "*.txt", "k400.info", "accuracy.json", "predictions.csv", "decoded/*.tsv")
SAME += ("rawframes/*/*/img_*.jpg", "out_bin/*/*.bin", "result/onnxruntime/*_0.txt")


def due_again(run):
    for name in DUE:
        path = run.results / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return run


def content(run):
    paths = [path for pattern in SAME for path in run.results.glob(pattern)]
    return {str(path.relative_to(run.results)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def undisturbed(sample_run, tmp_path_factory):
    """What a run makes that nobody kills, and how many seconds it takes."""
    run = due_again(sample_run.copy(tmp_path_factory.mktemp("undisturbed")))
    start = time.monotonic()
    result = run.snakemake(*TARGETS)
    assert result.returncode == 0, result.stdout
    return content(run), time.monotonic() - start


@pytest.mark.slow
@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_run_is_taken_up_to_the_same_end(sample_run, undisturbed, tmp_path, number):
    expected, seconds = undisturbed
    run = due_again(sample_run.copy(tmp_path))
    moment = Random(f"{SEED} {number}").uniform(0, seconds)
    command = runs.command(*TARGETS, directory=run.folder, root=run.repo)
    with open(tmp_path / "killed.log", "w") as log:
        process = subprocess.Popen(
            command, cwd=run.repo, stdout=log, stderr=log, start_new_session=True
        )
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode in (0, -signal.SIGKILL)

    unlocked = run.snakemake(*TARGETS, "--unlock")
    assert unlocked.returncode == 0, unlocked.stdout
    again = run.snakemake(*TARGETS)
    assert again.returncode == 0, f"killed after {moment:.1f} s\n{again.stdout}"
    found = content(run)
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []
    assert not list(run.results.glob("**/.*.part*")), "a half-written file was left"
    assert run.dry_run(*TARGETS) == {}
