"""The figures of a measurement against hand-worked ones, and one of the sample's model."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import runs

from tsf.evaluation import gemm, performance
from tsf.inference import results
from tsf.report import performance


def run(module, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"tsf.{module}", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(runs.ROOT / "src")},
        capture_output=True,
        text=True,
    )


def test_percentiles():
    found = results.latencies([400.0, 100.0, 300.0, 200.0])
    assert (found["mean"], found["min"], found["p50"], found["max"]) == (250, 100, 250, 400)
    # of n sorted values the percentile p lies at p / 100 * (n - 1), so here at 2.7 and 2.97
    assert found["p90"] == pytest.approx(370) and found["p99"] == pytest.approx(397)


def test_gflops_and_share():
    # the guide's 132.8 ms, for 3 views of 195.83 G multiply-adds
    reached = performance.gflops(587_490_000_000, 132.8)
    assert reached == pytest.approx(8847.7, abs=0.05)
    assert performance.share(reached, 70_000) == pytest.approx(0.1264, abs=5e-5)


def test_what_is_not_known_is_not_made_up():
    assert performance.gflops(None, 132.8) is None
    assert performance.share(None, 70_000) is None and performance.share(8848.0, None) is None


STAGES = {"video to clip": 0.05, "write .bin": 0.01, "read .bin": 0.02, "model": 0.4}


@pytest.mark.parametrize(("writing", "slowest"), [(0.02, "model"), (0.52, "write result")])
def test_the_stages_add_up_and_the_longest_is_the_bottleneck(writing, slowest):
    found = performance.end_to_end({**STAGES, "write result": writing}, videos_per_second=2.5)
    total = 0.48 + writing
    assert found["total_seconds"] == pytest.approx(total)
    assert found["videos_per_second"] == pytest.approx(1 / total)
    assert found["share_of_model_only"] == pytest.approx(0.4 / total)
    assert found["bottleneck"] == slowest


class Engine:
    batch, dtype = 2, "float32"

    def __init__(self):
        self.runs = 0

    def run(self, clips):
        self.runs += 1
        return np.full((6, 4), self.runs)


def test_the_warm_up_does_not_count():
    engine = Engine()
    logits, milliseconds = performance.run_model(engine, None, warm_up=2, runs=3)
    assert engine.runs == 5 and len(milliseconds) == 3 and logits[0, 0] == 5


def test_a_batch_is_read_and_what_is_missing_of_it_is_zeros(tmp_path):
    bins = [tmp_path / f"{number}.bin" for number in range(3)]
    for number, path in enumerate(bins):
        np.full((3, 3, 8, 224, 224), number + 1, "<f4").tofile(path)
    clips, seconds = performance.read_bins(Engine(), bins, "float32")
    assert clips.shape == (2, 3, 3, 8, 224, 224) and clips[:, 0, 0, 0, 0, 0].tolist() == [1, 2]
    assert seconds > 0
    clips, _ = performance.read_bins(Engine(), bins[2:], "float32")
    assert clips[:, 0, 0, 0, 0, 0].tolist() == [3, 0]


MEASUREMENT = {
    "engine": "openvino",
    "model": "tsf_opt.onnx",
    "precision": "bf16",
    "batch": 1,
    "device": "a | processor",
    "threads": 2,
    "runs": 10,
    "milliseconds": dict.fromkeys(("mean", "min", "p50", "p90", "p99", "max"), 400.0),
    "videos_per_second": 2.5,
    "gflops": 2597.5,
    "gemm_gflops": 3000.0,
    "gemm_share": 0.8658,
    "memory_mb": 1164.2,
    "load_seconds": 4.39,
    "end_to_end": performance.end_to_end({**STAGES, "write result": 0.02}, 2.5),
}
NPU_RUN = {
    "device": "Ascend310P3",
    "batch": 4,
    "precision": "fast",
    "fps": 7.53,
    "runs": 45,
    "milliseconds": {"mean": 531.2, "min": 530, "p50": 531, "p90": 532, "p99": 533, "max": 534},
}


def test_the_rows_of_the_report(tmp_path):
    for name, content in (("a", MEASUREMENT), ("npu", NPU_RUN)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    files = ["--json", tmp_path / "p.json", "--markdown", tmp_path / "p.md"]
    inputs = ["--runs", tmp_path / "a.json", "--npu-runs", tmp_path / "npu.json"]
    assert run("performance_report", *inputs, *files).returncode == 0
    text = (tmp_path / "p.md").read_text()
    assert (
        "| openvino | tsf_opt.onnx | bf16 | 1 | a \\| processor | 400.0 | 400.0 | 400.0 | 2.50 "
        "| 2,598 | 3,000 | 87% | 1,164 | 4.4 |\n"
    ) in text
    assert (
        "| ascend | - | fast | 4 | Ascend310P3 | 531.0 | 532.0 | 533.0 | 7.53 "
        "| - | - | - | - | - |\n"
    ) in text
    assert (
        "| openvino | tsf_opt.onnx | bf16 | 1 | 0.0500 | 0.0100 | 0.0200 | 0.4000 | 0.0200 "
        "| 0.5000 | 2.00 | 80% | model |\n"
    ) in text
    measurements = json.loads((tmp_path / "p.json").read_text())["measurements"]
    assert [m["engine"] for m in measurements] == ["openvino", "ascend"]
    assert set(measurements[1]) <= set(MEASUREMENT)


def test_with_an_npu_alone_there_is_no_table_of_stages():
    text = performance.markdown([performance.npu_measurement(NPU_RUN)])
    assert "Ascend310P3" in text and "From the video" not in text


def test_what_cannot_be_counted_is_a_dash():
    unknown = MEASUREMENT | {"gflops": None, "gemm_gflops": None, "gemm_share": None}
    assert "| 2.50 | - | - | - | 1,164 |" in performance.markdown([unknown])


def arguments(results, model, output):
    return [
        *("--model", model, "--onnx", results / "tsf_sim.onnx", "--threads", 2),
        *("--runs", 3, "--warm-up", 1, "--info", results / "k400.info"),
        *("--list", results / "videos.tsv", "--root", results / "sample_data"),
        *("--output", output),
    ]


def test_a_bad_model_is_one_line(tmp_path):
    model, info = tmp_path / "bad.onnx", tmp_path / "k400.info"
    model.write_bytes(b"no model")
    info.write_text("0 video 0\n")
    found = run("performance", *arguments(tmp_path, model, tmp_path / "p.json"))
    assert found.returncode == 1 and found.stderr.startswith(f"error: {model}: ONNX Runtime")
    assert found.stderr.count("\n") == 1 and {*tmp_path.iterdir()} == {model, info}


def test_without_a_scored_video_there_is_nothing_to_measure_on(tmp_path):
    (tmp_path / "k400.info").touch()
    found = run("performance", *arguments(tmp_path, tmp_path / "x.onnx", tmp_path / "p.json"))
    assert found.returncode == 1 and "k400.info: no video is scored" in found.stderr
    assert found.stderr.count("\n") == 1


def test_measuring(sample_run, tmp_path):
    results = sample_run.results
    # on a path through a folder that is not there yet, as the first measurement finds it
    output = tmp_path / "performance/onnxruntime.json"
    found = run("performance", *arguments(results, results / "tsf_sim.onnx", output))
    assert found.returncode == 0, found.stderr
    content = json.loads(output.read_text())
    assert (content["engine"], content["model"]) == ("onnxruntime", "tsf_sim.onnx")
    assert (content["precision"], content["batch"], content["videos"]) == ("f32", 1, 4)
    times = content["milliseconds"]
    assert 0 < times["min"] <= times["p50"] <= times["p90"] <= times["p99"] <= times["max"]
    assert content["videos_per_second"] == pytest.approx(1000 / times["mean"])
    assert content["gflops"] == pytest.approx(2e-6 * content["macs"] / times["p50"])
    assert content["gemm_share"] == pytest.approx(content["gflops"] / content["gemm_gflops"])
    assert content["memory_mb"] > 50 and content["load_seconds"] > 0
    whole = content["end_to_end"]
    assert whole["seconds"].keys() == {*STAGES, "write result"}
    assert min(whole["seconds"].values()) > 0
    assert sum(whole["seconds"].values()) == pytest.approx(whole["total_seconds"])
    assert list(output.parent.iterdir()) == [output]


@pytest.mark.parametrize("precision", ["f32", "bf16", "fp16", "int8", "int8_bf16"])
def test_the_limit_of_this_machine(monkeypatch, precision):
    monkeypatch.setattr(gemm, "SHAPES", gemm.SHAPES[:1])
    monkeypatch.setattr(gemm, "SECONDS", 0)
    found = gemm.limit(precision, "cpu", threads=2)
    assert math.isfinite(found) and found > 0


def test_the_limit_of_a_device_that_no_library_here_knows():
    found = run("gemm", "--device", "cann", "--precision", "f32")
    assert found.returncode == 0 and json.loads(found.stdout) is None
