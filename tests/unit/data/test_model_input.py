"""The values that the model's input makes of pixels."""

from fractions import Fraction

import numpy as np

from tsf.data.model_input import NORMALISED


def test_normalised_values_are_the_rounded_quotients():
    assert NORMALISED.dtype == np.float32
    for value, found in enumerate(NORMALISED):
        exact = (Fraction(value) - Fraction(255, 2)) / Fraction(255, 2)
        assert found == np.float32(float(exact)), value
    # the wrong ways differ, so that this test can tell them apart
    reciprocal = (np.arange(256) - 127.5).astype(np.float32) * (np.float32(1) / np.float32(127.5))
    assert (reciprocal != NORMALISED).any()
