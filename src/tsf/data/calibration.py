"""Make the clips that int8 is calibrated on, from videos that are not scored."""

import argparse
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from tsf import errors
from tsf.data import decode
from tsf.data.archives import find_archives
from tsf.data.bins import bin_path, delete_bin, write_bin
from tsf.data.byte_range import VideoFile, sha256_of, size_of
from tsf.data.listing import (
    SUFFIXES,
    Dataset,
    add_dataset_arguments,
    archived,
    dataset_of,
    list_videos,
    stored,
    video_files,
)
from tsf.data.make_clip import clip_from_video
from tsf.data.model_input import exact_dtype
from tsf.data.tables import write_lines
from tsf.errors import UserError
from tsf.files import delete_parts, whole_folder
from tsf.progress import with_progress
from tsf.recipe.record import ClipRecipe, add_recipe_argument
from tsf.workers import one_by_one


def shuffled(folder: Path, scored: Dataset) -> list[tuple[str, VideoFile]]:
    """The videos below `folder`, each with its path there, in an order that depends on that alone.

    Neighbours in a folder are often of one class, or of one recording. Where none is unpacked and
    the scored videos are in archives, they are those in the folder's archives; then the path begins
    with the archive's. Raises UserError if there is none, or if there are both kinds.
    """
    if scored.layout == "tar" and not any(video_files(folder)):
        found = in_archives_of(folder, scored)
    elif scored.layout == "tar" and any(folder.glob("*.tar")):
        raise UserError(
            f"{folder}: archives and unpacked videos there; move one kind away, to calibrate on "
            "the other"
        )
    else:
        listed = list_videos(Dataset("folder", folder))
        found = [(video.path, folder / video.path) for video in listed]
    return sorted(found, key=lambda video: hashlib.sha256(video[0].encode()).digest())


def in_archives_of(folder: Path, scored: Dataset) -> list[tuple[str, VideoFile]]:
    """The videos in the archives in `folder`, of those that the scored videos' index names, if any.

    Raises UserError if there is none.
    """
    root = folder
    if scored.index is not None:
        root, inside = scored.root, folder.resolve()
        members = [
            member
            for member in archived(scored)
            if (root / member.archive).resolve().is_relative_to(inside)
        ]
    else:
        members = archived(replace(scored, root=folder)) if find_archives(folder) else []
    videos: list[tuple[str, VideoFile]] = [
        (member.place, stored(member, root))
        for member in members
        if not member.fault and os.path.splitext(member.name)[1].lower() in SUFFIXES
    ]
    if not videos:
        raise UserError(
            f"{folder}: no video there, unpacked or in an archive; see calibration.root in the "
            "config"
        )
    return videos


class ListedFiles:
    """Tells whether a file is one of the listed videos, by its content."""

    def __init__(self, videos: list[VideoFile]):
        self.by_size: dict[int, list[VideoFile]] = {}
        for video in videos:
            if not isinstance(video, Path) or video.is_file():
                self.by_size.setdefault(size_of(video), []).append(video)

    def has(self, video: VideoFile) -> bool:
        same_size = self.by_size.get(size_of(video), [])
        return bool(same_size) and sha256_of(video) in map(sha256_of, same_size)


def write_clips(
    candidates: Sequence[VideoFile],
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

    def given_up(numbered: tuple[int, VideoFile], reason: str) -> None:
        delete_bin(folder, f"{numbered[0]:06d}")  # it may be there

    for path in one_by_one(work, others, given_up, time_limit):
        if path is not None:
            yield path


def write_clip(numbered: tuple[int, VideoFile], recipe: ClipRecipe, folder: Path) -> Path | None:
    """The .bin file of a video; None if it does not decode. numbered: its number and file."""
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
    dataset = dataset_of(args)
    scored = list_videos(dataset)
    if scored[0].rawframes:
        print(
            f"{args.list} lists raw frames, so it cannot be told whether a video in "
            f"{args.take_from} is scored: make sure that none is"
        )
    listed = ListedFiles([video.file(args.root) for video in scored if not video.fault])
    with whole_folder(args.output) as folder:
        paths, candidates = zip(*shuffled(args.take_from, dataset), strict=True)
        clips = write_clips(candidates, listed, args.recipe, folder, args.video_time_limit)
        first = islice(clips, args.videos)
        written = list(with_progress(first, args.videos, "calibration clips"))
        delete_parts(folder)
        if len(written) < args.videos:
            raise UserError(
                f"{args.take_from}: {len(written)} videos that can be decoded and are not scored, "
                f"but calibration.videos is {args.videos}; lower it, or set calibration.root"
            )
        write_lines(args.table, (f"{clip.stem}\t{paths[int(clip.stem)]}" for clip in written))


if __name__ == "__main__":
    errors.run(main)
