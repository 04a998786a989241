"""Reliability and its error, against values worked out by hand and a second implementation."""

import numpy as np
import pytest

from tsf.evaluation.calibration import BINS, reliability


def test_four_videos_by_hand():
    # bins of 1/15: .90 and .92 are in the 14th, (13/15, 14/15], .50 in the 8th, .05 in the 1st
    found = reliability(np.array([0.90, 0.92, 0.50, 0.05]), np.array([True, False, True, False]))
    assert [(b["videos"], b["accuracy"]) for b in found["bins"]] == [(1, 0), (1, 100), (2, 50)]
    assert [b["confidence"] for b in found["bins"]] == pytest.approx([5, 50, 91])
    # 1/4 |0 - .05| + 1/4 |1 - .50| + 2/4 |.5 - .91| = .0125 + .125 + .205
    assert found["expected_error"] == pytest.approx(34.25)


def test_a_bin_holds_its_upper_bound():
    found = reliability(np.array([1.0, 0.2, 0.2 + 1e-9]), np.array([True, True, True]))
    assert [round(b["high"] * BINS) for b in found["bins"]] == [3, 4, 15]
    assert found["expected_error"] == pytest.approx(100 / 3 * (0.8 + 0.8), abs=1e-6)


def test_the_error_is_that_of_a_loop_over_the_videos():
    random = np.random.default_rng(0)
    confidence, right = random.random(5000), random.random(5000) < 0.7
    sums = {}
    for probability, hit in zip(confidence, right, strict=True):
        bin_of = sums.setdefault(int(np.ceil(probability * BINS)), [0.0, 0])
        bin_of[0] += probability
        bin_of[1] += hit
    expected = sum(abs(hits - total) for total, hits in sums.values()) / 5000
    assert reliability(confidence, right)["expected_error"] == pytest.approx(100 * expected)


def test_perfect_confidence_has_no_error():
    assert reliability(np.ones(7), np.ones(7, bool))["expected_error"] == 0
