"""Inputs and outputs of an engine are checked, file by file."""

import numpy as np
import pytest
from tsf.data.pixels import NORMALISED

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


@pytest.fixture(params=["float32", "uint8"])
def values(request):
    return request.param


@pytest.fixture
def bins(tmp_path, values):
    """Three .bin files, the later ones with a view of their own."""
    paths = []
    for number in range(3):
        clip = np.full((3, 3, 8, 224, 224), number, values)
        clip[2] += number
        paths.append(tmp_path / f"video{number}_000000_000010.bin")
        clip.tofile(paths[-1])
    return paths


def read(folder, number):
    return results.read_logits(folder / f"video{number}_000000_000010_0.txt", 3)


def test_a_line_a_view(bins, values, tmp_path):
    times = []
    found = list(infer.infer(Engine(dtype=values), bins, values, tmp_path, times))
    assert found == bins
    assert len(times) == 3 and min(times) >= 0
    assert read(tmp_path, 1).tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize("batch", [2, 3, 4])
def test_in_a_batch_every_video_gets_its_own_views(bins, values, batch, tmp_path):
    times = []
    engine = Engine(batch=batch, dtype=values)
    assert list(infer.infer(engine, bins, values, tmp_path, times)) == bins
    assert len(times) == (2 if batch == 2 else 1)
    for number in range(3):
        once, twice = [number] * 3, [2 * number] * 3
        assert read(tmp_path, number).tolist() == [once, once, twice]
    assert len(list(tmp_path.glob("*.txt"))) == 3  # none of what fills the last batch up


@pytest.mark.parametrize("values", ["uint8"], indirect=True)
def test_an_engine_that_takes_float32_gets_the_normalised_pixels(bins):
    clips = infer.read_batch(Engine(), bins[2:], "uint8")
    assert clips.dtype == np.float32
    assert (clips[0, :2] == NORMALISED[2]).all() and (clips[0, 2] == NORMALISED[4]).all()


@pytest.mark.parametrize("share", [0, 0.5, 1 / 3, 2])
def test_a_file_of_another_size_is_named(tmp_path, values, share):
    """A third of the size would pass for a batch in ais_bench."""
    path = tmp_path / "x.bin"
    right = {"float32": 14_450_688, "uint8": 3_612_672}[values]
    size = int(share * right)
    with open(path, "wb") as file:
        file.truncate(size)
    with pytest.raises(UserError, match=rf"x\.bin: {size} bytes, expected {right}"):
        infer.read_bin(path, values)


def test_the_values_are_not_taken_for_each_other(bins, values):
    other = {"float32": "uint8", "uint8": "float32"}[values]
    with pytest.raises(UserError, match="bytes, expected"):
        infer.read_bin(bins[0], other)


@pytest.mark.parametrize(
    "answer",
    [
        np.array([[1, 2], [3, np.nan], [5, 6]]),
        np.array([[1, 2], [3, np.inf], [5, 6]]),
        np.ones((1, 400)),
    ],
)
def test_an_answer_that_is_none_is_an_error(bins, values, tmp_path, answer):
    engine = Engine(answer, dtype=values)
    with pytest.raises(UserError, match=r"video0_000000_000010\.bin: the model gave"):
        list(infer.infer(engine, bins, values, tmp_path, []))
    assert not list(tmp_path.glob("*.txt"))
