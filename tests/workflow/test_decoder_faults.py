"""A decoder that dies or never ends costs its video, in every way to the results, and no run."""

import os
import signal
import subprocess
import sys
import time

import datasets
import psutil
import pytest
import runs
from recipes import GUIDE

from tsf.data.decoded import Decoded, read_decoded
from tsf.recipe.record import to_json

CLASSES = ["yoga", "zumba", *map("class {}".format, range(6))]
SOUND, CRASHES, HANGS = (0, 3), 1, 2  # the numbers of the videos
REASONS = {
    CRASHES: "undecodable: its process was killed by SIGSEGV, twice",
    HANGS: "undecodable: took more than 2 s",
}


def environment(**faults):
    """That of a machine whose decoder has these faults, by the video's number."""
    named = ",".join(f"{datasets.name(int(n[1:]))}={fault}" for n, fault in faults.items())
    paths = [runs.ROOT / "src", runs.ROOT / "tests/standins/decoder"]
    paths = os.pathsep.join(map(str, paths))
    return {**os.environ, "PYTHONPATH": paths, "STAND_IN_DECODER": named}


@pytest.fixture
def root(streams, tmp_path):
    root = datasets.kinetics(tmp_path / "k400", [(n, "yoga") for n in range(4)], CLASSES)
    for number in range(4):
        datasets.link(streams["short5"], datasets.video(root, number))
    return root


def step(module, *arguments, cwd, env):
    return subprocess.run(
        [sys.executable, "-m", f"tsf.data.{module}", *map(str, arguments)],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


EXPECTED = [
    Decoded(datasets.name(n), 0 if n in REASONS else 5, REASONS.get(n, "")) for n in range(4)
]


@pytest.mark.parametrize("processes", [1, 2])
def test_every_way_skips_the_same_videos_and_goes_on(root, tmp_path, processes):
    env = environment(_1="SIGSEGV", _2="hang")
    common = ["--root", root, "--processes", processes, "--video-time-limit", 2]
    sampling, clip = ["--recipe", to_json(GUIDE.sampling)], ["--recipe", to_json(GUIDE)]

    counted = [*common, *sampling, "--table", "count.tsv"]
    result = step("count_frames", *counted, cwd=tmp_path, env=env)
    assert result.returncode == 0, result.stdout
    assert read_decoded(tmp_path / "count.tsv") == EXPECTED

    frames = [*common, *sampling, "--rawframes", "frames", "--table", "frames.tsv"]
    result = step("rawframes", *frames, cwd=tmp_path, env=env)
    assert result.returncode == 0, result.stdout
    assert read_decoded(tmp_path / "frames.tsv") == EXPECTED
    sound = [datasets.name(n) for n in SOUND]
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == sound

    bins = [*common, *clip, "--output", "bins", "--table", "bins.tsv"]
    result = step("preprocess", *bins, cwd=tmp_path, env=env)
    assert result.returncode == 0, result.stdout
    assert read_decoded(tmp_path / "bins.tsv") == EXPECTED
    found = sorted(path.name for path in (tmp_path / "bins").iterdir())
    assert found == sorted(f"{name}.bin{end}" for name in sound for end in ("", ".xxh128"))

    # what the count has said is what the .bin files are held against
    command = ["--", sys.executable, "-c", "print('inferred')"]
    bins = [*common, *clip, "--folder", "temporary", "--table", "count.tsv"]
    result = step("temporary_bins", *bins, *command, cwd=tmp_path, env=env)
    assert result.returncode == 0 and "inferred" in result.stdout, result.stdout
    # the decoder no longer fails, so the account would be another: told, with what to do
    env = environment(_1="SIGSEGV")
    result = step("temporary_bins", *bins, *command, cwd=tmp_path, env=env)
    assert result.returncode == 1 and "inferred" not in result.stdout
    (line,) = [line for line in result.stdout.split("\n") if line.startswith("error: ")]
    assert f"{datasets.name(HANGS)}: 5 frames now, but {REASONS[HANGS]} in count.tsv" in line
    assert line.endswith("delete count.tsv and run again")
    (tmp_path / "count.tsv").unlink()
    assert step("count_frames", *counted, cwd=tmp_path, env=env).returncode == 0
    result = step("temporary_bins", *bins, *command, cwd=tmp_path, env=env)
    assert result.returncode == 0 and "inferred" in result.stdout, result.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("keep", ["frames", "nothing"])
def test_a_run_whose_decoder_hangs_ends_when_it_is_told(root, tmp_path, number, keep):
    """Snakemake alone is told, as by `kill`, and not its jobs."""
    settings = (f"dataset={{root: {root}}}", f"keep={keep}", "shards=1", "video_time_limit=1000")
    command = runs.command("k400.info", "--config", *settings, directory=tmp_path / "run")
    env = environment(**{f"_{n}": "hang" for n in range(4)})
    with open(tmp_path / "log", "w+") as log:
        run = subprocess.Popen(command, cwd=runs.ROOT, env=env, stdout=log, stderr=log)
        try:
            hanging = wait_for_the_decoder(run)
            start = time.monotonic()
            run.send_signal(number)
            assert run.wait(timeout=60) != 0
            taken = time.monotonic() - start
            log.seek(0)
            assert taken < 20, log.read()
            psutil.wait_procs(hanging, timeout=10)
            assert not [p for p in hanging if lives(p)]
        finally:
            run.kill()


def wait_for_the_decoder(run):
    """The processes of the run, once it decodes."""
    deadline = time.monotonic() + 120
    while True:
        assert run.poll() is None and time.monotonic() < deadline, "it ended, or never began"
        processes = psutil.Process(run.pid).children(recursive=True)
        if any("spawn_main" in " ".join(command_of(process)) for process in processes):
            time.sleep(3)
            return psutil.Process(run.pid).children(recursive=True)
        time.sleep(0.2)


def command_of(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
