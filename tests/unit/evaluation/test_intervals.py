"""The uncertainty of a proportion, against a published table."""

import pytest

from tsf.evaluation.intervals import wilson_interval


def test_wilson_interval():
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for hits, total, low, high in [
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0, 16.11),
        (1, 29, 0.61, 17.18),
        (20, 20, 83.89, 100),
    ]:
        assert wilson_interval(hits, total) == pytest.approx((low, high), abs=0.005)
