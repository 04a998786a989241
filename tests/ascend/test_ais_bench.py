"""Inference with the stand-in of ais_bench, as it behaves in its releases and when it fails.

The model is a tiny one, whose results numpy gives too.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import machine
import numpy as np
import pytest
from recipes import GUIDE

from tsf.ascend import ais_bench, process
from tsf.ascend.summary_file import Summary, read_summary
from tsf.data.bins import read_bin, write_bin
from tsf.engines.described import describe, write_described
from tsf.engines.device import device
from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError
from tsf.files import read_json, write_json
from tsf.inference import results


@pytest.fixture
def infer(tmp_path, npu, clips, compiled):
    """Runs the step on a folder of clips; the result, and the folder it writes."""
    bins, _ = clips
    output = tmp_path / "results/shards/ascend/000"
    output.parent.mkdir(parents=True)

    def infer_it(*more, batch=1, folder=bins, model=None, recipe=GUIDE, temporary=None, **demands):
        om = model or compiled / f"bs{batch}.om"
        described = describe(DEFAULTS["ascend"], om, recipe, "float32")
        write_described(tmp_path / "engine.json", described)
        arguments = ["--engine", tmp_path / "engine.json"]
        arguments += ["--status", compiled / f"bs{batch}.json", "--input", folder]
        arguments += ["--output", "results/shards/ascend/000", "--devices", "0"]
        env = npu(**demands) | ({"TMPDIR": str(temporary)} if temporary else {})
        return machine.run("ascend.ais_bench", *arguments, *more, folder=tmp_path, env=env)

    return infer_it, output


def check(output, expected, batch, copies=(0.25, 0.125)):
    """Every clip's result is there, right, and in the form that all engines share."""
    assert results.result_files(output) == set(expected)
    for name, logits in expected.items():
        text = (output / f"{name}_0.txt").read_text()
        assert text.count("\n") == 3 and text.count(" \n") == 3
        np.testing.assert_allclose(np.loadtxt(output / f"{name}_0.txt"), logits, atol=2e-5)
    summary = json.loads((output / "sumary.json").read_text())
    assert summary["args"]["batchsize"] == batch and summary["args"]["engine"] == "ascend"
    assert (
        summary["args"]["device"] == "stand-in for Ascend310P3: ONNX Runtime on the CPU, force_fp16"
    )
    runs = -(-len(expected) // batch)
    for latency, mean in zip(("H2D_latency", "D2H_latency"), copies, strict=True):
        assert summary[latency]["count"] == (runs if mean else 0)
        assert summary[latency]["mean"] == mean
    assert summary["NPU_compute_time"]["count"] == len(summary["npu_compute_time_list"]) == runs
    mean = sum(summary["npu_compute_time_list"]) / runs
    assert summary["throughput"] == pytest.approx(1000 * batch / mean)
    # nothing of the work is left
    assert [path.name for path in output.parent.iterdir()] == ["000"]


# six clips: at batch 4 the second run is half empty
@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize(
    "release", ["", "2022-11", "inside", "2022-11,pairs", "fork", "noisy", "2022-11,noisy"]
)
def test_every_release_gives_the_same(infer, clips, batch, release):
    infer_it, output = infer
    result = infer_it(batch=batch, AIS_BENCH=release)
    assert result.returncode == 0, result.stdout
    old = "2022" in release or release == "inside"
    check(output, clips[1], batch, copies=(0, 0) if old else (0.25, 0.125))


def test_an_empty_shard_needs_no_npu(infer, tmp_path):
    infer_it, output = infer
    empty = tmp_path / "empty"
    empty.mkdir()
    result = infer_it(folder=empty, DEVICES="none")
    assert result.returncode == 0, result.stdout
    assert results.result_files(output) == set()
    assert results.read_summary(output / "sumary.json")["npu_compute_time_list"] == []


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        ("fails-midway", "ais_bench ended with status 1: filepath:work/bins/2.bin not valid"),
        ("fork,fails-midway", "ais_bench ended with status 1: filepath:work/bins/2.bin not valid"),
        ("507011", "try ascend.precision: must_keep_origin_dtype"),
        ("507011,noisy", "ended with status 1: RuntimeError: execute acl model failed"),
        ("loses-one", "gave no result of -a_000001_000011; run again"),
        ("no-summary", "wrote no summary"),
        ("half-summary", "_summary.json: cut short, or no JSON"),
        ("nan", "result of -a_000001_000011: holds a value that is not finite"),
        ("killed", "ais_bench was killed by signal 9"),
    ],
)
def test_a_failure_is_one_line_and_leaves_no_results(infer, clips, demand, expected):
    infer_it, output = infer
    assert expected in machine.error(infer_it(AIS_BENCH=demand))
    assert list(output.parent.iterdir()) == []
    # and the next run is not disturbed
    assert infer_it().returncode == 0
    check(output, clips[1], 1)


