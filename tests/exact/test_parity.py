"""Parity finds what is apart, and names the first; the engines run in the precision asked for."""

import os
import subprocess
import sys

import numpy as np
import pytest
from workflow import ROOT

from tsf import engines, export_torch, model, parity
from tsf.errors import UserError
from tsf.preprocess import NORMALISED


def test_the_bytes_of_a_clip_come_back_to_the_bit():
    values = np.arange(256, dtype=np.uint8).reshape(2, 128)
    found = parity.pixels(NORMALISED[values])
    assert found.dtype == np.uint8 and np.array_equal(found, values)


@pytest.mark.parametrize("wrong", [np.nextafter(NORMALISED[7], 1), np.float32(1.5), np.nan])
def test_what_is_no_normalised_byte_is_refused(wrong):
    clips = NORMALISED.copy()
    clips[7] = wrong
    with pytest.raises(UserError, match="no normalised bytes"):
        parity.pixels(clips)


def test_measures_are_those_of_their_definitions():
    reference = np.array([[3, 4], [0, 2]], np.float32)
    found = np.array([[4, 3], [0, 2.5]], np.float32)
    measures = parity.compare(reference, found)
    assert measures["max_abs"] == 1
    assert measures["relative_l2"] == pytest.approx((2.25 / 29) ** 0.5)
    assert measures["cosine"] == pytest.approx(24 / 25)
    assert measures["top1_agreement"] == 0.5
    assert measures["logits"] == 4


def comparisons(**changes):
    same = {"max_abs": 1e-6, "relative_l2": 1e-7, "cosine": 1.0, "top1_agreement": 1.0}
    names = ["tsf.onnx", "tsf_sim.onnx", "tsf_opt.onnx", "tsf_opt.onnx (openvino_bf16)"]
    return {name: same | changes.get(str(n), {}) for n, name in enumerate(names)}


def test_what_agrees_passes():
    parity.refuse_apart(comparisons())
    # bfloat16 may be further off in a logit, as a whole it may not
    parity.refuse_apart(comparisons(**{"3": {"max_abs": 0.1, "relative_l2": 0.02}}))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"1": {"max_abs": 2e-4}, "2": {"max_abs": 1.0}}, "tsf_sim.onnx"),
        ({"2": {"max_abs": float("nan")}}, "tsf_opt.onnx"),
        ({"3": {"relative_l2": 0.06}}, "tsf_opt.onnx (openvino_bf16)"),
    ],
)
def test_the_first_apart_is_named(changes, name):
    with pytest.raises(UserError) as fault:
        parity.refuse_apart(comparisons(**changes))
    assert str(fault.value).startswith(f"{name} differs from PyTorch") and "\n" not in str(fault)


def test_the_table_has_a_row_a_comparison():
    content = {"clips": ["a", "b"], "max_abs_allowed": 1e-4, "models": comparisons()}
    rows = [line for line in parity.markdown(content).splitlines() if line.startswith("| tsf")]
    assert rows[2] == "| tsf_opt.onnx | 1e-06 | 1e-07 | 1.000000000 | 100 % |"
    assert len(rows) == 4


# ---- the engines ----


def test_an_engine_without_its_package_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "tsf.engines.openvino", raising=False)
    with pytest.raises(UserError, match="pip install openvino==") as fault:
        engines.load("openvino", tmp_path / "x.onnx", 1)
    assert "\n" not in str(fault.value)


def test_the_default_engine_imports_no_other():
    program = "import sys; from tsf import infer, parity; print('openvino' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert found.stdout == "False\n"


@pytest.fixture
def openvino():
    return pytest.importorskip("openvino", reason="the package of the engine is not installed")


def test_openvino_gives_onnxruntimes_logits_in_float32(openvino, tsf_opt_onnx, clips):
    expected = engines.load("onnxruntime", tsf_opt_onnx, 2)
    found = engines.load("openvino", tsf_opt_onnx, 2)
    assert found.compiled.get_property("INFERENCE_PRECISION_HINT") == openvino.Type.f32
    assert found.batch == expected.batch == 1
    assert found.device.endswith(", f32")
    for clip in clips.numpy():
        logits = found.run(clip[None])
        assert logits.dtype == np.float32
        assert np.abs(logits - expected.run(clip[None])).max() <= 1e-4


def test_openvino_says_bfloat16_where_it_is_asked_for_it(openvino, tsf_opt_onnx, clips):
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(UserError, match="needs a CPU with bfloat16"):
            engines.load("openvino_bf16", tsf_opt_onnx, 2)
        return
    found = engines.load("openvino_bf16", tsf_opt_onnx, 2)
    assert found.device.endswith(", bf16")
    expected = engines.load("onnxruntime", tsf_opt_onnx, 2).run(clips[:1].numpy())
    difference = np.linalg.norm(found.run(clips[:1].numpy()) - expected)
    assert 1e-5 < difference / np.linalg.norm(expected) <= parity.RELATIVE_L2_BF16


def test_openvino_names_a_model_that_it_cannot_load(openvino, tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(UserError) as fault:
        engines.load("openvino", tmp_path / "x.onnx", 1)
    assert str(fault.value).startswith(f"{tmp_path / 'x.onnx'}: OpenVINO cannot load it")
    assert "\n" not in str(fault.value)


def test_torch_gives_mmaction2s_logits(recogniser, folder, clips):
    export_torch.export(recogniser, 1, folder / "tsf.pt2")
    engine = engines.load("torch", folder / "tsf.pt2", 2)
    assert engine.batch == 1 and "PyTorch" in engine.device
    found = engine.run(clips[:1].numpy())
    assert found.dtype == np.float32
    assert np.abs(found - model.logits(recogniser, clips[:1]).numpy()).max() <= 1e-5


def test_torch_names_a_model_that_it_cannot_load(tmp_path):
    (tmp_path / "x.pt2").write_bytes(b"no model")
    with pytest.raises(UserError) as fault:
        engines.load("torch", tmp_path / "x.pt2", 1)
    assert str(fault.value).startswith(f"{tmp_path / 'x.pt2'}: PyTorch cannot load it")
    assert "\n" not in str(fault.value)
