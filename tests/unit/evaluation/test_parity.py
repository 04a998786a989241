"""How far an engine is from the reference, by the definitions of the measures."""

import json
from dataclasses import replace

import numpy as np
import pytest
from recipes import GUIDE

from tsf.engines.described import describe, write_described
from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError
from tsf.evaluation import parity
from tsf.evaluation.parity import engine_logits, logit_distances
from tsf.evaluation.reference_file import Reference, read_reference, write_reference
from tsf.recipe.record import to_json


def test_measures_are_those_of_their_definitions():
    reference = np.array([[3, 4], [0, 2]], np.float32)
    found = np.array([[4, 3], [0, 2.5]], np.float32)
    measures = logit_distances(reference, found)
    assert measures["max_abs"] == 1
    assert measures["relative_l2"] == pytest.approx((2.25 / 29) ** 0.5)
    assert measures["cosine"] == pytest.approx(24 / 25)
    assert measures["top1_agreement"] == 0.5
    assert measures["values"] == 4


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
    assert engine_logits(Means(batch, "uint8"), pixels).tolist() == [[n] for n in range(9)]
    assert engine_logits(Means(batch, "float32"), clips).tolist() == [[n / 2] for n in range(9)]


FACEBOOK = replace(GUIDE, source="video", preprocessing="facebook", crops="centre")


class FirstPixels:
    """An engine that gives each channel's first pixel, of any number of views."""

    batch = 1

    def __init__(self, dtype):
        self.dtype = dtype

    def run(self, clips):
        return clips[:, :, :, 0, 0, 0].reshape(-1, 3).astype(np.float32)


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Runs the step on a reference of two clips of small pictures; what it writes."""

    def measure_it(uint8_clips, *options, engine=None, change=0.0):
        clips = np.random.default_rng(0).normal(0, 1, (2, 1, 3, 4, 6, 6)).astype(np.float32)
        if uint8_clips is not None:
            clips = ((uint8_clips.astype(np.float64) - 127.5) / 127.5).astype(np.float32)
        logits = clips[:, :, :, 0, 0, 0].reshape(2, 3)  # what FirstPixels gives
        clips[0, 0, 0, 0, 0, 0] += change
        reference = Reference(["a", "b"], clips, uint8_clips, logits)
        write_reference(tmp_path / "reference.npz", reference)
        line = ["parity", "--reference", "reference.npz", "--output", "x.json", *options]
        if engine is not None:
            (tmp_path / "x.onnx").write_bytes(b"the model that `engine` stands for")
            described = describe(DEFAULTS["onnxruntime"], tmp_path / "x.onnx", FACEBOOK, "float32")
            write_described(tmp_path / "engine.json", described)
            monkeypatch.setattr(parity, "load_engine", lambda *_: engine)
            line += ["--engine", "engine.json"]
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", line)
        parity.main()
        return json.loads((tmp_path / "x.json").read_text())

    return measure_it


PIXELS = np.random.default_rng(1).integers(0, 256, (2, 1, 3, 4, 6, 6), np.uint8)


def test_uint8_clips_are_compared_by_the_recipe(measure):
    found = measure(PIXELS, "--recipe", to_json(GUIDE))
    assert found["max_abs"] == 0 and found["values"] == PIXELS.size and found["clips"] == ["a", "b"]
    assert measure(PIXELS, "--recipe", to_json(GUIDE), change=0.5)["max_abs"] == pytest.approx(0.5)
    # by another recipe the same pixels are other values, and it is seen
    other = replace(GUIDE, mean=(127.5, 127.5, 125.0))
    assert measure(PIXELS, "--recipe", to_json(other))["max_abs"] == pytest.approx(
        2.5 / 127.5, 1e-4
    )


def test_a_recipe_without_uint8_clips_has_none_to_compare(measure, capsys):
    for options in (["--recipe", to_json(FACEBOOK)], []):
        with pytest.raises(SystemExit) as end:
            measure(None, *options)
        assert end.value.code == 2
        assert (
            "the uint8 clips need --recipe, of a preprocessing that has" in capsys.readouterr().err
        )


def test_an_engine_is_compared_without_uint8_clips(measure, tmp_path):
    found = measure(None, engine=FirstPixels("float32"))
    assert (found["max_abs"], found["top1_agreement"], found["values"]) == (0, 1, 6)
    assert read_reference(tmp_path / "reference.npz").uint8_clips is None


def test_a_model_of_uint8_cannot_be_compared_without_them(measure, tmp_path):
    with pytest.raises(UserError, match=r"x\.onnx takes uint8, but reference\.npz has no uint8"):
        measure(None, engine=FirstPixels("uint8"))
    assert not (tmp_path / "x.json").exists()
