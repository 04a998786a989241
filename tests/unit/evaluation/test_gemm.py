"""The machine's limit in matrix multiplication."""

import json
import math

import pytest
import runs

from tsf.evaluation import gemm
from tsf.evaluation.gemm import fastest_gflops


@pytest.mark.parametrize("precision", ["f32", "bf16", "fp16", "int8", "int8_bf16"])
def test_the_limit_of_this_machine(monkeypatch, precision):
    monkeypatch.setattr(gemm, "SHAPES", gemm.SHAPES[:1])
    monkeypatch.setattr(gemm, "SECONDS", 0)
    found = fastest_gflops(precision, "cpu", threads=2)
    assert math.isfinite(found) and found > 0


def test_the_limit_of_a_device_that_no_library_here_knows():
    found = runs.module("evaluation.gemm", "--device", "cann", "--precision", "f32")
    assert found.returncode == 0 and json.loads(found.stdout) is None