def test_results_of_a_former_run_stay_until_new_ones_are_whole(infer, clips):
    infer_it, output = infer
    assert infer_it().returncode == 0
    machine.error(infer_it(AIS_BENCH="fails-midway"))
    check(output, clips[1], 1)


def test_a_device_that_does_not_exist(infer):
    infer_it, _ = infer
    line = machine.error(infer_it(DEVICES="3"))
    assert "ais_bench ended with status 1" in line and "device 0 does not exist" in line


def test_a_file_that_is_no_model(infer, tmp_path):
    infer_it, _ = infer
    (tmp_path / "bad.om").write_bytes(b"not a model")
    assert "load model from file failed" in machine.error(infer_it(model=tmp_path / "bad.om"))


def test_no_python(infer):
    infer_it, _ = infer
    line = machine.error(infer_it("--python", "python9"))
    assert "ais_bench ended with status 127: python9: command not found" in line


@pytest.fixture
def own_clips(tmp_path, clips):
    """A copy of two clips that may be spoiled."""
    folder = tmp_path / "bins"
    folder.mkdir()
    for name in ("b2", "d"):
        for path in clips[0].glob(f"{name}.bin*"):
            shutil.copy(path, folder)
    return folder, {name: clips[1][name] for name in ("b2", "d")}


def test_modes_and_links_that_ais_bench_refuses(infer, own_clips, tmp_path, compiled):
    """Group-writable files and folders, and symbolic links, are what it never gets to see."""
    infer_it, output = infer
    folder, expected = own_clips
    (folder / "b2.bin").chmod(0o666)
    (folder / "d.bin").rename(tmp_path / "d.bin")
    (folder / "d.bin").symlink_to(tmp_path / "d.bin")
    (folder / ".snakemake_timestamp").touch()
    folder.chmod(0o777)
    model = tmp_path / "tsf.om"
    shutil.copy(compiled / "bs1.om", model)
    model.chmod(0o664)
    # the stand-in, as it is, for the guide's command
    refused = run_stand_in(tmp_path, "--model", compiled / "bs1.om", "--input", folder)
    assert refused.returncode == 2 and "is illegal" in refused.stderr
    folder.chmod(0o755)
    refused = run_stand_in(tmp_path, "--model", compiled / "bs1.om", "--input", folder)
    assert refused.returncode == 1 and "RuntimeError: input data:" in refused.stderr

    result = infer_it(folder=folder, model=model)
    assert result.returncode == 0, result.stdout
    check(output, expected, 1)


def run_stand_in(folder, *arguments, **demands):
    """The stand-in of ais_bench by itself."""
    env = {**os.environ, **machine.environment(folder, **demands)}
    command = [sys.executable, "-m", "ais_bench", *map(str, arguments)]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)


