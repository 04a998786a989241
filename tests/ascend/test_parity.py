"""The .om file's logits against the reference, through the stand-in of ais_bench."""

import json

import machine
import numpy as np
import pytest

from tsf.ascend import atc
from tsf.evaluation.judge_parity import threshold
from tsf.evaluation.reference_file import Reference, write_reference


@pytest.fixture
def compare(tmp_path, npu, compiled, clips):
    """Runs the step on the tiny model, the reference's logits being `change` of the right ones."""
    folder, logits = clips
    names = list(logits)[:5]  # of batch 4, one full run and one of a single clip

    def compare_them(batch, change=lambda logits: logits, **demands):
        values = [np.fromfile(folder / f"{name}.bin", "<f4") for name in names]
        right = np.concatenate([logits[name] for name in names]).astype(np.float32)
        reference = Reference(
            names=names,
            clips=np.stack([clip.reshape(3, 3, 8, 224, 224) for clip in values]),
            uint8_clips=None,
            logits=change(right),
        )
        write_reference(tmp_path / "reference.npz", reference)
        arguments = ["--model", compiled / f"bs{batch}.om", "--devices", 0]
        arguments += ["--status", compiled / f"bs{batch}.json"]
        arguments += ["--reference", "reference.npz", *machine.RECIPE]
        arguments += ["--output", "parity/ascend.json"]
        return machine.run("ascend.parity", *arguments, folder=tmp_path, env=npu(**demands))

    return compare_them, tmp_path / "parity", names


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("release", ["", "2022-11"])
def test_the_distances_of_what_agrees(compare, batch, release):
    compare_them, folder, names = compare
    result = compare_them(batch, AIS_BENCH=release)
    assert result.returncode == 0, result.stdout
    found = json.loads((folder / "ascend.json").read_text())
    assert found["clips"] == names and found["values"] == 5 * 3 * 8
    # the six decimals of the text, and float32's sum of three products of up to 12
    assert found["max_abs"] <= 5e-7 + 4e-6 and found["relative_l2"] < 1e-6
    assert found["cosine"] == pytest.approx(1) and found["top1_agreement"] == 1
    assert found["precision"] == "force_fp16"
    name = "(stand-in for Ascend310P3: ONNX Runtime on the CPU)"
    assert found["name"] == f"bs{batch}.om {name}"
    assert [path.name for path in folder.iterdir()] == ["ascend.json"]


def test_the_distances_of_what_differs(compare):
    compare_them, folder, _ = compare
    assert compare_them(4, lambda logits: 2 * logits).returncode == 0
    found = json.loads((folder / "ascend.json").read_text())
    assert found["relative_l2"] == pytest.approx(0.5, abs=1e-6)  # |x - 2x| / |2x|
    assert found["cosine"] == pytest.approx(1, abs=1e-9)


def test_a_result_that_is_not_finite_leaves_no_distance(compare):
    compare_them, folder, _ = compare
    assert "not finite" in machine.error(compare_them(1, AIS_BENCH="nan"))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("precision", atc.PRECISIONS)
def test_each_precision_has_a_threshold_of_its_own(precision):
    assert threshold(precision, {"max_abs": 0, "relative_l2": {precision: 0.5}}) == (
        "relative_l2",
        0.5,
    )
