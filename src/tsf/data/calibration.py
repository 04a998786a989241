"""Make the clips that int8 is calibrated on, from videos that are not scored."""

import argparse
import hashlib
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from tsf import errors
from tsf.data import decode
from tsf.data.bins import bin_path, delete_bin, write_bin
from tsf.data.byte_range import VideoFile, sha256_of, size_of
from tsf.data.listing import Dataset, add_dataset_arguments, dataset_of, list_videos
from tsf.data.make_clip import clip_from_video
from tsf.data.model_input import exact_dtype
from tsf.data.tables import write_lines
from tsf.errors import UserError
from tsf.files import delete_parts, whole_folder
from tsf.progress import with_progress
from tsf.recipe.record import ClipRecipe, add_recipe_argument
from tsf.workers import one_by_one


def shuffled(root: Path) -> list[Path]:
    """The videos below `root`, in an order that depends on their paths alone.

    Neighbours in a folder are often of one class, or of one recording.
    """
    paths = [video.path for video in list_videos(Dataset("folder", root))]
    return [root / p for p in sorted(paths, key=lambda p: hashlib.sha256(p.encode()).digest())]


class ListedFiles:
    """Tells whether a file is one of the listed videos, by its content."""

    def __init__(self, videos: list[VideoFile]):
        self.by_size: dict[int, list[VideoFile]] = {}
        for video in videos:
            if not isinstance(video, Path) or video.is_file():
                self.by_size.setdefault(size_of(video), []).append(video)

    def has(self, path: Path) -> bool:
        same_size = self.by_size.get(size_of(path), [])
        return bool(same_size) and sha256_of(path) in map(sha256_of, same_size)


def write_clips(
    candidates: list[Path],
    listed: ListedFiles,
    recipe: ClipRecipe,
    folder: Path,
    time_limit: float | None,
) -> Iterator[Path]:
    """Write a .bin file for each video that decodes and is not listed; yield its path.

    Its name is the video's place among the candidates, its values are of `exact_dtype`.
    time_limit: seconds that decoding one may take.
    """
    others = ((n, video) for n, video in enumerate(candidates) if not listed.has(video))
    work = partial(write_clip, recipe=recipe, folder=folder)

    def given_up(numbered: tuple[int, Path], reason: str) -> None:
        delete_bin(folder, f"{numbered[0]:06d}")  # it may be there

    for path in one_by_one(work, others, given_up, time_limit):
        if path is not None:
            yield path


def write_clip(numbered: tuple[int, Path], recipe: ClipRecipe, folder: Path) -> Path | None:
    """The .bin file of a video; None if it does not decode. numbered: its number and path."""
    number, video = numbered
    try:
        _, clip = clip_from_video(video, recipe, exact_dtype(recipe))
    except decode.SkippedVideo:
        return None
    path = bin_path(folder, f"{number:06d}")
    write_bin(clip, path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    parser.add_argument("--take-from", type=Path, required=True, help="folder of other videos")
    parser.add_argument("--videos", type=int, required=True, help="how many")
    add_recipe_argument(parser, ClipRecipe)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--table", type=Path, required=True, help="tsv to write: clip, video")
    args = parser.parse_args()

    if not args.take_from.is_dir():
        raise UserError(f"{args.take_from}: no such folder; see calibration.root in the config")
    scored = list_videos(dataset_of(args))
    if scored[0].rawframes:
        print(
            f"{args.list} lists raw frames, so it cannot be told whether a video in "
            f"{args.take_from} is scored: make sure that none is"
        )
    listed = ListedFiles([v.stored or args.root / v.path for v in scored if not v.fault])
    with whole_folder(args.output) as folder:
        candidates = shuffled(args.take_from)
        limit = args.video_time_limit
        first = islice(write_clips(candidates, listed, args.recipe, folder, limit), args.videos)
        written = list(with_progress(first, args.videos, "calibration clips"))
        delete_parts(folder)
        if len(written) < args.videos:
            raise UserError(
                f"{args.take_from}: {len(written)} videos that can be decoded and are not scored, "
                f"but calibration.videos is {args.videos}; lower it, or set calibration.root"
            )
        videos = (candidates[int(clip.stem)].relative_to(args.take_from) for clip in written)
        rows = zip(written, videos, strict=True)
        write_lines(args.table, (f"{clip.stem}\t{video}" for clip, video in rows))


if __name__ == "__main__":
    errors.run(main)
