"""The figures of a measurement against hand-worked ones, and one of the sample's model."""

import json

import datasets
import numpy as np
import pytest
import runs
from recipes import GUIDE

from tsf.data.bins import write_bin
from tsf.engines.described import describe, write_described
from tsf.engines.setup import DEFAULTS
from tsf.evaluation import performance
from tsf.files import sha256


def test_gflops_and_share():
    # the guide's 132.8 ms, for 3 views of 195.83 G multiply-adds
    reached = performance.gflops(587_490_000_000, 132.8)
    assert reached == pytest.approx(8847.7, abs=0.05)
    assert performance.share(reached, 70_000) == pytest.approx(0.1264, abs=5e-5)


def test_what_is_not_known_is_not_made_up():
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
        write_bin(np.full((3, 3, 8, 224, 224), number + 1, "<f4"), path)
    clips, seconds = performance.read_bins(Engine(), bins, GUIDE, "float32")
    assert clips.shape == (2, 3, 3, 8, 224, 224) and clips[:, 0, 0, 0, 0, 0].tolist() == [1, 2]
    assert seconds > 0
    clips, _ = performance.read_bins(Engine(), bins[2:], GUIDE, "float32")
    assert clips[:, 0, 0, 0, 0, 0].tolist() == [3, 0]


@pytest.fixture
def measure(tmp_path, sample_run):
    """Runs the step on the sample's model, or another."""

    def measure(model, root, output):
        described = describe(DEFAULTS["onnxruntime"], model, GUIDE, "float32")
        write_described(tmp_path / "engine.json", described)
        onnx = sample_run.results / "tsf_sim.onnx"
        return runs.module(
            *("evaluation.performance", "--engine", tmp_path / "engine.json", "--onnx", onnx),
            *("--threads", 2, "--runs", 3, "--warm-up", 1, "--root", root, "--output", output),
        )

    return measure


def test_operations_per_byte_by_hand():
    # 300 multiply-adds over 100 bytes of weights and 20 of input and logits
    assert performance.operations_per_byte(300, 100, "f32", 20) == 5
    assert performance.operations_per_byte(300, 100, "int8", 20) == 5
    # the same file multiplied in two bytes a weight: 50 and 20
    assert performance.operations_per_byte(350, 100, "bf16", 20) == 10


def test_a_bad_model_is_one_line(measure, sample_run, tmp_path):
    model = tmp_path / "bad.onnx"
    model.write_bytes(b"no model")
    found = measure(model, sample_run.results / "sample_data", tmp_path / "folder/p.json")
    assert found.returncode == 1 and found.stderr.startswith(f"error: {model}: ONNX Runtime")
    assert found.stderr.count("\n") == 1 and not (tmp_path / "folder").exists()


def test_without_a_video_that_decodes_there_is_nothing_to_measure_on(measure, sample_run, tmp_path):
    root = datasets.kinetics(tmp_path / "k400", [(0, "yoga")], ["yoga"])
    found = measure(sample_run.results / "tsf_sim.onnx", root, tmp_path / "p.json")
    assert found.returncode == 1 and "none of the listed videos can be decoded" in found.stderr
    assert not (tmp_path / "p.json").exists()


def test_measuring(measure, sample_run, tmp_path):
    results = sample_run.results
    # on a path through a folder that is not there yet, as the first measurement finds it
    output = tmp_path / "performance/onnxruntime.json"
    found = measure(results / "tsf_sim.onnx", results / "sample_data", output)
    assert found.returncode == 0, found.stderr
    content = json.loads(output.read_text())
    assert (content["engine"], content["model"]) == ("onnxruntime", "tsf_sim.onnx")
    assert (content["precision"], content["batch"], content["videos"]) == ("f32", 1, 4)
    times = content["milliseconds"]
    assert 0 < times["min"] <= times["p50"] <= times["p90"] <= times["p99"] <= times["max"]
    assert content["videos_per_second"] == pytest.approx(1000 / times["mean"])
    assert content["gflops"] == pytest.approx(2e-6 * content["macs"] / times["p50"])
    assert content["gemm_share"] == pytest.approx(content["gflops"] / content["gemm_gflops"])
    model = results / "tsf_sim.onnx"
    assert content["sha256"] == {model.name: sha256(model)}
    # float32: three views of 8 x 224 x 224 in RGB, and their logits of 8 classes
    moved = model.stat().st_size + 4 * (3 * 3 * 8 * 224 * 224 + 3 * 8)
    assert content["operations_per_byte"] == pytest.approx(2 * content["macs"] / moved)
    assert content["memory_gb_per_second"] > 0.1
    assert content["memory_mb"] > 50 and content["load_seconds"] > 0
    whole = content["end_to_end"]
    assert whole["seconds"].keys() == {*STAGES, "write result"}
    assert min(whole["seconds"].values()) > 0
    assert sum(whole["seconds"].values()) == pytest.approx(whole["total_seconds"])
    assert list(output.parent.iterdir()) == [output]
