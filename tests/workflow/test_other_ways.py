"""The same videos by other ways: killed and run again, without raw frames, another sampler."""

import hashlib
import shutil
import subprocess
import time
from dataclasses import replace

import psutil
import pytest
import runs
from recipes import GUIDE

from tsf.data.sampling import frame_numbers


def digests(run, pattern):
    """sha256 of every file that matches, by path."""
    found = {}
    for path in sorted(run.results.glob(pattern)):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found[str(path.relative_to(run.results))] = digest
    return found


@pytest.fixture
def without_videos(run_copy):
    """A copy in which everything that is made from videos is still to be made."""
    for path in run_copy.results.iterdir():
        if path.name in ("sample_data", "mmaction2", "logs") or path.name.startswith("tsf"):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return run_copy


def kill_amid(run, started):
    """Start the whole run, and kill -9 every process of it as soon as `started` says so."""
    process = subprocess.Popen(
        runs.command("all", directory=run.folder, root=run.repo),
        cwd=run.repo,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not started():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    family = [process, *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def test_a_killed_run_goes_on_to_the_same_bytes(sample_run, without_videos):
    run = without_videos
    # amid the writing of .bin files
    kill_amid(run, lambda: any(run.results.glob("out_bin/.*.part/*.bin")))
    assert not (run.results / "accuracy.md").exists()

    locked = run.snakemake("all")
    assert locked.returncode != 0 and "--unlock" in locked.stdout
    assert run.snakemake("--unlock").returncode == 0
    again = run.snakemake("all")
    assert again.returncode == 0, again.stdout

    for pattern in ("out_bin/*/*.bin", "result/onnxruntime/*.txt", "k400.info", "skipped.tsv"):
        expected = digests(sample_run, pattern)
        assert expected and digests(run, pattern) == expected
    assert not list(run.results.glob("out_bin/.*.part"))
    assert run.dry_run("all") == {}


def test_straight_from_video_with_temporary_bins_gives_the_same_results(sample_run, without_videos):
    """keep: nothing, as the full validation set runs."""
    run = without_videos
    settings = ("--config", "keep=nothing")
    result = run.snakemake("all", *settings)
    assert result.returncode == 0, result.stdout
    assert not list(run.results.glob("rawframes/*")) and not list(run.results.rglob("*.bin"))
    for pattern in ("result/onnxruntime/*.txt", "k400.info", "kinetics400_val_list_rawframes.txt"):
        expected = digests(sample_run, pattern)
        assert expected and digests(run, pattern) == expected
    # nothing to do then, on other cores neither
    assert run.dry_run("all", *settings) == {}
    other = run.snakemake("all", "-n", *settings, "--cores", "1")
    assert "Nothing to be done" in other.stdout


def test_the_other_sampler_reads_other_frames(sample_run, tmp_path):
    """Through the DAG, up to the .bin files of one shard."""
    target = "results/out_bin/000"
    (tmp_path / "my videos").symlink_to(sample_run.results / "sample_data")
    setting = f"dataset={{root: {tmp_path / 'my videos'}}}"
    result = runs.snakemake(
        target, "--config", "recipe={sampler: mmaction2-1.x}", setting, directory=tmp_path
    )
    assert result.returncode == 0, result.stdout
    text = (sample_run.results / "kinetics400_val_list_rawframes.txt").read_text()
    counts = dict(line.split()[:2] for line in text.splitlines())
    ours = {path.stem: path for path in (tmp_path / target).glob("*.bin")}
    assert ours
    for video, path in ours.items():
        folder = tmp_path / "results/rawframes/000" / video
        frames = sorted(path.name for path in folder.glob("img_*"))
        numbers = frame_numbers(
            int(counts[video]), replace(GUIDE.sampling, sampler="mmaction2-1.x")
        )
        assert frames == sorted(f"img_{n:05d}.jpg" for n in set(numbers))
        other = sample_run.results / f"out_bin/000/{video}.bin"
        assert path.stat().st_size == other.stat().st_size
        assert path.read_bytes() != other.read_bytes()
