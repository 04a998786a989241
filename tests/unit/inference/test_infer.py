"""An engine's outputs are checked, and every video gets its own."""

from dataclasses import replace
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
from recipes import GUIDE

from tsf.data.bins import MADE, write_bin
from tsf.engines.described import DescribedEngine
from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError
from tsf.inference import infer, results


class Engine:
    """Gives the mean of every view and colour, or what it is told to."""

    def __init__(self, answer=None, batch=1, dtype="float32"):
        self.answer, self.batch, self.dtype = answer, batch, dtype

    def run(self, clips):
        assert clips.shape == (self.batch, 3, 3, 8, 224, 224) and clips.dtype == self.dtype
        means = clips.mean(axis=(3, 4, 5), dtype=np.float64)  # (batch, 3, 3)
        return means.reshape(-1, 3) if self.answer is None else self.answer


def described(dtype, recipe=GUIDE):
    return DescribedEngine(DEFAULTS["onnxruntime"], Path("x.onnx"), {}, recipe, dtype)


def read(folder, number):
    return results.read_logits(folder / f"video{number}_000000_000010_0.txt", 3)


def test_a_line_a_view(three_bins, dtype, tmp_path):
    times = []
    found = list(infer.infer(Engine(dtype=dtype), three_bins, described(dtype), tmp_path, times))
    assert found == three_bins
    assert len(times) == 3 and min(times) >= 0
    assert read(tmp_path, 1).tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize("batch", [2, 3, 4])
def test_in_a_batch_every_video_gets_its_own_views(three_bins, dtype, batch, tmp_path):
    times = []
    engine = Engine(batch=batch, dtype=dtype)
    assert list(infer.infer(engine, three_bins, described(dtype), tmp_path, times)) == three_bins
    assert len(times) == (2 if batch == 2 else 1)
    for number in range(3):
        once, twice = [number] * 3, [2 * number] * 3
        assert read(tmp_path, number).tolist() == [once, once, twice]
    assert len(list(tmp_path.glob("*.txt"))) == 3  # none of what fills the last batch up


@pytest.mark.parametrize(
    "answer",
    [
        np.array([[1, 2], [3, np.nan], [5, 6]]),
        np.array([[1, 2], [3, np.inf], [5, 6]]),
        np.ones((1, 400)),
    ],
)
def test_an_answer_that_is_none_is_an_error(three_bins, dtype, tmp_path, answer):
    engine = Engine(answer, dtype=dtype)
    with pytest.raises(UserError, match=r"video0_000000_000010\.bin: the model gave"):
        list(infer.infer(engine, three_bins, described(dtype), tmp_path, []))
    assert not list(tmp_path.glob("*.txt"))


class OneView:
    """Takes one view of four frames, 32 pixels a side, and gives each channel's mean."""

    batch, dtype = 2, "float32"

    def run(self, clips):
        assert clips.shape == (2, 1, 3, 4, 32, 32) and clips.dtype == self.dtype
        return clips.mean(axis=(3, 4, 5), dtype=np.float64).reshape(-1, 3)


def test_the_shape_and_the_values_are_the_recipes(tmp_path):
    sampling = replace(GUIDE.sampling, clip_len=4)
    recipe = replace(GUIDE, sampling=sampling, crops="centre", side=32)
    recipe = replace(recipe, mean=(100.0, 50.0, 0.0), std=(10.0, 20.0, 40.0))
    bins = [tmp_path / f"{name}.bin" for name in ("a", "b", "c")]
    for number, path in enumerate(bins):
        write_bin(np.full((1, 3, 4, 32, 32), 100 + number, np.uint8), path)
    assert list(infer.infer(OneView(), bins, described("uint8", recipe), tmp_path, [])) == bins
    for number, name in enumerate("abc"):
        expected = [[number / 10, (50 + number) / 20, (100 + number) / 40]]
        found = results.read_logits(tmp_path / f"{name}_0.txt", 1)
        assert found.tolist() == pytest.approx(np.array(expected), abs=1e-6)


def test_clips_of_another_recipe_are_refused(three_bins, dtype, tmp_path):
    sixteen = replace(GUIDE, sampling=replace(GUIDE.sampling, clip_len=16))
    size = 14_450_688 if dtype == "float32" else 3_612_672  # of the guide's
    with pytest.raises(UserError, match=f"{size} bytes, expected {2 * size}"):
        list(infer.infer(Engine(dtype=dtype), three_bins, described(dtype, sixteen), tmp_path, []))
    assert not list(tmp_path.glob("*.txt"))


@pytest.mark.parametrize("said", [b"", b"made", b"other\n"])
def test_files_that_are_not_all_there_are_not_inferred(said, tmp_path, monkeypatch):
    """Standard input ends without a line if the process that decodes was killed."""
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(said)))
    with pytest.raises(UserError, match="ended before all were there"):
        infer.wait_for_bins(tmp_path)


def test_files_that_are_all_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(MADE)))
    infer.wait_for_bins(tmp_path)
