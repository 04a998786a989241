"""The first listed videos that decode: real clips to compare and to measure on."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from tsf.data.decode import SkippedVideo
from tsf.data.listed_clip import clip_of
from tsf.data.listing import Dataset, ListedVideo, in_shard, list_videos
from tsf.errors import UserError
from tsf.recipe.record import ClipRecipe
from tsf.workers import one_by_one


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
    videos = in_shard(list_videos(dataset), 0, 1)
    work = partial(_clip_or_none, root=dataset.root, recipe=recipe, dtype=dtype)
    clips = one_by_one(work, videos, lambda *_: None, dataset.time_limit)
    for video, clip in zip(videos, clips, strict=True):
        if clip is not None:
            yield video, clip


def _clip_or_none(
    video: ListedVideo, root: Path, recipe: ClipRecipe, dtype: str
) -> np.ndarray | None:
    try:
        return clip_of(video, root, recipe, dtype)[1]
    except SkippedVideo:
        return None
