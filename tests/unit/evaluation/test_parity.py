"""How far an engine is from the reference, by the definitions of the measures."""

import numpy as np
import pytest

from tsf.evaluation.parity import engine_logits, logit_distances


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
