"""The paired comparison, against values worked out by hand and scipy's."""

import numpy as np
import pytest
from scipy.stats import binom

from tsf.paired import compare, mcnemar_exact


@pytest.mark.parametrize(
    ("first_only", "second_only", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # 2 * 1/2
        (0, 5, 2 / 32),
        (5, 1, 2 * (1 + 6) / 64),
        (1, 5, 2 * (1 + 6) / 64),
        (4, 4, 1.0),  # 2 * 163/256 is more than one
        (2, 8, 2 * (1 + 10 + 45) / 1024),
        # scipy.stats.binomtest(86, 236)
        (86, 150, 3.7159361395713866e-05),
    ],
)
def test_mcnemar(first_only, second_only, p):
    assert mcnemar_exact(first_only, second_only) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(("first_only", "second_only"), [(1100, 1000), (3000, 2500), (9000, 9100)])
def test_mcnemar_with_more_flips_than_a_float_can_hold(first_only, second_only):
    expected = 2 * binom.cdf(min(first_only, second_only), first_only + second_only, 0.5)
    assert mcnemar_exact(first_only, second_only) == pytest.approx(expected, rel=1e-9)


def test_compare():
    labels = np.array([0, 1, 2, 3, 4, 5, -1, -1])
    first = np.array([0, 1, 2, 0, 9, 8, 7, 7])  # right on 0, 1, 2
    second = np.array([0, 1, 0, 3, 4, 8, 7, 6])  # right on 0, 1, 3, 4
    assert compare(first, second, labels) == {
        "videos": 8,
        "same_class": 4,  # 0, 1, 5, 6
        "labelled": 6,
        "both_right": 2,
        "first_only_right": 1,
        "second_only_right": 2,
        "mcnemar_p": 1.0,  # 2 * (1 + 3) / 8
    }


def test_a_class_of_minus_one_is_never_right():
    unknown = np.array([-1, -1])
    assert compare(unknown, unknown, unknown)["both_right"] == 0
