"""The page of a real run: whole, the same twice, and honest about measurements beside it."""

import base64
import json
import re
from dataclasses import asdict

import cv2
import numpy as np
import pytest
import runs

from tsf.engines.setup import DEFAULTS
from tsf.evaluation.results_folder import read_results
from tsf.files import sha256, write_json

JSON = ("accuracy", "details", "verdict", "gallery", "measured", "verify", "provenance")


def text_of(run) -> str:
    return (run.results / "report.html").read_text(encoding="utf-8")


def test_the_page_of_the_sample(sample_run):
    text = text_of(sample_run)
    assert "has 100.00 % top-1 on embedded sample" in text and "within that interval" in text
    assert "42 listed = 40 scored + 2 skipped" in text
    assert "missing file" in text and len(text.encode()) < 1_000_000
    # the loaded parts are all in it
    assert set(re.findall(r'(?:src|href)="(?!#|data:)([^"]*)"', text)) == {"predictions.csv"}


def test_the_gallery_shows_the_frames(sample_run):
    strips = re.findall(r'src="data:image/webp;base64,([^"]+)"', text_of(sample_run))
    assert len(strips) == 12  # all are right, of which as many are shown
    for strip in strips:
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(strip), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape[0] == 96 and picture.std() > 10


def test_rendering_again_gives_the_same_bytes(sample_run, tmp_path):
    files = {name: sample_run.results / f"{name}.json" for name in JSON}
    files |= {
        "skipped": sample_run.results / "skipped.tsv",
        "strips": sample_run.results / "strips",
    }
    options = [argument for name, path in files.items() for argument in (f"--{name}", path)]
    made = runs.module("report.page.write", *options, "--output", tmp_path / "report.html")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "report.html").read_bytes() == text_of(sample_run).encode()


def test_provenance_says_what_was_run(sample_run):
    found = json.loads((sample_run.results / "provenance.json").read_text())
    assert found["command"].startswith("snakemake all --snakefile ")
    checkpoint = sample_run.repo / "models/tsf_sample.pth"
    assert list(found["sha256"]["checkpoint"].values()) == [sha256(checkpoint)]
    model = sample_run.results / "tsf_sim.onnx"
    assert found["sha256"]["models"] == {"results/tsf_sim.onnx": sha256(model)}
    assert found["config"]["dataset"]["name"] == "embedded sample"
    stages = {row["stage"]: row for row in found["stages"]}
    assert stages["infer/onnxruntime"]["jobs"] == runs.SHARDS
    assert {"out_bin", "accuracy", "details", "strips", "merge_shards/onnxruntime"} <= set(stages)
    digests = (sample_run.results / "out_bin").rglob("*.xxh128")
    assert found["disk"]["out_bin"] == 40 * 14_450_688 + sum(p.stat().st_size for p in digests)
    assert "engines/onnxruntime.json" in found["results"]
    assert read_results(sample_run.results).engines == ["onnxruntime"]  # as compare reads them


@pytest.fixture
def measurement(sample_run):
    """performance.json of the sample's model, with what the page reads of it."""
    row = {
        "engine": "onnxruntime",
        "model": "tsf_sim.onnx",
        "setup": asdict(DEFAULTS["onnxruntime"]),
        "sha256": {"tsf_sim.onnx": sha256(sample_run.results / "tsf_sim.onnx")},
        "precision": "f32",
        "batch": 1,
        "device": "a processor",
        "milliseconds": dict.fromkeys(("p50", "p90", "p99"), 40.0),
        "videos_per_second": 25.0,
        **dict.fromkeys(("gflops", "gemm_gflops", "gemm_share", "memory_mb", "load_seconds")),
        "end_to_end": None,
    }
    return {"measurements": [row]}


@pytest.fixture
def choice(sample_run):
    """choice.json of the sample's accuracy, with what the page reads of it."""
    row = {"name": "onnxruntime", "config": ["engines: [onnxruntime]"], "within_limits": True}
    return {
        "exact": "onnxruntime",
        "fastest": "onnxruntime",
        "cpus": ["a processor"],
        "engines": [row | {"videos_per_second": 25.0, "comparison": None, "elsewhere": False}],
        "made_from": {"results/accuracy.json": sha256(sample_run.results / "accuracy.json")},
    }


def test_a_measurement_beside_the_page_is_shown_and_not_made(run_copy, measurement, choice):
    path, choice_path = (run_copy.results / f"{x}.json" for x in ("performance", "choice"))
    write_json(path, measurement)
    write_json(choice_path, choice)
    assert set(run_copy.dry_run("all")) == {"measured", "provenance", "html_report", "all"}
    assert run_copy.snakemake("all").returncode == 0
    text = text_of(run_copy)
    assert "onnxruntime · tsf_sim.onnx · f32 · batch 1" in text
    assert "is not of this run" not in text
    assert "the fastest exact engine is onnxruntime, 25.00 videos/s (<code>engines: " in text
    assert run_copy.dry_run("all") == {}

    measurement["measurements"][0]["sha256"] = {"tsf_sim.onnx": "0" * 64}
    write_json(path, measurement)
    choice["made_from"] = {"results/accuracy.json": "0" * 64}
    write_json(choice_path, choice)
    assert run_copy.snakemake("all").returncode == 0
    text = text_of(run_copy)
    assert "performance.json is not of this run: tsf_sim.onnx was another file" in text
    assert "choice.json is not of this run: results/accuracy.json has changed" in text
    assert "the fastest exact engine" not in text


def test_lost_times_redo_nothing(run_copy):
    for path in (run_copy.results / "benchmarks").rglob("*.tsv"):
        path.unlink()
    assert run_copy.dry_run("all") == {}


def test_the_page_waits_for_a_measurement_of_the_same_command(sample_run):
    found = runs.jobs(sample_run.snakemake("report.html", "performance.json", "-n"))
    assert {"measure", "performance", "measured", "html_report"} <= set(found)
