"""The machine's limit in moving memory."""

import json

import pytest
import runs

from tsf.evaluation import bandwidth


def test_a_copy_counts_what_is_read_and_written(monkeypatch):
    monkeypatch.setattr(bandwidth, "BYTES", 2**20)
    monkeypatch.setattr(bandwidth, "_seconds", lambda source, target: source.nbytes / 4e9)
    assert bandwidth.gigabytes_per_second("cpu", threads=1) == pytest.approx(8)


def test_the_limit_of_this_machine(monkeypatch):
    monkeypatch.setattr(bandwidth, "BYTES", 2**26)
    assert 0.1 < bandwidth.gigabytes_per_second("cpu", threads=2) < 10_000


def test_the_limit_of_a_device_that_pytorch_does_not_know():
    found = runs.module("evaluation.bandwidth", "--device", "cann")
    assert found.returncode == 0 and json.loads(found.stdout) is None
