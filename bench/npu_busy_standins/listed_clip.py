"""A stand-in of the decoder, in the place of tsf.data.listed_clip: it sleeps, and gives zeros.

BENCH_DECODE_SECONDS: what a video takes; with 0 it decodes, for the proof before the inference.
BENCH_FRAMES: how many frames every video has.
"""

import os
import time
from pathlib import Path

import numpy as np

from tsf.data.listing import ListedVideo
from tsf.data.make_clip import clip_from_video
from tsf.recipe.record import ClipRecipe


def clip_of(
    video: ListedVideo, root: Path, recipe: ClipRecipe, dtype: str = "float32"
) -> tuple[int, np.ndarray]:
    seconds = float(os.environ["BENCH_DECODE_SECONDS"])
    if not seconds:
        return clip_from_video(root / video.path, recipe, dtype)
    time.sleep(seconds)
    return int(os.environ["BENCH_FRAMES"]), np.zeros(recipe.shape, dtype)
