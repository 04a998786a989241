"""A distance over its threshold ends the run, and the first such boundary is named."""

import json
from dataclasses import replace

import pytest
import runs
from measured import boundaries

from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError
from tsf.evaluation.judge_parity import refuse_apart, threshold
from tsf.files import write_json

ONNXRUNTIME, OPENVINO, TORCH = (DEFAULTS[name] for name in ("onnxruntime", "openvino", "torch"))

RELATIVE_L2 = {"fp16": 0.01, "bf16": 0.05, "int8": 0.2, "int8_bf16": 0.3}


@pytest.mark.parametrize(
    "setup, expected",
    [
        (OPENVINO, ("max_abs", 1e-4)),
        (replace(OPENVINO, precision="int8_bf16"), ("relative_l2", 0.3)),
        (replace(TORCH, precision="fp16", device="cuda"), ("relative_l2", 0.01)),
    ],
)
def test_what_is_allowed_depends_on_the_precision(setup, expected):
    thresholds = {"max_abs": 1e-4, "relative_l2": RELATIVE_L2}
    assert threshold(setup.precision, thresholds) == expected
    assert threshold("bytes", thresholds) == ("max_abs", 0)


def test_what_agrees_passes():
    refuse_apart(boundaries())
    # bfloat16 may be further off in a logit, as a whole it may not
    refuse_apart(boundaries(n3={"max_abs": 0.1, "relative_l2": 0.02}))


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
        refuse_apart(boundaries(**changes))
    assert str(fault.value).startswith(f"{name} differs from the ref") and "\n" not in str(fault)


def judge(folder, *measured):
    """The command line, on the measurements of two boundaries."""
    paths = []
    for number, content in enumerate(measured):
        paths.append(folder / f"{number}.json")
        write_json(paths[-1], content)
    thresholds = json.dumps({"max_abs": 1e-4, "relative_l2": RELATIVE_L2})
    arguments = ["--measured", *paths, "--thresholds", thresholds, "--output", folder / "p.json"]
    return runs.module("evaluation.judge_parity", *arguments)


MEASURED = {"clips": ["a"], "name": "tsf.onnx", "precision": "f32", "max_abs": 1e-6}


def test_the_judgement_says_what_was_allowed(tmp_path):
    assert judge(tmp_path, MEASURED).returncode == 0
    found = json.loads((tmp_path / "p.json").read_text())
    assert found["clips"] == ["a"]
    assert [(b["name"], b["measure"], b["allowed"]) for b in found["boundaries"]] == [
        ("tsf.onnx", "max_abs", 1e-4)
    ]


def test_boundaries_of_different_clips_are_not_set_side_by_side(tmp_path):
    found = judge(tmp_path, MEASURED, MEASURED | {"clips": ["b"]})
    assert found.returncode == 1 and "on different clips" in found.stderr
    found = judge(tmp_path, MEASURED, {k: v for k, v in MEASURED.items() if k != "clips"})
    assert found.stderr.startswith(f"error: {tmp_path / '1.json'}: there is no 'clips' in it")
    assert not (tmp_path / "p.json").exists()
