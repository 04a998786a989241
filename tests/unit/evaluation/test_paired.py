"""The paired comparison, against values worked out by hand and scipy's."""

import numpy as np
import pytest
from scipy.stats import binom, multinomial

from tsf.evaluation.paired import compare_engines, difference95, mcnemar_exact


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
    assert compare_engines(first, second, labels) == {
        "videos": 8,
        "same_class": 4,  # 0, 1, 5, 6
        "other_class": 4,
        "labelled": 6,
        "both_right": 2,
        "first_only_right": 1,
        "second_only_right": 2,
        "mcnemar_p": 1.0,  # 2 * (1 + 3) / 8
        "difference": pytest.approx(100 / 6),
        "difference95": difference95(1, 2, 6),
        "moved": [
            {"class": 2, "first_only_right": 1, "second_only_right": 0},
            {"class": 3, "first_only_right": 0, "second_only_right": 1},
            {"class": 4, "first_only_right": 0, "second_only_right": 1},
        ],
    }


@pytest.mark.parametrize(
    ("first_only", "second_only", "videos", "low", "high"),
    [
        # (6 -+ 1.96 sqrt(9 - 6 * 6 / 23)) / 23, by hand
        (1, 7, 21, 2.85, 49.32),
        (7, 1, 21, -49.32, -2.85),
        # -+ 1.96 / 12: no flips, and yet no certainty
        (0, 0, 10, -16.33, 16.33),
        # (1 -+ 1.96 sqrt(2 - 1 / 3)) / 3, cut
        (0, 1, 1, -51.01, 100.0),
    ],
)
def test_the_interval_of_the_difference(first_only, second_only, videos, low, high):
    found = difference95(first_only, second_only, videos)
    assert found == pytest.approx((low, high), abs=0.005)


@pytest.mark.parametrize(
    "only", [(0.05, 0.05), (0.05, 0.15), (0.1, 0.3), (0.02, 0.2), (0.25, 0.25)]
)
def test_the_interval_covers_the_true_difference(only):
    """Every outcome of 40 videos, weighted by how likely it is; 95 % is what is promised."""
    videos, true = 40, 100 * (only[1] - only[0])
    covered = 0.0
    for first_only in range(videos + 1):
        for second_only in range(videos + 1 - first_only):
            low, high = difference95(first_only, second_only, videos)
            if low <= true <= high:
                outcome = [first_only, second_only, videos - first_only - second_only]
                covered += multinomial.pmf(outcome, videos, [*only, 1 - sum(only)])
    assert 0.935 <= covered <= 0.99


def test_the_class_that_changed_most_comes_first():
    labels = np.array([5, 5, 5, 5, 3, 3, 8, 8, 1])
    first = np.array([5, 5, 0, 0, 3, 0, 8, 0, 1])
    second = np.array([0, 0, 5, 0, 0, 3, 0, 0, 1])
    rows = compare_engines(first, second, labels)["moved"]
    # class 5 lost one net, 8 lost one, 3 none; the lower class first in a tie, 1 did not move
    assert [list(row.values()) for row in rows] == [[5, 2, 1], [8, 1, 0], [3, 1, 1]]


def test_without_labels_there_is_no_difference():
    found = compare_engines(np.array([1, 2]), np.array([1, 3]), np.array([-1, -1]))
    assert found["difference"] is None and found["difference95"] is None
    assert found["other_class"] == 1 and found["moved"] == []


def test_a_class_of_minus_one_is_never_right():
    unknown = np.array([-1, -1])
    assert compare_engines(unknown, unknown, unknown)["both_right"] == 0
