"""An engine's outputs are checked, and every video gets its own."""

import numpy as np
import pytest

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


def read(folder, number):
    return results.read_logits(folder / f"video{number}_000000_000010_0.txt", 3)


def test_a_line_a_view(three_bins, dtype, tmp_path):
    times = []
    found = list(infer.infer(Engine(dtype=dtype), three_bins, dtype, tmp_path, times))
    assert found == three_bins
    assert len(times) == 3 and min(times) >= 0
    assert read(tmp_path, 1).tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize("batch", [2, 3, 4])
def test_in_a_batch_every_video_gets_its_own_views(three_bins, dtype, batch, tmp_path):
    times = []
    engine = Engine(batch=batch, dtype=dtype)
    assert list(infer.infer(engine, three_bins, dtype, tmp_path, times)) == three_bins
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
        list(infer.infer(engine, three_bins, dtype, tmp_path, []))
    assert not list(tmp_path.glob("*.txt"))
