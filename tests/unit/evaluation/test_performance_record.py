"""Every measurement of speed has one form, whatever ran the model."""

import pytest
from measured import NPU_RUN

from tsf.evaluation.performance_record import latencies, performance_record


def test_percentiles():
    found = latencies([400.0, 100.0, 300.0, 200.0])
    assert (found["mean"], found["min"], found["p50"], found["max"]) == (250, 100, 250, 400)
    # of n sorted values the percentile p lies at p / 100 * (n - 1), so here at 2.7 and 2.97
    assert found["p90"] == pytest.approx(370) and found["p99"] == pytest.approx(397)


def test_a_record_has_what_was_measured_and_null_for_the_rest():
    # 3 runs of 4 videos in 1593.6 ms
    assert NPU_RUN["videos_per_second"] == pytest.approx(3 * 4 / 1.5936)
    assert NPU_RUN["runs"] == 3 and NPU_RUN["milliseconds"]["p50"] == 531
    assert NPU_RUN["h2d_milliseconds"] == 1.5 and NPU_RUN["d2h_milliseconds"] is None
    assert NPU_RUN["end_to_end"] is None and NPU_RUN["gflops"] is None
    # every record has every key, so that a report may ask for any of them
    assert set(NPU_RUN) == {
        *("engine", "model", "precision", "batch", "device", "runs", "milliseconds"),
        *("videos_per_second", "threads", "macs", "gflops", "gemm_gflops", "gemm_share"),
        *("cpu", "operations_per_byte", "memory_gb_per_second"),
        *("memory_mb", "load_seconds", "end_to_end", "h2d_milliseconds", "d2h_milliseconds"),
    }


def test_a_single_run_is_its_own_mean_and_percentiles():
    assert set(latencies([7.0]).values()) == {7.0}


def test_a_record_of_no_run_is_refused():
    with pytest.raises(ValueError):
        performance_record("onnxruntime", "tsf_sim.onnx", "f32", 1, "a CPU", [])
