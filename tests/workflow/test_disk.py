"""The .bin files on the disk at a time stay under disk_mb, and none stays behind."""

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from math import ceil
from pathlib import Path

import datasets
import psutil
import pytest
import runs
from recipes import GUIDE

from tsf.data.bins import delete_bins
from tsf.data.count_frames import count_or_skip
from tsf.data.decoded import write_decoded
from tsf.data.listing import Dataset, list_videos
from tsf.data.temporary_bins import deleted_afterwards
from tsf.recipe.record import to_json

BIN_BYTES = 14_450_688
SHARDS = 12
VIDEOS = 60
TEMPORARY = ("--config", "keep=nothing")


def size(folder: Path) -> int:
    """Bytes of everything below a folder that changes meanwhile."""
    total = 0
    try:
        for entry in os.scandir(folder):
            folder = entry.is_dir(follow_symlinks=False)
            total += size(entry.path) if folder else entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        pass
    return total


class Watcher(threading.Thread):
    """Looks at a folder's size all the time that a `with` block takes."""

    def __init__(self, folder: Path):
        super().__init__(daemon=True)
        self.folder = folder
        self.sizes: list[int] = []
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            self.sizes.append(size(self.folder))
            time.sleep(0.005)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def bins_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def sixty(sample_run, tmp_path_factory):
    """A copy of the sample's run, and a dataset of sixty videos: the sample's, some twice."""
    home = tmp_path_factory.mktemp("sixty")
    clips = datasets.scored_videos(sample_run)
    classes = (sample_run.results / "classes.txt").read_text().splitlines()
    rows = [(number, clips[number % len(clips)][1]) for number in range(VIDEOS)]
    root = datasets.kinetics(home / "k400", rows, classes)
    for number in range(VIDEOS):
        datasets.link(clips[number % len(clips)][0], datasets.video(root, number))
    return sample_run.copy(home), (*TEMPORARY, f"shards={SHARDS}", f"dataset={{root: {root}}}")


LARGEST = max(
    Counter(zlib.crc32(datasets.name(n).encode()) % SHARDS for n in range(VIDEOS)).values()
)
CAP = ceil(LARGEST * BIN_BYTES / 1e6)


@pytest.fixture(scope="module")
def streamed(sixty):
    """All of them are inferred: the run, its settings, the peak and what is left in out_bin."""
    run, settings = sixty
    assert 5 * CAP * 1e6 < VIDEOS * BIN_BYTES
    with Watcher(run.results / "out_bin") as watcher:
        before = size(run.results / "out_bin")  # of the copied run, which kept its files
        caps = ("--resources", f"disk_mb={CAP}", "--set-threads", "infer=1")
        result = run.snakemake("accuracy.json", *caps, *settings)
    assert result.returncode == 0, result.stdout
    return run, settings, max(watcher.sizes) - before, size(run.results / "out_bin") - before


def test_the_peak_is_the_cap_however_many_videos(streamed):
    run, _, peak, left = streamed
    # the largest shard is on the disk at one time, and never more than the cap
    assert LARGEST * BIN_BYTES <= peak <= CAP * 1e6
    assert left == 0
    assert len(list(run.results.glob("result/onnxruntime/*_0.txt"))) == VIDEOS


SUBMIT = """#!/bin/sh
# a scheduler that gives its jobs nothing of the environment but the node's own
env -i PATH="$PATH" HOME="$HOME" NODE_DISK={disk} sh "$1" >> {log} 2>&1 &
echo $!
"""