def test_a_third_of_a_clip_is_not_taken_for_a_view(infer, own_clips):
    infer_it, _ = infer
    folder, _ = own_clips
    for path in folder.glob("*.bin"):
        os.truncate(path, machine.BIN_BYTES // 3)
    line = machine.error(infer_it(folder=folder))
    assert "b2.bin: 4816896 bytes, expected 14450688" in line


def test_a_later_clip_of_another_size(infer, own_clips):
    infer_it, _ = infer
    folder, _ = own_clips
    os.truncate(folder / "d.bin", machine.BIN_BYTES - 4)
    assert "d.bin: 14450684 bytes" in machine.error(infer_it(folder=folder))


def test_clips_of_another_recipe_are_refused_before_a_device_is_taken(infer, tmp_path):
    infer_it, output = infer
    sixteen = replace(GUIDE, sampling=replace(GUIDE.sampling, clip_len=16))
    log = tmp_path / "npu.log"
    line = machine.error(infer_it(recipe=sixteen, LOG=str(log)))
    assert "-a_000001_000011.bin: 14450688 bytes, expected 28901376" in line
    assert list((tmp_path / "tmp").iterdir()) == [] and not log.exists()
    assert list(output.parent.iterdir()) == []
    # whereas a run leaves the locks of its device there
    assert infer_it().returncode == 0 and list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("name", ["a.b", "a b", "a+b", "视频", "padding0", "0"])
def test_a_clip_of_any_name(infer, clips, own_clips, name):
    """ais_bench would cut a.b at its dot, and refuse the others."""
    infer_it, output = infer
    folder, expected = own_clips
    for path in folder.glob("d.bin*"):
        path.unlink()
    write_bin(read_bin(clips[0] / "d.bin", GUIDE, "float32"), folder / f"{name}.bin")
    result = infer_it(folder=folder, batch=4)
    assert result.returncode == 0, result.stdout
    check(output, {"b2": expected["b2"], name: expected["d"]}, 4)


@pytest.mark.parametrize("name", ["a+b=c d", "视频"])
def test_a_working_directory_of_any_name(tmp_path, npu, clips, compiled, name):
    """The newest release checks absolute paths, that of a relative one too."""
    folder = tmp_path / name
    (folder / "results").mkdir(parents=True)
    described = describe(DEFAULTS["ascend"], compiled / "bs1.om", GUIDE, "float32")
    write_described(tmp_path / "engine.json", described)
    arguments = ["--engine", tmp_path / "engine.json", "--status", compiled / "bs1.json"]
    arguments += ["--input", clips[0], "--output", "results/000", "--devices", 0]
    result = machine.run("ascend.ais_bench", *arguments, folder=folder, env=npu())
    assert result.returncode == 0, result.stdout
    assert results.result_files(folder / "results/000") == set(clips[1])


def test_a_temporary_folder_of_a_name_that_ais_bench_refuses(infer, tmp_path):
    infer_it, output = infer
    folder = tmp_path / "a+b"
    folder.mkdir()
    line = machine.error(infer_it(temporary=folder))
    assert "ais_bench takes only A-Z a-z 0-9" in line and "set TMPDIR" in line
    assert list(output.parent.iterdir()) == []
    # ais_bench, too, sees through the link
    (tmp_path / "link").symlink_to(folder)
    assert str(folder) in machine.error(infer_it(temporary=tmp_path / "link"))
    refused = run_stand_in(tmp_path / "link", "--model", "tsf.om")
    assert "path string is illegal" in refused.stderr
    (tmp_path / "视频").symlink_to(tmp_path / "tmp")
    assert infer_it(temporary=tmp_path / "视频").returncode == 0


def test_a_relative_python(infer, clips, tmp_path):
    infer_it, output = infer
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "bin/python").chmod(0o755)
    result = infer_it("--python", "bin/python")
    assert result.returncode == 0, result.stdout
    check(output, clips[1], 1)


@pytest.mark.parametrize("linked", [False, True])
def test_the_clips_get_hard_links_on_their_own_disk(tmp_path, clips, compiled, monkeypatch, linked):
    """With scratch, results has a link to them: links to them beside it would be copies."""
    disk, shards = tmp_path / "disk/job/bins", tmp_path / "results/shards/ascend"
    shutil.copytree(clips[0], disk)
    shards.mkdir(parents=True)
    folder = tmp_path / "results/ascend.000"
    if linked:
        folder.symlink_to(disk)
    else:
        disk.rename(folder)
    places = []

    def call(python, arguments, work, seconds):
        places.append(work.parent)
        assert {path.stat().st_nlink for path in (work / "bins").iterdir()} == {2}
        raise UserError("enough")

    monkeypatch.setattr(ais_bench, "call", call)
    described = describe(DEFAULTS["ascend"], compiled / "bs1.om", GUIDE, "float32")
    bins = sorted(folder.glob("*.bin"))
    with pytest.raises(UserError, match="enough"):
        ais_bench.infer(described, bins, 1, [0], "python3", shards / "000.part")
    assert places == [disk.parent if linked else shards]
    assert not list(tmp_path.rglob("*.work"))


@pytest.mark.parametrize("name", ["run", "out", "bins", "work"])
def test_a_working_directory_with_folders_of_its_own(infer, clips, tmp_path, name):
    """The newest release checks the name of its output folder as a path from there."""
    infer_it, output = infer
    (tmp_path / name).mkdir(mode=0o755)
    result = infer_it()
    assert result.returncode == 0, result.stdout
    check(output, clips[1], 1)
    assert list((tmp_path / name).iterdir()) == []


SUMMARY = {"npu_compute_time_list": [1.0]}  # no more is needed


def test_only_a_mark_that_the_real_tool_does_not_have_says_stand_in(tmp_path):
    """The real summary has the command line under args, a list, whatever words are in it."""
    status, path = {"soc_version": "Ascend310P3"}, tmp_path / "sumary.json"
    assert ais_bench.device_name(Summary(), status) == "Ascend310P3"  # of an empty shard
    real = SUMMARY | {"args": ["/x/ais_bench/__main__.py", "--model", "/stand_in/tsf.om"]}
    path.write_text(json.dumps(real))
    assert ais_bench.device_name(read_summary(path), status) == "Ascend310P3"
    path.write_text(json.dumps(real | {"stand_in": "numpy"}))
    assert ais_bench.device_name(read_summary(path), status) == "stand-in for Ascend310P3: numpy"


