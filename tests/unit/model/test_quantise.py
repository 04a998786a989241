"""int8: quantised on the clips that are given, and still the same function, nearly."""

import sys
from dataclasses import replace
from importlib import import_module

import numpy as np
import openvino
import pytest

from tsf.data.bins import write_bin
from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS, parse_engines
from tsf.errors import UserError
from tsf.evaluation.parity import logit_distances
from tsf.model import quantise
from tsf.recipe.record import to_json


@pytest.fixture(scope="module")
def int8(tsf_opt_onnx, pixels, recipe, tmp_path_factory):
    """The path of the quantised model, made by the command line."""
    folder = tmp_path_factory.mktemp("int8")
    (folder / "clips").mkdir()
    for number, clip in enumerate(pixels):
        write_bin(clip, folder / f"clips/{number}.bin")
    arguments = ["--model", tsf_opt_onnx, "--clips", folder / "clips"]
    arguments += ["--output", folder / "x_int8.xml", "--recipe", to_json(recipe)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["quantise", *map(str, arguments)])
        quantise.main()
    assert {path.name for path in folder.iterdir()} == {"clips", "x_int8.xml", "x_int8.bin"}
    return folder / "x_int8.xml"


def test_clips_of_another_size_or_none_are_refused(tmp_path, recipe):
    with pytest.raises(UserError, match=r"no \.bin files"):
        quantise.clip_files(tmp_path, recipe)
    write_bin(np.zeros(recipe.shape, np.float32), tmp_path / "x.bin")
    with pytest.raises(UserError, match="14450688 bytes, expected 3612672"):
        quantise.clip_files(tmp_path, recipe)


def test_a_clip_is_read_as_the_model_takes_it(tsf_opt_onnx, pixels, clips, recipe, tmp_path):
    write_bin(pixels[0], tmp_path / "x.bin")
    model = openvino.Core().read_model(tsf_opt_onnx)
    found = quantise.clip_reader(model, recipe)(tmp_path / "x.bin")
    assert found.shape == (1, *recipe.shape) and (found == clips[:1].numpy()).all()


def test_the_weights_of_the_linears_are_int8(int8, tsf_opt_onnx):
    model = openvino.Core().read_model(int8)
    constants = [op for op in model.get_ops() if op.get_type_name() == "Constant"]
    bits8 = sum(op.data.size for op in constants if op.get_element_type() == openvino.Type.i8)
    total = sum(op.data.size for op in constants)
    assert bits8 > 0.9 * total
    assert int8.with_suffix(".bin").stat().st_size < tsf_opt_onnx.stat().st_size / 3


def test_the_logits_are_near_float32s_and_not_the_same(int8, tsf_opt_onnx, clips):
    setup = replace(DEFAULTS["openvino"], precision="int8")
    engine = load_engine(setup, int8, 2)
    assert engine.device.endswith(", int8") and engine.dtype == "float32"
    assert engine.compiled.get_property("INFERENCE_PRECISION_HINT") == openvino.Type.f32
    expected = load_engine(DEFAULTS["onnxruntime"], tsf_opt_onnx, 2).run(clips[:1].numpy())
    measures = logit_distances(expected, engine.run(clips[:1].numpy()))
    assert 1e-3 < measures["relative_l2"] < 0.1 and measures["top1_agreement"] == 1


def test_one_file_serves_every_batch(int8, clips):
    setup = replace(DEFAULTS["openvino"], model="tsf_opt", precision="int8")
    one, three = (load_engine(replace(setup, batch=batch), int8, 2) for batch in (1, 3))
    assert (one.batch, three.batch) == (1, 3)
    single = np.concatenate([one.run(clip[None]) for clip in clips.numpy()])
    found = three.run(clips.numpy())
    assert found.shape == (9, 8) and np.abs(found - single).max() <= 1e-5


def test_a_batch_of_the_model_with_constant_shapes_is_refused():
    entry = {"engine": "openvino", "precision": "int8", "batch": 2}
    with pytest.raises(UserError, match="int8 of tsf_sim runs at batch 1 only"):
        parse_engines([entry], "float32")


def test_without_its_packages_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "tsf.model.quantise")
    with pytest.raises(UserError, match="install the pins of envs") as fault:
        import_module("tsf.model.quantise")
    assert "\n" not in str(fault.value)