def test_on_a_cluster_the_cap_is_the_nodes(streamed, tmp_path):
    """Both jobs are sent at once, to one node, whose disk may hold the files of one of them."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    run, settings, *_ = streamed
    disk = tmp_path / "disk"
    for folder in (disk / "theirs", disk / f"tsf-{os.getuid()}-another/onnxruntime.011.x/bins"):
        folder.mkdir(parents=True)
        (folder / "video.bin").write_bytes(b"theirs")
    scratch = (*settings, "scratch=$NODE_DISK")
    # neither the place nor the cap redoes anything
    assert run.dry_run("accuracy.json", "--resources", f"disk_mb={4 * CAP}", *scratch) == {}

    counts = Counter(zlib.crc32(datasets.name(n).encode()) % SHARDS for n in range(VIDEOS))
    shards = [f"results/shards/onnxruntime/{n:03d}" for n, _ in counts.most_common(2)]
    before = [{p.name: p.read_bytes() for p in (run.folder / s).glob("*_0.txt")} for s in shards]
    for shard in shards:
        shutil.rmtree(run.folder / shard)
    submit = tmp_path / "submit"
    submit.write_text(SUBMIT.format(disk=disk, log=tmp_path / "jobs.log"))
    submit.chmod(0o755)
    cluster = ("--executor", "cluster-generic", "--cluster-generic-submit-cmd", submit)
    cluster += ("--jobs", "2", "--seconds-between-status-checks", "1", "--set-threads", "infer=1")
    caps = ("--resources", f"disk_mb={CAP}", "--default-resources", "disk_mb=0")
    size_before = size(disk)
    with Watcher(disk) as watcher:
        result = run.snakemake(*shards, *cluster, *caps, *scratch)
    log = (tmp_path / "jobs.log").read_text()
    assert result.returncode == 0, f"{result.stdout}\n{log}"
    # Snakemake itself holds none back
    events = re.findall(r"^Submitted|steps .* done$", result.stdout, re.MULTILINE)
    assert events == ["Submitted", "Submitted", "steps (50%) done", "steps (100%) done"]
    # a claim takes some bytes, too
    assert LARGEST * BIN_BYTES <= max(watcher.sizes) - size_before <= CAP * 1e6 + 100
    assert len(re.findall(f"decode shard ... in {disk}/tsf-", log)) == 2
    assert "wait for other jobs" in log and f"more than disk_mb={CAP}" in log
    assert [path.name for path in disk.glob("tsf-*-[!a]*/*")] == ["lock"]
    assert size(disk) == size_before and list(run.results.glob("out_bin/*.*")) == []
    after = [{p.name: p.read_bytes() for p in (run.folder / s).glob("*_0.txt")} for s in shards]
    assert after == before and all(before)


def test_a_model_that_does_not_load_leaves_nothing(run_copy):
    shutil.rmtree(run_copy.results / "out_bin")
    shutil.rmtree(run_copy.results / "shards/onnxruntime/000")
    model = run_copy.results / "tsf_sim.onnx"
    model.unlink()
    model.write_bytes(b"not a model")
    result = run_copy.snakemake("results/shards/onnxruntime/000", *TEMPORARY)
    lines = runs.error_lines(result)
    assert lines and all("tsf_sim.onnx" in line for line in lines), result.stdout
    assert bins_below(run_copy.results / "out_bin") == []
    assert not (run_copy.results / "shards/onnxruntime/000").exists()


def test_what_a_killed_job_of_other_shards_left_goes_at_the_next_start(run_copy, tmp_path):
    left = run_copy.results / "out_bin/onnxruntime.011/video.bin"
    left.parent.mkdir()
    left.write_bytes(b"left")
    linked = run_copy.results / "shards/ascend/.011.part.work/bins/0.bin"
    linked.parent.mkdir(parents=True)
    os.link(left, linked)
    # with scratch: the folder is on the node, and results has a link to it
    on_node = tmp_path / f"tsf-{os.getuid()}-{socket.gethostname()}/onnxruntime.1011.x/bins"
    on_node.mkdir(parents=True)
    (on_node.parent / "claim").write_text("1")
    link = run_copy.results / "out_bin/onnxruntime.1011"
    link.symlink_to(on_node)
    kept = bins_below(run_copy.results / "out_bin/000")
    assert kept
    settings = (*TEMPORARY, f"scratch={tmp_path}")
    run_copy.dry_run("results/shards/onnxruntime/000", *settings)
    # a scratch that is not here stops a local run before any job
    elsewhere = (*TEMPORARY, "scratch=$NOWHERE_SET")
    stopped = run_copy.snakemake("results/shards/onnxruntime/000", *elsewhere)
    assert stopped.returncode and "error: scratch $NOWHERE_SET: not set on" in stopped.stdout
    assert "jobid:" not in stopped.stdout
    assert left.exists() and linked.exists() and on_node.exists()
    result = run_copy.snakemake("results/shards/onnxruntime/000", *settings)
    assert result.returncode == 0, result.stdout
    assert not left.parent.exists() and not linked.parents[1].exists()
    assert not link.is_symlink() and not on_node.parent.exists()
    # the files that a run with keep: frames has made stay: they are the user's to delete
    assert bins_below(run_copy.results / "out_bin/000") == kept


def test_results_of_other_shards_are_not_taken_for_these(run_copy):
    """Shards 000 to 003 of four are there; of eight they are others."""
    jobs = run_copy.dry_run("results/shards/onnxruntime/003", *TEMPORARY, "shards=8")
    assert jobs["infer"] == 1 and jobs["count_frames"] == 8


# ---- tsf.data.temporary_bins by itself ----


@pytest.fixture
def root(streams, tmp_path):
    """A folder of four videos, whose frames are counted."""
    folder = tmp_path / "videos"
    for name in ("short5", "wraps", "square", "portrait"):
        datasets.link(streams[name], folder / f"{name}.mp4")
    listed = list_videos(Dataset("folder", folder))
    counted = [count_or_skip(video, folder, GUIDE.sampling) for video in listed]
    write_decoded(tmp_path / "table.tsv", counted)
    return folder


def start(root: Path, *command: str, processes=2, more=(), **options) -> subprocess.Popen:
    """tsf.data.temporary_bins around a command, in the folder beside the videos."""
    options_of_it = ["--layout", "folder", "--root", root, "--table", "table.tsv"]
    options_of_it += ["--recipe", to_json(GUIDE)]
    options_of_it += ["--folder", "bins", "--processes", processes, *more]
    arguments = [sys.executable, "-m", "tsf.data.temporary_bins", *options_of_it, "--", *command]
    return subprocess.Popen(
        list(map(str, arguments)),
        cwd=root.parent,
        env={**os.environ, "PYTHONPATH": str(runs.ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


COUNT = "import glob; print('seen', len(glob.glob('bins/*.bin')), flush=True)"
WAIT = f"{COUNT}; import time; time.sleep(60)"


def test_the_command_sees_the_files_and_nobody_later(root):
    process = start(root, sys.executable, "-c", COUNT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "seen 4" in output
    assert not (root.parent / "bins").exists()


def test_a_video_that_changed_since_it_was_counted_stops_it(root, streams):
    """The command does not run: its results would be of other frames than k400.info says."""
    video = root / "wraps.mp4"
    video.unlink()
    datasets.link(streams["plain"], video)
    process = start(root, sys.executable, "-c", COUNT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "seen" not in output
    (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: wraps-") and "frames in table.tsv" in line
    assert not (root.parent / "bins").exists()


def test_a_command_that_fails_is_a_failure_and_leaves_nothing(root):
    process = start(root, sys.executable, "-c", "raise SystemExit(7)")
    process.communicate(timeout=60)
    assert process.returncode == 7
    assert not (root.parent / "bins").exists()


EARLY = "import sys; print('loads', flush=True); print(sys.stdin.readline().strip(), flush=True); "


def test_a_command_that_starts_early_is_told_when_the_files_are_there(root):
    process = start(root, sys.executable, "-c", EARLY + COUNT, more=["--early"])
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.index("loads") < output.index("decoded shard") < output.index("made\nseen 4")
    assert not (root.parent / "bins").exists()


def test_a_command_that_starts_early_and_fails_is_a_failure(root):
    process = start(root, sys.executable, "-c", "raise SystemExit(7)", more=["--early"])
    process.communicate(timeout=60)
    assert process.returncode == 7
    assert not (root.parent / "bins").exists()


def test_a_command_that_starts_early_ends_with_a_video_that_changed(root, streams):
    """It is never told that the files are there."""
    video = root / "wraps.mp4"
    video.unlink()
    datasets.link(streams["plain"], video)
    process = start(root, sys.executable, "-c", EARLY + COUNT, more=["--early"])
    output, _ = process.communicate(timeout=60)  # and so until every process has ended
    assert process.returncode == 1 and "made" not in output and "seen" not in output
    assert "error: wraps-" in output and "Traceback" not in output
    assert not (root.parent / "bins").exists()


def until(condition, process):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def scratch(root):
    """The options of a job whose files are on the node's disk, and what jobs have there."""
    disk = root.parent / "disk"
    disk.mkdir()

    def in_scratch():
        return [path for path in disk.glob("tsf-*/*") if path.name != "lock"]

    return ("--scratch", disk, "--disk-mb", 100), in_scratch