def test_the_last_batch_is_filled_by_us(tmp_path, clips):
    """Releases of ais_bench pad a last batch differently, so that every batch must be full."""
    bins = sorted(clips[0].glob("*.bin"))
    assert ais_bench.stage_bins(bins, 4, GUIDE, "float32", tmp_path / "staged") == 8
    staged = {path.name: path.stat().st_ino for path in (tmp_path / "staged").iterdir()}
    # hard links: the clips take no disk twice
    inodes = [path.stat().st_ino for path in [*bins, bins[0], bins[0]]]
    assert staged == {f"{n}.bin": inode for n, inode in enumerate(inodes)}


def test_a_model_of_bytes_is_not_given_floats(infer, tmp_path, compiled):
    """ais_bench counts bytes: four clips of bytes are one of floats."""
    infer_it, output = infer
    status = read_json(compiled / "bs1.json")
    write_json(tmp_path / "u8.json", status | {"onnx": "results/tsf_opt_u8.onnx"})
    line = machine.error(infer_it("--status", tmp_path / "u8.json"))
    assert "tsf_opt_u8 takes uint8, but bin is float32" in line and not output.exists()


BOX = """Usage: python -m ais_bench [OPTIONS]
Try 'python -m ais_bench --help' for help.
╭─ Error ──────────────────────────────────────────────────────────────────────╮
│ Invalid value for '--outfmt': Value error, 'CSV' is not one of 'NPY', 'BIN', │
│ 'TXT'.                                                                       │
╰──────────────────────────────────────────────────────────────────────────────╯
"""


@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        (2, BOX, "paths: Invalid value for '--outfmt': Value error, 'CSV' is not one of 'NPY', "),
        # most exceptions of the front ends have no text
        (1, "[ERROR] sizes do not match\nTraceback\nRuntimeError\n", "1: sizes do not match"),
        (
            1,
            "[ERROR] /x/0.bin is group writable\nRuntimeError: input data:/x/0.bin is illegal\n",
            "1: RuntimeError: input data:/x/0.bin is illegal (/x/0.bin is group writable)",
        ),
        (1, "│ ❱ 99 │ raise RuntimeError() │\n╰──╯\nRuntimeError: bad\n", "1: RuntimeError: bad"),
        (
            2,
            "usage: x\nais_bench: error: path illegal",
            "refused its arguments or paths: ais_bench:",
        ),
        (1, "[ERROR] bad\nTraceback\nRuntimeError: bad", "ended with status 1: RuntimeError: bad"),
        (1, "", "ended with status 1: it printed nothing"),
        (1, "[ERROR] ret is 507011", "smaller batch"),
        (1, "ModuleNotFoundError: No module named 'pkg_resources'", "setuptools < 81"),
    ],
)
def test_explanations(status, output, expected):
    line = ais_bench.explain(output, status)
    assert expected in line and "\n" not in line


@pytest.mark.parametrize(
    ("times", "expected"), [([1.5, 2.5], [1.5, 2.5]), ([[10, 11.5], [20, 22.5]], [1.5, 2.5])]
)
def test_times_are_floats_or_pairs(tmp_path, times, expected):
    path = tmp_path / "sumary.json"
    path.write_text(json.dumps(SUMMARY | {"npu_compute_time_list": times}))
    assert read_summary(path).milliseconds == expected


HOLDER = """
import sys, tempfile, time
from tsf.engines import device
tempfile.tempdir = sys.argv[1]
with device.device([0, 1]) as number:
    print(number, flush=True)
    time.sleep(60)
"""


def start(program: str, folder: Path) -> subprocess.Popen:
    """Run a program that takes a device, whose locks are in `folder`."""
    env = {**os.environ, "PYTHONPATH": str(machine.ROOT / "src")}
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def number_of(process):
    """The number that it prints, after what is told of devices."""
    return next(int(line) for line in process.stdout if line.strip().isdigit())


def test_a_device_is_lent_to_one_process_until_it_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with start(HOLDER, tmp_path) as holder:
        taken = number_of(holder)
        with device([0, 1]) as other:
            assert {taken, other} == {0, 1}
        holder.kill()
    with device([taken]) as number:
        assert number == taken


