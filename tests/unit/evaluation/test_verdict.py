"""The verdict and the distribution of the runs' times."""

import numpy as np
import pytest

from tsf.evaluation.latency import histogram
from tsf.evaluation.verdict import held_against, verdict

REFERENCE = {"source": "a paper", "dataset": "Kinetics-400", "top1": 77.92}


def engine(top1: float, low: float, high: float) -> dict:
    detail = {"interval95": [low, high]}
    return {"videos": 10, "top1": top1, "top1_detail": detail, "model": "results/a.onnx"}


@pytest.mark.parametrize(
    "low, high, within", [(77.0, 78.5, True), (77.92, 79, True), (78.0, 79, False)]
)
def test_a_reference_within_the_interval_agrees(low, high, within):
    found = held_against(REFERENCE, engine(78.2, low, high))
    assert found["within_noise"] is within and found["difference"] == pytest.approx(0.28)


def test_nothing_is_held_against_what_is_not_there():
    assert held_against(None, engine(78, 77, 79)) is None
    assert held_against(REFERENCE, {"videos": 0}) is None


def test_the_verdict_is_the_first_engine_s():
    accuracy = {
        "engines": {
            "first": engine(78, 77, 79) | {"device": "cpu"},
            "second": engine(9, 8, 10) | {"device": "npu"},
        },
        "listed": 12,
        "scored": 10,
        "skipped": 2,
    }
    summaries = {
        name: {"throughput": fps, "npu_compute_time_list": [100.0]}
        for name, fps in (("first", 10.0), ("second", 20.0))
    }
    found = verdict(accuracy, summaries, "Kinetics-400", None)
    assert (found["engine"], found["top1"], found["videos_per_second"]) == ("first", 78, 10.0)
    assert found["model"] == "a.onnx" and found["reference"] is None
    assert found["engines"]["second"]["videos_per_second"] == 20.0


def test_every_run_is_in_the_histogram_or_beyond_it():
    times = [*np.random.default_rng(0).gamma(9, 5, 1000), 4000.0]
    found = histogram(times)
    assert sum(found["counts"]) + found["beyond"] == found["runs"] == 1001
    assert found["max"] == 4000 and found["edges"][-1] == found["p99"] < 200
    assert found["p50"] == pytest.approx(sorted(times)[500])


def test_runs_of_one_length_and_no_runs():
    assert sum(histogram([5.0, 5.0, 5.0])["counts"]) == 3
    assert histogram([]) is None