@pytest.mark.parametrize("moment", ["making the files", "loading early", "running the command"])
def test_a_terminated_job_leaves_neither_files_nor_processes(root, scratch, moment):
    options, in_scratch = scratch
    options = options if moment == "making the files" else ()
    options = ["--early"] if moment == "loading early" else options
    process = start(root, sys.executable, "-c", WAIT, more=options)
    bins = root.parent / "bins"
    until(lambda: list(bins.glob("*.bin")), process)
    if moment == "running the command":
        while "seen 4" not in process.stdout.readline():
            pass
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert not bins.exists() and not bins.is_symlink() and in_scratch() == []
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


SLOW_TO_END = """
import pathlib, signal, sys, time
def end(*_):
    time.sleep(1)
    pathlib.Path("cleaned up").touch()
    sys.exit(1)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_terminated_job_lets_its_command_clean_up(root):
    """As that of an NPU's job, which has the programs there to end."""
    process = start(root, sys.executable, "-c", SLOW_TO_END)
    while "ready" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert (root.parent / "cleaned up").exists()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_killed_job_is_cleared_up_by_the_next_one(root, scratch, elsewhere):
    options, in_scratch = scratch
    options = options if elsewhere else ()
    process = start(root, sys.executable, "-c", WAIT, more=options)
    while "seen 4" not in process.stdout.readline():
        pass
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    for member in family:
        member.kill()
    left = root.parent / "bins"
    assert len([path for path in bins_below(left) if path.suffix == ".bin"]) == 4
    (left / "other.bin").write_bytes(b"left")
    assert len(in_scratch()) == elsewhere and left.is_symlink() == elsewhere
    again = start(root, sys.executable, "-c", COUNT, more=options)
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 0 and "seen 4" in output
    assert not left.exists() and not left.is_symlink() and in_scratch() == []


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_job_that_lives_on_leaves_the_folder_of_a_new_run(tmp_path, elsewhere):
    """As when Snakemake alone was killed: a new run deletes the folder or link, and makes one."""
    bins = tmp_path / "bins"
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()

    def make(folder):
        if elsewhere:
            bins.symlink_to(folder)
        else:
            bins.mkdir()

    make(old)
    with deleted_afterwards(bins):
        delete_bins(bins)
        make(new)
        (bins / "video.bin").touch()
    assert (bins / "video.bin").exists()
    with deleted_afterwards(bins):
        pass
    assert not bins.exists() and not bins.is_symlink()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_file_that_cannot_be_written_whole_is_named(root, processes):
    """A quota or a limit on file sizes: one line, nothing left, and the next run is clean."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    process = start(root, sys.executable, "-c", COUNT, processes=processes, preexec_fn=limit)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in output, output
    (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert "File too large" in line and ".bin" in line
    assert not (root.parent / "bins").exists()


@pytest.fixture
def small_disk(run_copy):
    """Room for one .bin file where the shards' files go."""
    folder = run_copy.results / "out_bin"
    shutil.rmtree(folder)
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder]
    if os.geteuid() or subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(run_copy, small_disk):
    shard = run_copy.results / "shards/onnxruntime/001"
    expected = {path.name: path.read_bytes() for path in shard.glob("*_0.txt")}
    assert len(expected) > 1
    target = "results/shards/onnxruntime/001"
    full = run_copy.snakemake(target, *TEMPORARY)
    lines = runs.error_lines(full)
    assert lines and all("No space left" in line and "free some space" in line for line in lines)
    assert bins_below(small_disk) == [] and not shard.exists()

    subprocess.run(["mount", "-o", "remount,size=500m", small_disk], check=True)
    again = run_copy.snakemake(target, *TEMPORARY)
    assert again.returncode == 0, again.stdout
    assert {path.name: path.read_bytes() for path in shard.glob("*_0.txt")} == expected
    assert bins_below(small_disk) == []
