"""Inputs and outputs of an engine are checked, file by file."""

import numpy as np
import pytest

from tsf import infer, results
from tsf.errors import UserError


class Engine:
    """Gives the mean of every view and colour, or what it is told to."""

    def __init__(self, answer=None):
        self.answer = answer

    def run(self, clips):
        assert clips.shape == (1, 3, 3, 8, 224, 224) and clips.dtype == np.float32
        return clips[0].mean(axis=(2, 3, 4)) if self.answer is None else self.answer


@pytest.fixture
def bins(tmp_path):
    """Two .bin files, the second with a view of its own."""
    paths = []
    for number in range(2):
        clip = np.full((3, 3, 8, 224, 224), number, "<f4")
        clip[2] += number
        paths.append(tmp_path / f"video{number}_000000_000010.bin")
        clip.tofile(paths[-1])
    return paths


def test_a_line_a_view(bins, tmp_path):
    times = []
    assert list(infer.infer(Engine(), bins, tmp_path, times)) == bins
    assert len(times) == 2 and min(times) >= 0
    found = results.read_logits(tmp_path / "video1_000000_000010_0.txt", 3)
    assert found.tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize("size", [0, 14_450_684, 14_450_688 // 3, 2 * 14_450_688])
def test_a_file_of_another_size_is_named(tmp_path, size):
    """A third of the size would pass for a batch in ais_bench."""
    path = tmp_path / "x.bin"
    with open(path, "wb") as file:
        file.truncate(size)
    with pytest.raises(UserError, match=rf"x\.bin: {size} bytes, expected 14450688"):
        infer.read_bin(path)


@pytest.mark.parametrize(
    "answer",
    [
        np.array([[1, 2], [3, np.nan], [5, 6]]),
        np.array([[1, 2], [3, np.inf], [5, 6]]),
        np.ones((1, 400)),
    ],
)
def test_an_answer_that_is_none_is_an_error(bins, tmp_path, answer):
    with pytest.raises(UserError, match=r"video0_000000_000010\.bin: the model gave"):
        list(infer.infer(Engine(answer), bins, tmp_path, []))
    assert not list(tmp_path.glob("*.txt"))
