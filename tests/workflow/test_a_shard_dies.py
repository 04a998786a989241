"""A shard's job that dies takes nothing else with it, and is all that the next run does."""

import subprocess
import threading
import time

import datasets
import psutil
import pytest
import runs

SHARDS = 4


@pytest.fixture
def settings(sample_run, tmp_path):
    """Twelve of the sample's videos, straight to .bin files."""
    clips = datasets.scored_videos(sample_run)[:12]
    labels = [label for _, label in clips]
    classes = (sample_run.results / "classes.txt").read_text().splitlines()
    root = datasets.kinetics(tmp_path / "k400", list(enumerate(labels)), classes)
    for number, (path, _) in enumerate(clips):
        datasets.link(path, datasets.video(root, number))
    return ("--config", f"dataset={{root: {root}}}", "keep=bins", f"shards={SHARDS}")


def kill_shard(number: str, process: subprocess.Popen, killed: list) -> None:
    """Kill -9 the job of a shard as soon as it shows."""
    while process.poll() is None and not killed:
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                words = child.cmdline()
                if words[1:3] == ["-m", "tsf.data.preprocess"] and (
                    words[words.index("--shard") + 1] == number
                ):
                    child.kill()
                    killed.append(child.pid)
            except (psutil.Error, ValueError):
                continue
        time.sleep(0.01)


def test_it_is_resumed_and_nothing_else_is_redone(settings, tmp_path):
    target = "results/skipped.tsv"
    command = runs.command(target, "--keep-going", *settings, directory=tmp_path)
    with subprocess.Popen(
        command, cwd=runs.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        killed = []
        killer = threading.Thread(target=kill_shard, args=("2", process, killed))
        killer.start()
        output, _ = process.communicate(timeout=300)
        killer.join()
    assert killed and process.returncode != 0
    assert "002" in output and "Traceback" not in output

    bins = tmp_path / "results/out_bin"
    assert sorted(path.name for path in bins.iterdir()) == ["000", "001", "003"]
    before = {path: path.stat().st_mtime_ns for path in bins.glob("*/*.bin")}
    due = runs.jobs(runs.snakemake(target, "-n", *settings, directory=tmp_path))
    assert due == {"out_bin": 1, "account": 1}
    again = runs.snakemake(target, *settings, directory=tmp_path)
    assert again.returncode == 0, again.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list(bins.glob("*/*.bin"))) == 12
    assert sorted(path.name for path in bins.iterdir()) == ["000", "001", "002", "003"]
