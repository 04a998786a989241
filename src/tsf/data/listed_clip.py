"""The model's input for a listed video, be it a file or a folder of raw frames."""

from pathlib import Path

import numpy as np

from tsf.data.decode import decoder_faults, refuse_long_name
from tsf.data.listed_file import file_of
from tsf.data.listing import ListedVideo
from tsf.data.make_clip import clip_from_frames, clip_from_video, refuse_impossible
from tsf.data.rawframe_folder import read_pictures
from tsf.errors import UserError
from tsf.recipe.record import ClipRecipe


def clip_of(
    video: ListedVideo, root: Path, recipe: ClipRecipe, dtype: str = "float32"
) -> tuple[int, np.ndarray]:
    """The frame count and the model's input, (views, 3, frames, y, x) of `dtype`.

    Raw frames are read as they are: they keep their size. Raises SkippedVideo, UserError.
    """
    refuse_long_name(video.name)
    if video.rawframes is None:
        return clip_from_video(file_of(video, root), recipe, dtype)
    refuse_impossible(recipe, dtype)
    if recipe.source != "rawframes":
        raise UserError("the list is of raw frames, but the recipe's source is the video")
    with decoder_faults():
        numbers, pictures = read_pictures(root / video.path, video.rawframes, recipe.sampling)
        return video.rawframes.total, clip_from_frames(pictures, numbers, recipe, dtype)
