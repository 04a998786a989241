"""The model's input for one video: its shape, and the normalisation of pixels."""

import numpy as np

CLIP_LEN = 8  # frames
CROPS = 3
SIDE = 224  # pixels
CLIP_SHAPE = (CROPS, 3, CLIP_LEN, SIDE, SIDE)  # (crops, RGB, frames, y, x)

# Normalize(mean=127.5, std=127.5) in mmcv's arithmetic: a float32 division. A float32
# reciprocal, or u / 127.5 - 1, is off by one ulp on half of the values.
NORMALISED = ((np.arange(256) - 127.5).astype(np.float32) / np.float32(127.5)).astype(np.float32)


def normalise(pixels: np.ndarray) -> np.ndarray:
    """uint8 of any shape -> float32 of the same shape, bit for bit as in a float32 .bin file."""
    normalised: np.ndarray = NORMALISED[pixels]
    return normalised