def test_a_job_uses_the_device_that_the_scheduler_gave_it(infer, clips, tmp_path, monkeypatch):
    """CANN counts the devices of ASCEND_RT_VISIBLE_DEVICES from 0; the config's is none of them."""
    infer_it, output = infer
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "2")
    result = infer_it(DEVICES="0,1,2")
    assert result.returncode == 0, result.stdout
    assert "device 2: taken" in result.stdout and "--device 0" in result.stdout
    assert [path.name for path in tmp_path.rglob("stand-in-npu*")] == ["stand-in-npu2.lock"]
    check(output, clips[1], 1)


def test_jobs_that_were_given_different_devices_do_not_wait_for_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "2,3")
    with device([0]) as first, device([0]) as second:
        assert (first, second) == (0, 1)
        monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "5")
        with device([0]) as third:
            assert third == 0
    assert {path.name.split("-")[1] for path in tmp_path.iterdir()} == {"npu2", "npu3", "npu5"}


@pytest.mark.parametrize("given", ["", "1, 2", "1;2", "npu0", "-1", "0,0", "1,0,01", "٣"])
def test_a_list_of_devices_that_cann_would_read_in_part_is_refused(given, monkeypatch):
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", given)
    with pytest.raises(UserError, match="ASCEND_RT_VISIBLE_DEVICES is"), device([0]):
        pass


HOLDER_OF_PROGRAM = """
import subprocess, sys, tempfile
from tsf.ascend import process
from tsf.engines import device
tempfile.tempdir = sys.argv[1]
with device.device([0]):
    process.run([sys.executable, "-uc", WORDS])
"""
SLEEPS = "import os, time; print(os.getpid()); time.sleep(60)"
HANGS = """
from tsf.files import read_json, write_json
from tsf.ascend.summary_file import Summary, read_summary
import os, pathlib, subprocess, time
child = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 1000 & wait; sleep 1000"])
pathlib.Path(os.environ["STAND_IN_PIDS"]).write_text(f"{os.getpid()} {child.pid}")
time.sleep(1000)
"""


def test_a_device_stays_taken_while_the_program_of_a_killed_job_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with start(HOLDER_OF_PROGRAM.replace("WORDS", repr(SLEEPS)), tmp_path) as job:
        program = number_of(job)
        job.kill()
        job.wait()
        with device([0, 1]) as number:
            assert number == 1
        os.kill(program, signal.SIGKILL)
        with device([0]) as number:  # as soon as it is gone
            assert number == 0


def gone(number: int) -> bool:
    """Whether a process has ended: it is not there, or a zombie that nobody has asked for."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def hanging(path: Path) -> list[int]:
    """The ids of a stand-in that hangs, and of its child that ignores SIGTERM."""
    while not path.exists() or len(path.read_text().split()) < 2:
        time.sleep(0.05)
    return [int(number) for number in path.read_text().split()]


def test_a_signal_that_is_ignored_stays_so():
    """A run under nohup goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        program = "import os, signal; os.kill(os.getppid(), signal.SIGHUP); print('done')"
        assert process.run([sys.executable, "-c", program], show=False) == ("done\n", 0)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_hangs_is_ended_with_all_its_processes(infer, clips, tmp_path, monkeypatch):
    infer_it, output = infer
    pids = tmp_path / "pids"
    result = infer_it("--time-limit", "3", "0.1", AIS_BENCH="hangs", PIDS=str(pids))
    line = machine.error(result)
    assert "ais_bench did not end within 4 s" in line and "raise ascend.time_limit" in line
    assert all(gone(number) for number in hanging(pids))
    assert list(output.parent.iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    with device([0]) as number:  # at once: the lock is free
        assert number == 0
    assert infer_it().returncode == 0
    check(output, clips[1], 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_job_that_is_ended_ends_its_program(tmp_path, number):
    """And the program's child, although it ignores SIGTERM."""
    env = {**os.environ, "PYTHONPATH": str(machine.ROOT / "src")}
    env["STAND_IN_PIDS"] = str(tmp_path / "pids")
    program = HOLDER_OF_PROGRAM.replace("WORDS", repr(HANGS))
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as job:
        ids = hanging(tmp_path / "pids")
        job.send_signal(number)
        time.sleep(0.5)
        job.send_signal(number)  # impatience must not break the clean-up off
    assert job.returncode == 128 + number
    assert all(gone(n) for n in ids)


def test_staging_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        ais_bench.stage(tmp_path / "none.bin", tmp_path / "staged.bin")


def test_collect_refuses_doubled_lines(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    results.write_logits(made / "0_0.txt", np.zeros((6, 8)))
    with pytest.raises(UserError, match="result of a: 6 lines, expected 3"):
        ais_bench.collect([tmp_path / "a.bin"], made, 3, tmp_path)
