"""The first listed videos that decode: real clips to compare and to measure on."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from tsf.data.decode import SkippedVideo
from tsf.data.listing import ListedVideo, in_shard, list_videos
from tsf.data.make_clip import clip_from_video
from tsf.errors import UserError
from tsf.recipe.record import ClipRecipe


def first_clips(
    layout: str, root: Path, number: int, recipe: ClipRecipe, dtype: str
) -> list[tuple[ListedVideo, np.ndarray]]:
    """At most `number` videos in the list's order, each with its input, (views, 3, frames, y, x).

    A video that does not decode is passed over. Fewer come back from a dataset that has fewer.
    dtype: float32 or uint8. Raises UserError if not one video decodes.
    """
    found = list(islice(_decodable(layout, root, recipe, dtype), number))
    if not found:
        raise UserError(f"{root}: none of the listed videos can be decoded; check dataset.root")
    return found


def _decodable(
    layout: str, root: Path, recipe: ClipRecipe, dtype: str
) -> Iterator[tuple[ListedVideo, np.ndarray]]:
    # of one shard, as `in_shard` drops a video's second row
    for video in in_shard(list_videos(layout, root), 0, 1):
        try:
            yield video, clip_from_video(root / video.path, recipe, dtype)[1]
        except SkippedVideo:
            continue
