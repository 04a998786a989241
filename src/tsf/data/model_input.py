"""The model's input for one video: the normalisation of pixels."""

from functools import lru_cache

import numpy as np

from tsf.errors import UserError
from tsf.recipe.record import ClipRecipe

LEVELS = np.arange(256, dtype=np.float32)  # of a pixel


def exact_dtype(recipe: ClipRecipe) -> str:
    """The smaller type that holds all of the model's input: uint8, unless pixels do not tell it.

    Facebook's code resizes what is normalised already, so its values are not those of 256 levels.
    """
    return "uint8" if recipe.has_uint8 else "float32"


@lru_cache
def level_values(recipe: ClipRecipe) -> np.ndarray:
    """What each of the 256 levels of each channel becomes: (3, 256) float32.

    All codes subtract and divide in float32, with mean and std in float32:

    - mmaction2-0.x (mmcv's imnormalize_), mmaction2-1.x (ActionDataPreprocessor): (level - mean)
      / std. 0.x multiplies by a float64 reciprocal, which rounds to the same quotient; a float32
      reciprocal would change half of the values in their last bit.
    - facebook (tensor_normalize), huggingface (rescale and normalize of transformers 4): the same
      of level, mean and std divided by 255 each.
    """
    scale = 1 if recipe.preprocessing.startswith("mmaction2") else 255
    mean = (np.array(recipe.mean) / scale).astype(np.float32)[:, np.newaxis]  # (3, 1)
    std = (np.array(recipe.std) / scale).astype(np.float32)[:, np.newaxis]
    values: np.ndarray = (LEVELS / np.float32(scale) - mean) / std
    return values


def normalise(pixels: np.ndarray, recipe: ClipRecipe) -> np.ndarray:
    """uint8 (..., 3, frames, y, x) -> float32 of that shape, to the bit what float32 files hold.

    Raises UserError where pixels do not tell the model's input.
    """
    if not recipe.has_uint8:
        raise UserError(f"preprocessing {recipe.preprocessing} has no uint8 input; use float32")
    values = np.empty(pixels.shape, np.float32)
    for channel, of_level in enumerate(level_values(recipe)):
        values[..., channel, :, :, :] = of_level[pixels[..., channel, :, :, :]]
    return values
