"""The bundle of a tsf.om, through the stand-in of ais_bench's Python interface."""

import os
import shutil
import sys

import bundles
import machine
import numpy as np
import pytest
from recipes import GUIDE

from tsf.data.make_clip import clip_from_video
from tsf.engines.setup import DEFAULTS
from tsf.recipe.fusion import video_scores


@pytest.fixture
def bundle(compiled, tmp_path):
    shutil.copyfile(compiled / "bs1.om", tmp_path / "tsf.om")
    return bundles.build(tmp_path, DEFAULTS["ascend"], tmp_path / "tsf.om")


def run(bundle, npu, *arguments, **demands):
    return bundles.predict(bundle, *arguments, env=os.environ | npu(**demands))


def json_lines(result):
    """The result without the lines of its own that the runtime prints."""
    result.stdout = "".join(x for x in result.stdout.splitlines(True) if x.startswith("{"))
    return result


@pytest.fixture
def bundle_of_bytes(tmp_path):
    """The bundle of a model that takes uint8."""
    machine.tiny_model(tmp_path / "tsf_npu_u8.onnx", 1, "uint8")
    machine.compiled_model(tmp_path / "tsf_npu_u8.onnx", tmp_path / "tsf.om")
    return bundles.build(tmp_path, DEFAULTS["ascend"], tmp_path / "tsf.om", dtype="uint8")


@pytest.mark.parametrize("fixture, dtype", [("bundle", "float32"), ("bundle_of_bytes", "uint8")])
def test_an_npu_gives_the_models_logits(fixture, dtype, npu, real_clips, request):
    bundle = request.getfixturevalue(fixture)
    assert f"`imgs`, {dtype}, " in (bundle / "README.md").read_text()
    result = run(bundle, npu, "--json", *real_clips.values())
    assert (result.returncode, result.stderr) == (0, "")
    found = bundles.rows(json_lines(result))
    assert len(found) == len(real_clips)
    for video in real_clips.values():
        _, clip = clip_from_video(video, GUIDE, dtype)
        scores = video_scores(machine.expected_logits(clip), "mean_softmax")
        best = np.argsort(scores, kind="stable")[::-1][:5]
        expected = [(bundles.CLASSES[i], pytest.approx(scores[i], abs=2e-6)) for i in best]
        assert found[str(video)] == expected


def test_what_it_needs_is_told(bundle):
    text = (bundle / "requirements.txt").read_text()
    assert text.startswith("numpy==1.26.4\nopencv-python-headless==4.10.0.84\n# ais_bench and ")
    card = (bundle / "README.md").read_text()
    assert "precision force_fp16, fast Gelu" in card and "ais_bench takes only" in card


@pytest.mark.parametrize(
    "demands, reason",
    [
        ({"DEVICES": "3"}, "device 0 does not exist"),
        ({}, "is illegal"),
    ],
)
def test_a_fault_of_the_device_or_the_file_is_one_line(bundle, npu, real_clips, demands, reason):
    if not demands:
        (bundle / "tsf.om").chmod(0o664)
    result = run(bundle, npu, real_clips["bikes"], **demands)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and reason in line


def test_without_ais_bench_it_says_so(bundle, real_clips):
    result = bundles.predict(bundle, real_clips["bikes"], python=sys.executable)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "error: No module named 'ais_bench'\n"
