"""The accuracy of kinds of video, counted by hand."""

import numpy as np
import pandas as pd

from tsf.evaluation.groups import by_group, groups


def test_a_bound_belongs_to_the_group_above_and_the_unknown_are_apart():
    values = np.array([1.0, 2.0, 3.9, 4.0, np.nan])
    right = np.array([True, False, True, True, False])
    found = by_group(values, [2, 4], right)
    assert [(g["low"], g["high"], g["videos"], g["percent"]) for g in found] == [
        (None, 2, 1, 100),
        (2, 4, 2, 50),
        (4, None, 1, 100),
        (None, None, 1, 0),
    ]
    assert [g["known"] for g in found] == [True, True, True, False]


def test_an_empty_group_is_left_out():
    found = by_group(np.array([9.0]), [2, 4], np.array([True]))
    assert [(g["low"], g["high"]) for g in found] == [(4, None)]


def test_length_and_resolution_are_made_of_the_heads():
    heads = pd.DataFrame(
        {
            "width": [1280.0, 320, 480, np.nan],
            "height": [720.0, 240, 640, np.nan],  # the last but one stands upright
            "fps": [25.0, 30, 15, np.nan],
            "frames": [250.0, 90, 60, 300],
        }
    )
    found = groups(heads, np.array([True, True, False, True]))
    seconds = [(g["low"], g["high"], g["videos"]) for g in found["seconds"]]  # 10, 3, 4, unknown
    assert seconds == [(2, 4, 1), (4, 6, 1), (9.5, None, 1), (None, None, 1)]
    sides = [(g["low"], g["high"], g["percent"]) for g in found["short_side"]]  # 720, 240, 480
    assert sides == [(240, 320, 100), (480, 720, 0), (720, None, 100), (None, None, 100)]
    rates = [(g["low"], g["videos"]) for g in found["fps"]]
    assert rates == [(None, 1), (20, 1), (27, 1), (None, 1)]
