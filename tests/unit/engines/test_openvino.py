"""OpenVINO gives ONNX Runtime's logits, in the precision that is asked for."""

import sys
from dataclasses import replace

import numpy as np
import openvino
import pytest
from openvino import opset8

from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS, Setup
from tsf.errors import UserError

ONNXRUNTIME, OPENVINO, TORCH = (DEFAULTS[name] for name in ("onnxruntime", "openvino", "torch"))


def test_without_its_package_there_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "tsf.engines.openvino", raising=False)
    with pytest.raises(UserError, match="install the pins of envs") as fault:
        load_engine(OPENVINO, tmp_path / "x.onnx", 1)
    assert "\n" not in str(fault.value)


def test_openvino_gives_onnxruntimes_logits_in_float32(tsf_opt_onnx, clips):
    expected = load_engine(ONNXRUNTIME, tsf_opt_onnx, 2)
    found = load_engine(OPENVINO, tsf_opt_onnx, 2)
    assert found.compiled.get_property("INFERENCE_PRECISION_HINT") == openvino.Type.f32
    assert found.batch == expected.batch == 1 and found.dtype == expected.dtype == "float32"
    assert found.device.endswith(", f32")
    for clip in clips.numpy():
        logits = found.run(clip[None])
        assert logits.dtype == np.float32
        assert np.abs(logits - expected.run(clip[None])).max() <= 1e-4


def test_openvino_says_bfloat16_where_it_is_asked_for_it(tsf_opt_onnx, clips):
    bf16 = replace(OPENVINO, precision="bf16")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(UserError, match="needs a CPU with bfloat16"):
            load_engine(bf16, tsf_opt_onnx, 2)
        return
    found = load_engine(bf16, tsf_opt_onnx, 2)
    assert found.device.endswith(", bf16")
    expected = load_engine(ONNXRUNTIME, tsf_opt_onnx, 2).run(clips[:1].numpy())
    difference = np.linalg.norm(found.run(clips[:1].numpy()) - expected)
    assert 1e-5 < difference / np.linalg.norm(expected) <= 0.05


@pytest.mark.parametrize("of_a_video", [(1, 3, 16, 8, 8), (15, 3, 8, 4, 4), (3, 3, 32, 6, 6)])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_quantised_model_of_any_recipes_shape_takes_any_batch(tmp_path, of_a_video, batch):
    """Its file is for one video at a time; the engine changes the batch and nothing else."""
    imgs = opset8.parameter((1, *of_a_video), np.float32, name="imgs")
    imgs.output(0).set_names({"imgs"})
    means = opset8.reduce_mean(imgs, np.array([3, 4, 5]))  # (batch, views, 3)
    logits = opset8.reshape(means, np.array([-1, 3]), special_zero=False)
    logits.output(0).set_names({"result"})
    openvino.save_model(openvino.Model([logits], [imgs], "means"), tmp_path / "x_int8.xml", False)
    setup = Setup("openvino", "tsf_opt", "int8", batch=batch)
    engine = load_engine(setup, tmp_path / "x_int8.xml", 1)
    assert engine.batch == batch
    clips = np.random.default_rng(0).random((batch, *of_a_video), np.float32)
    expected = clips.mean(axis=(3, 4, 5)).reshape(-1, 3)
    assert np.abs(engine.run(clips) - expected).max() < 1e-5
