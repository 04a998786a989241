"""The first listed videos that decode: real clips to compare and to measure on."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from tsf.data.decode import SkippedVideo
from tsf.data.listed_clip import clip_of
from tsf.data.listing import Dataset, ListedVideo, in_shard, list_videos
from tsf.errors import UserError
from tsf.recipe.record import ClipRecipe


def first_clips(
    dataset: Dataset, number: int, recipe: ClipRecipe, dtype: str
) -> list[tuple[ListedVideo, np.ndarray]]:
    """At most `number` videos in the list's order, each with its input, (views, 3, frames, y, x).

    A video that does not decode is passed over. Fewer come back from a dataset that has fewer.
    dtype: float32 or uint8. Raises UserError if not one video decodes.
    """
    found = list(islice(_decodable(dataset, recipe, dtype), number))
    if not found:
        raise UserError(
            f"{dataset.root}: none of the listed videos can be decoded; check dataset.root"
        )
    return found


def _decodable(
    dataset: Dataset, recipe: ClipRecipe, dtype: str
) -> Iterator[tuple[ListedVideo, np.ndarray]]:
    # of one shard, as `in_shard` drops a video's second row
    for video in in_shard(list_videos(dataset), 0, 1):
        try:
            yield video, clip_of(video, dataset.root, recipe, dtype)[1]
        except SkippedVideo:
            continue
