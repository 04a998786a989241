"""int8_checked: what costs accuracy on the labelled clips stays in float32."""

from dataclasses import replace

import numpy as np
import openvino
import pytest

from tsf.data.bins import write_bin
from tsf.data.tables import write_lines
from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS
from tsf.model import quantise, quantise_checked
from tsf.recipe.fusion import video_scores
from tsf.recipe.record import Recipe, to_json


def fake_quantised(model):
    """How many operators have quantised inputs."""
    return sum(op.get_type_name() == "FakeQuantize" for op in model.get_ops())


@pytest.fixture
def whole(recipe):
    return Recipe(recipe, "mean_softmax", 8)


def test_the_command_quantises_a_model_that_keeps_its_accuracy(
    tsf_opt_onnx, pixels, clips, whole, tmp_path, monkeypatch
):
    logits = load_engine(DEFAULTS["onnxruntime"], tsf_opt_onnx, 2)
    (tmp_path / "clips").mkdir()
    rows = []
    for number, clip in enumerate(pixels):
        write_bin(clip, tmp_path / f"clips/{number}.bin")
        scores = video_scores(logits.run(clips[number : number + 1].numpy()), "mean_softmax")
        rows.append(f"{number}\t{scores.argmax()}\n")
    write_lines(tmp_path / "labels.tsv", [row.rstrip("\n") for row in rows])
    arguments = ["--model", tsf_opt_onnx, "--clips", tmp_path / "clips", "--recipe", to_json(whole)]
    arguments += ["--labels", tmp_path / "labels.tsv", "--output", tmp_path / "x_int8_checked.xml"]
    monkeypatch.setattr("sys.argv", ["quantise_checked", *map(str, arguments)])
    quantise_checked.main()
    setup = replace(DEFAULTS["openvino"], model="tsf_opt", precision="int8_checked")
    assert setup.file == "tsf_opt_int8_checked.xml"
    engine = load_engine(setup, tmp_path / "x_int8_checked.xml", 2)
    assert engine.compiled.get_property("INFERENCE_PRECISION_HINT") == openvino.Type.f32
    for row, clip in zip(rows, clips.numpy(), strict=True):
        found = video_scores(engine.run(clip[np.newaxis]), "mean_softmax").argmax()
        assert found == int(row.split("\t")[1])


@pytest.mark.slow  # NNCF measures the model once for each operator that it may put back
def test_labels_that_int8_gets_wrong_bring_operators_back(
    tsf_opt_onnx, pixels, whole, tmp_path, monkeypatch
):
    """A measure that only float32 passes leaves fewer quantised operators than int8 has."""
    paths = []
    for number, clip in enumerate(pixels):
        paths.append(tmp_path / f"{number}.bin")
        write_bin(clip, paths[-1])
    model = openvino.Core().read_model(tsf_opt_onnx)
    plain = fake_quantised(quantise.quantise(model.clone(), paths, whole.clip))
    exact = load_engine(DEFAULTS["onnxruntime"], tsf_opt_onnx, 2)
    read = quantise.clip_reader(model, whole.clip)
    expected = {path: exact.run(read(path)) for path in paths}

    def score(logits, fusion):
        """One class, right where the logits are nearer to float32's than int8 ever comes."""
        near = min(np.abs(logits - values).max() for values in expected.values())
        return np.array([1.0, 0.0]) if near < 2e-3 else np.array([0.0, 1.0])

    monkeypatch.setattr(quantise_checked, "video_scores", score)
    checked = quantise_checked.quantise_checked(model, [(path, 0) for path in paths], whole)
    assert fake_quantised(checked) < plain
