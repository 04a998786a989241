"""The machine's limit in matrix multiplication."""

import json
import math
import os
import subprocess
import sys

import pytest
import runs

from tsf.evaluation import gemm
from tsf.evaluation.gemm import fastest_gflops


def run(module, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"tsf.{module}", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(runs.ROOT / "src")},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("precision", ["f32", "bf16", "fp16", "int8", "int8_bf16"])
def test_the_limit_of_this_machine(monkeypatch, precision):
    monkeypatch.setattr(gemm, "SHAPES", gemm.SHAPES[:1])
    monkeypatch.setattr(gemm, "SECONDS", 0)
    found = fastest_gflops(precision, "cpu", threads=2)
    assert math.isfinite(found) and found > 0


def test_the_limit_of_a_device_that_no_library_here_knows():
    found = run("evaluation.gemm", "--device", "cann", "--precision", "f32")
    assert found.returncode == 0 and json.loads(found.stdout) is None
