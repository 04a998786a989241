"""performance.md: what was measured stands in its cell, and what was not is a dash."""

import json

import runs
from markdown_rows import rows
from measured import NPU_RUN

from tsf.evaluation import performance
from tsf.files import write_json
from tsf.report.performance import markdown

STAGES = {"video to clip": 0.05, "write .bin": 0.01, "read .bin": 0.02, "model": 0.4}

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


def test_the_rows_of_the_report(tmp_path):
    for name, content in (("a", MEASUREMENT), ("npu", NPU_RUN)):
        write_json(tmp_path / f"{name}.json", content)
    inputs = ["--runs", tmp_path / "a.json", tmp_path / "npu.json"]
    collected = tmp_path / "p.json"
    inputs += ["--output", collected]
    assert runs.module("evaluation.collect_performance", *inputs).returncode == 0
    report = ["--performance", collected, "--output", tmp_path / "p.md"]
    assert runs.module("report.performance", *report).returncode == 0
    found = rows((tmp_path / "p.md").read_text())
    setup = ["openvino", "tsf_opt.onnx", "bf16", "1"]
    times = ["400.0"] * 3
    speeds = ["2.50", "2,598", "3,000", "87%", "1,164", "4.4"]
    assert [*setup, "a \\| processor", *times, *speeds] in found
    npu = [
        "ascend",
        "tsf_bs4.om",
        "force_fp16",
        "4",
        "Ascend310P3",
        "531.0",
        "532.3",
        "532.6",
        "7.53",
    ]
    assert [*npu, *"-----"] in found
    stages = ["0.0500", "0.0100", "0.0200", "0.4000", "0.0200"]
    assert [*setup, *stages, "0.5000", "2.00", "80%", "model"] in found
    measurements = json.loads(collected.read_text())["measurements"]
    assert [m["engine"] for m in measurements] == ["openvino", "ascend"]


def test_with_an_npu_alone_there_is_no_table_of_stages():
    text = markdown([NPU_RUN])
    assert "Ascend310P3" in text and "From the video" not in text


def test_what_cannot_be_counted_is_a_dash():
    unknown = MEASUREMENT | {"gflops": None, "gemm_gflops": None, "gemm_share": None}
    header, row, *_ = rows(markdown([unknown]))
    cells = dict(zip(header, row, strict=True))
    assert [cells[name] for name in ("GFLOP/s", "GEMM limit", "share")] == ["-"] * 3
    assert cells["memory MB"] == "1,164"
