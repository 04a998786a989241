"""A WebP picture for each of a few videos: the frames that the model saw, side by side."""

import argparse
from functools import partial
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np

from tsf import errors
from tsf.data.decode import SkippedVideo, clip_frames
from tsf.data.listed_file import file_of
from tsf.data.listing import ListedVideo, add_dataset_arguments, by_name, dataset_of, list_videos
from tsf.data.make_clip import KEEP
from tsf.data.rawframe_folder import read_pictures
from tsf.errors import UserError
from tsf.files import read_json, whole_folder
from tsf.recipe.record import ClipRecipe, add_recipe_argument
from tsf.workers import each

FRAMES = 8  # of a video; of a longer clip, or of several, at equal steps
HEIGHT = 96  # pixels
WIDEST = 2 * HEIGHT  # of a frame
MOST_BYTES = 20_000  # of a strip, if the lowest quality reaches it
QUALITIES = (60, 45, 30, 15)  # of WebP, from 1 to 100


def frames_seen(video: ListedVideo, root: Path, recipe: ClipRecipe) -> list[np.ndarray]:
    """The pictures of all clips in their order, (height, width, 3) uint8 BGR, before the crops.

    Raises SkippedVideo.
    """
    if video.rawframes is not None:
        numbers, pictures = read_pictures(root / video.path, video.rawframes, recipe.sampling)
        return [pictures[number] for number in numbers]
    keep = KEEP[recipe.source]
    _, numbers, frames = clip_frames(file_of(video, root), recipe.sampling, keep)
    return [_decoded(frames[number]) for number in numbers]


def _decoded(frame: bytes | np.ndarray) -> np.ndarray:
    """(height, width, 3) uint8 BGR."""
    if isinstance(frame, bytes):
        return cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
    return frame


def strip(pictures: list[np.ndarray]) -> bytes:
    """At most FRAMES of the pictures side by side, as WebP.

    pictures: (height, width, 3) uint8 BGR each.
    """
    places = np.linspace(0, len(pictures) - 1, min(FRAMES, len(pictures))).round().astype(int)
    side_by_side = np.hstack([_small(pictures[place]) for place in places])
    for quality in QUALITIES:
        webp = cv2.imencode(".webp", side_by_side, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
        if len(webp) <= MOST_BYTES:
            break
    return webp


def _small(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    size = (min(round(width * HEIGHT / height), WIDEST), HEIGHT)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def write_strip(video: ListedVideo, root: Path, recipe: ClipRecipe, folder: Path) -> None:
    """Raises UserError for a video that no longer decodes."""
    try:
        webp = strip(frames_seen(video, root, recipe))
    except SkippedVideo as reason:
        raise UserError(
            f"{root / video.path}: {reason}, but it was scored; it went or changed; run again"
        ) from None
    (folder / f"{video.name}.webp").write_bytes(webp)


def given_up(video: ListedVideo, reason: str) -> NoReturn:
    raise UserError(f"{video.path}: {reason}, but it was scored; it changed; run again")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    add_recipe_argument(parser, ClipRecipe)
    parser.add_argument("--gallery", type=Path, required=True, help="json: the videos")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    args = parser.parse_args()

    wanted = {video["video"] for video in read_json(args.gallery)["videos"]}
    listed = by_name(list_videos(dataset_of(args)))
    videos = [listed[name] for name in sorted(wanted)]
    with whole_folder(args.output) as folder:
        work = partial(write_strip, root=args.root, recipe=args.recipe, folder=folder)
        limit = args.video_time_limit
        each(work, videos, args.processes, "frames of the gallery", given_up, limit)


if __name__ == "__main__":
    errors.run(main)
