"""Parity finds what is apart, and names the first; the engines run in the precision asked for."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import openvino
import pytest
from runs import ROOT

from tsf.engines.setup import DEFAULTS, load_engine
from tsf.errors import UserError
from tsf.evaluation import parity
from tsf.model import export_torch
from tsf.model.recogniser import reference_logits

ONNXRUNTIME, OPENVINO, TORCH = (DEFAULTS[name] for name in ("onnxruntime", "openvino", "torch"))
RELATIVE_L2 = {"fp16": 0.01, "bf16": 0.05, "int8": 0.2, "int8_bf16": 0.3}


def test_measures_are_those_of_their_definitions():
    reference = np.array([[3, 4], [0, 2]], np.float32)
    found = np.array([[4, 3], [0, 2.5]], np.float32)
    measures = parity.compare_logits(reference, found)
    assert measures["max_abs"] == 1
    assert measures["relative_l2"] == pytest.approx((2.25 / 29) ** 0.5)
    assert measures["cosine"] == pytest.approx(24 / 25)
    assert measures["top1_agreement"] == 0.5
    assert measures["values"] == 4


@pytest.mark.parametrize(
    "setup, expected",
    [
        (OPENVINO, ("max_abs", 1e-4)),
        (replace(OPENVINO, precision="int8_bf16"), ("relative_l2", 0.3)),
        (replace(TORCH, precision="fp16", device="cuda"), ("relative_l2", 0.01)),
    ],
)
def test_what_is_allowed_depends_on_the_precision(setup, expected):
    assert parity.limit(setup, {"max_abs": 1e-4, "relative_l2": RELATIVE_L2}) == expected


def boundaries(**changes):
    """What the comparison of four boundaries gives; changes: by position."""
    same = {"max_abs": 1e-6, "relative_l2": 1e-7, "cosine": 1.0, "top1_agreement": 1.0}
    limits = {
        "uint8 .bin, normalised": ("max_abs", 0),
        "tsf.onnx": ("max_abs", 1e-4),
        "tsf_sim.onnx": ("max_abs", 1e-4),
        "tsf_sim.onnx (openvino_bf16)": ("relative_l2", 0.05),
    }
    found = [
        {"name": name, **same, "measure": measure, "allowed": allowed}
        for name, (measure, allowed) in limits.items()
    ]
    found[0] |= {"max_abs": 0.0, "relative_l2": 0.0, "top1_agreement": None}
    for position, change in changes.items():
        found[int(position[1:])] |= change
    return found


def test_what_agrees_passes():
    parity.refuse_apart(boundaries())
    # bfloat16 may be further off in a logit, as a whole it may not
    parity.refuse_apart(boundaries(n3={"max_abs": 0.1, "relative_l2": 0.02}))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"n0": {"max_abs": 1e-7}}, "uint8 .bin, normalised"),
        ({"n1": {"max_abs": 2e-4}, "n2": {"max_abs": 1.0}}, "tsf.onnx"),
        ({"n2": {"max_abs": float("nan")}}, "tsf_sim.onnx"),
        ({"n3": {"relative_l2": 0.06}}, "tsf_sim.onnx (openvino_bf16)"),
    ],
)
def test_the_first_apart_is_named(changes, name):
    with pytest.raises(UserError) as fault:
        parity.refuse_apart(boundaries(**changes))
    assert str(fault.value).startswith(f"{name} differs from the ref") and "\n" not in str(fault)


def test_the_table_has_a_row_a_boundary():
    content = {"clips": ["a", "b"], "boundaries": boundaries()}
    rows = [line for line in parity.markdown(content).splitlines() if line.startswith("| ")][2:]
    assert rows == [
        "| uint8 .bin, normalised | 0 | 0 | 1.000000000 | - | max abs 0 |",
        "| tsf.onnx | 1e-06 | 1e-07 | 1.000000000 | 100% | max abs 0.0001 |",
        "| tsf_sim.onnx | 1e-06 | 1e-07 | 1.000000000 | 100% | max abs 0.0001 |",
        "| tsf_sim.onnx (openvino_bf16) | 1e-06 | 1e-07 | 1.000000000 | 100% | relative l2 0.05 |",
    ]


class Means:
    """An engine that gives the mean of every view, for some videos at a time."""

    def __init__(self, batch, dtype):
        self.batch, self.dtype = batch, dtype

    def run(self, clips):
        assert len(clips) == self.batch and clips.dtype == self.dtype
        return clips.reshape(self.batch * 3, -1).mean(1, keepdims=True, dtype=np.float64)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_every_video_is_run_whatever_the_batch(batch):
    pixels = np.arange(3 * 3, dtype=np.uint8).reshape(3, 3, 1)
    clips = pixels.astype(np.float32) / 2
    found = parity.logits(Means(batch, "uint8"), clips, pixels)
    assert found.tolist() == [[n] for n in range(9)]
    assert parity.logits(Means(batch, "float32"), clips, pixels).tolist() == [
        [n / 2] for n in range(9)
    ]


# ---- the engines ----


@pytest.mark.parametrize(
    "module, action",
    [
        ("tsf.engines.openvino", lambda path: load_engine(OPENVINO, path, 1)),
        ("tsf.model.quantise", lambda path: __import__("tsf.model.quantise")),
    ],
)
def test_what_lacks_its_package_is_one_line(monkeypatch, tmp_path, module, action):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(UserError, match="install the pins of envs") as fault:
        action(tmp_path / "x.onnx")
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


@pytest.mark.parametrize("setup", [OPENVINO, ONNXRUNTIME, TORCH], ids=lambda s: s.engine)
def test_a_model_that_an_engine_cannot_load_is_named(setup, tmp_path):
    path = tmp_path / setup.file
    path.write_bytes(b"no model")
    with pytest.raises(UserError) as fault:
        load_engine(setup, path, 1)
    assert str(fault.value).startswith(f"{path}: ") and "cannot load it" in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.fixture(scope="session")
def tsf_pt2(recogniser, folder):
    export_torch.export(recogniser, 1, folder / "tsf.pt2")
    return folder / "tsf.pt2"


def test_torch_gives_mmaction2s_logits(recogniser, tsf_pt2, clips):
    engine = load_engine(TORCH, tsf_pt2, 2)
    assert engine.batch == 1 and "PyTorch" in engine.device
    found = engine.run(clips[:1].numpy())
    assert found.dtype == np.float32
    assert np.abs(found - reference_logits(recogniser, clips[:1]).numpy()).max() <= 1e-5


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_torch_in_half_precision_is_near_and_not_the_same(recogniser, tsf_pt2, clips, precision):
    found = load_engine(replace(TORCH, precision=precision), tsf_pt2, 2).run(clips[:1].numpy())
    expected = reference_logits(recogniser, clips[:1]).numpy()
    assert found.dtype == np.float32
    assert 1e-6 < np.linalg.norm(found - expected) / np.linalg.norm(expected) < 0.02
