"""Two jobs never use a GPU or an NPU at the same time, be they of one run or of two."""

import ctypes
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from runs import ROOT

from tsf.engines import device
from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError
from tsf.evaluation import parity, performance
from tsf.inference import infer

CPU, CUDA, CANN = (replace(DEFAULTS["onnxruntime"], device=d) for d in ("cpu", "cuda", "cann"))
GPU = "8e2f4ab0-0102-0304-0506-0708090a0b0c"
JOB = f"""
import sys, tempfile, time
from dataclasses import replace
from tsf.engines import device
from tsf.engines.setup import DEFAULTS
tempfile.tempdir = sys.argv[1]
device.first_gpu = lambda: "{GPU}"
with device.device_of(replace(DEFAULTS["torch"], device="cuda")):
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    """The folder that the locks are in."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(device, "first_gpu", lambda: GPU)
    monkeypatch.delenv(device.VISIBLE, raising=False)
    return tmp_path


def taken(folder) -> list[str]:
    """The names of the devices that some process has now."""
    found = []
    for path in sorted(folder.glob("tsf-*.lock")):
        with open(path, "w") as file:
            try:
                device.fcntl.flock(file, device.fcntl.LOCK_EX | device.fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(path.name.removeprefix("tsf-").removesuffix(f"-{os.getuid()}.lock"))
    return found


def start(folder) -> subprocess.Popen:
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", JOB, str(folder)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def said(job) -> str:
    """The next line that a job prints, without its date and time."""
    return job.stdout.readline().strip().split(" ", 2)[2]


def test_a_job_waits_for_the_gpu_of_another_and_has_it_when_that_one_is_killed(locks):
    with start(locks) as holder:
        assert said(holder) == f"device {GPU}: taken"
        with start(locks) as other:
            assert said(other) == f"wait for a device of {GPU}: other jobs have them"
            assert taken(locks) == [f"gpu{GPU}"]
            holder.kill()
            assert said(other) == f"device {GPU}: taken"
            other.kill()
    assert taken(locks) == []


def test_an_engine_takes_the_device_that_it_opens_and_gives_it_back(locks, monkeypatch):
    for setup, name in ((CPU, None), (CUDA, f"gpu{GPU}"), (CANN, "npu0")):
        with device.device_of(setup):
            assert taken(locks) == ([name] if name else [])
        assert taken(locks) == []
    monkeypatch.setenv(device.VISIBLE, "3,1")  # of which the first is device 0 to the engine
    with device.device_of(CANN), device.device([0]) as number:
        assert (taken(locks), number) == (["npu1", "npu3"], 1)  # and ais_bench gets the other


def driver(status) -> SimpleNamespace:
    """Of CUDA, as cuda.h has its functions: 0 is success; the device's bytes go to a buffer."""

    def get(ordinal, number):
        ordinal._obj.value = number + 7
        return 0

    def get_uuid(uuid, ordinal):
        assert ordinal.value == 7  # of the first
        uuid[:] = bytes.fromhex(GPU.replace("-", ""))
        return 0

    return SimpleNamespace(
        cuInit=lambda flags: status, cuDeviceGet=get, cuDeviceGetUuid_v2=get_uuid
    )


@pytest.mark.parametrize(
    ("cuda", "name"), [(driver(0), GPU), (driver(100), "0"), (SimpleNamespace(), "0")]
)
def test_a_gpu_has_the_name_that_the_driver_gives_it(cuda, name, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(ctypes, "CDLL", lambda library: cuda)
    assert device.first_gpu() == name


def test_without_a_driver_there_is_one_gpu(monkeypatch):
    def absent(library):
        raise OSError(f"{library}: cannot open shared object file")

    monkeypatch.undo()
    monkeypatch.setattr(ctypes, "CDLL", absent)
    assert device.first_gpu() == "0"


OPTIONS = {
    infer: ["--input", "."],
    parity: ["--reference", "reference.npz"],
    performance: ["--onnx", "x.onnx", "--root", "."],
}


@pytest.mark.parametrize("step", OPTIONS, ids=lambda step: step.__name__)
def test_a_step_has_the_device_before_it_loads_the_engine(step, locks, monkeypatch):
    def load(setup, file, threads):
        raise UserError(f"loads it with {taken(locks)}")

    described = SimpleNamespace(setup=CUDA, file="x.onnx")
    monkeypatch.setattr(step, "read_described", lambda path: described)
    monkeypatch.setattr(step, "refuse_other_model", lambda described: None)
    monkeypatch.setattr(step, "load_engine", load)
    for name in ("read_reference", "bin_files"):
        monkeypatch.setattr(step, name, lambda path: [], raising=False)
    argv = ["x", "--engine", "x.json", "--output", str(locks / "out"), *OPTIONS[step]]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(UserError, match=f"loads it with \\['gpu{GPU}'\\]"):
        step.main()
    assert taken(locks) == []


def test_what_measures_a_limit_keeps_the_lock_if_the_job_is_killed(locks, monkeypatch):
    program = locks / "python"
    program.write_text("#!/bin/sh\nls -l /proc/$$/fd | grep -c 'tsf-gpu.*lock'\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with device.device_of(CUDA):
        assert performance.limit("gemm", CUDA, 1) == 1
