"""The values that the model's input makes of pixels."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from recipes import GUIDE

from tsf.data.model_input import exact_dtype, level_values, normalise
from tsf.errors import UserError
from tsf.recipe.record import PREPROCESSINGS

LEVELS = np.arange(256)
IMAGENET = {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}
FACEBOOK = {"mean": (114.75, 114.75, 114.75), "std": (57.375, 57.375, 57.375)}
# three channels that are not alike, with quotients that round
ODD = {"mean": (0.1, 130.7, 255.0), "std": (3.0, 71.3, 0.7)}


def recipe(preprocessing, **normalisation):
    return replace(GUIDE, preprocessing=preprocessing, **normalisation)


def mmcv(mean, std):
    """mmcv.imnormalize_ of a picture that has every level, with the arrays of Normalize."""
    image = np.repeat(LEVELS, 3).reshape(16, 16, 3).astype(np.float32)
    mean, std = np.array(mean, np.float32), np.array(std, np.float32)
    cv2.subtract(image, np.float64(mean.reshape(1, -1)), image)
    cv2.multiply(image, 1 / np.float64(std.reshape(1, -1)), image)
    return image.reshape(256, 3).T


def preprocessor(mean, std):
    """ActionDataPreprocessor: (uint8 - buffer) / buffer, both buffers float32."""
    images = torch.arange(256, dtype=torch.uint8).repeat(3, 1)  # (3, 256)
    mean, std = (torch.tensor(v, dtype=torch.float32).view(-1, 1) for v in (mean, std))
    return ((images - mean) / std).numpy()


def tensor_normalize(mean, std):
    """Facebook's: with the last axis the channels, and mean and std of values from 0 to 1."""
    images = torch.arange(256, dtype=torch.uint8).repeat(3, 1).T  # (256, 3)
    images = images.float() / 255.0
    images = images - torch.tensor([m / 255 for m in mean])
    return (images / torch.tensor([s / 255 for s in std])).T.numpy()


def image_processor(mean, std):
    """rescale and normalize of transformers' image_transforms."""
    image = np.repeat(LEVELS, 3).reshape(256, 3).astype(np.uint8)
    image = (image.astype(np.float64) * (1 / 255)).astype(np.float32)
    mean, std = (np.array([v / 255 for v in values], image.dtype) for values in (mean, std))
    return ((image - mean) / std).T


REFERENCES = dict(
    zip(PREPROCESSINGS, (mmcv, preprocessor, tensor_normalize, image_processor), strict=True)
)


@pytest.mark.parametrize("name", PREPROCESSINGS)
@pytest.mark.parametrize("values", [IMAGENET, FACEBOOK, ODD], ids=["imagenet", "facebook", "odd"])
def test_levels_are_those_of_the_recipes_own_code(name, values):
    found = level_values(recipe(name, **values))
    assert found.dtype == np.float32 and found.shape == (3, 256)
    assert np.array_equal(found, REFERENCES[name](**values))


def test_dividing_by_255_first_rounds_differently():
    """Or no test could tell the two formulas apart."""
    of_255, of_1 = (
        level_values(recipe(name, **IMAGENET)) for name in ("mmaction2-1.x", "facebook")
    )
    assert 0 < np.abs(of_255 - of_1).max() < 1e-6


@pytest.mark.parametrize("name", ["mmaction2-0.x", "mmaction2-1.x"])
def test_the_guides_values_are_the_rounded_quotients(name):
    for values in level_values(recipe(name)):
        for level, found in enumerate(values):
            exact = (Fraction(level) - Fraction(255, 2)) / Fraction(255, 2)
            assert found == np.float32(float(exact)), level
        # the wrong ways differ, so that this test can tell them apart
        reciprocal = (LEVELS - 127.5).astype(np.float32) * (np.float32(1) / np.float32(127.5))
        assert (reciprocal != values).any()


def test_each_channel_has_values_of_its_own():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 3, 4, 6, 7), dtype=np.uint8)
    odd = recipe("mmaction2-1.x", **ODD)
    found = normalise(pixels, odd)
    mean, std = (np.array(v, np.float32).reshape(3, 1, 1, 1) for v in (odd.mean, odd.std))
    assert found.dtype == np.float32 and np.array_equal(found, (pixels - mean) / std)


def test_facebooks_input_is_not_told_by_pixels():
    facebook = recipe("facebook", **FACEBOOK)
    assert exact_dtype(facebook) == "float32" and exact_dtype(GUIDE) == "uint8"
    with pytest.raises(UserError, match="no uint8 input; use float32"):
        normalise(np.zeros(facebook.shape, np.uint8), facebook)
