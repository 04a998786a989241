"""The videos of a dataset, whatever its layout: one row a listed video, in the list's order."""

import argparse
import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from tsf.data import archives, kinetics
from tsf.data.annotation_file import read_annotation_file
from tsf.data.archive_index import read_index
from tsf.data.byte_range import ByteRange, VideoFile
from tsf.data.tables import read_table, write_table
from tsf.errors import UserError

LAYOUTS = ("kinetics", "tar", "folder", "list")
SUFFIXES = {".avi", ".flv", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"}
COLUMNS = ("video", "path", "label")


@dataclass(frozen=True)
class RawFrames:
    """The raw frames that a video consists of, in a folder, as an annotation file lists them."""

    total: int  # how many; mmaction2, too, takes the list's word for it
    filename_tmpl: str
    start_index: int

    def file_name(self, number: int) -> str:
        """number: from 1, whatever number the first file has."""
        return self.filename_tmpl.format(number - 1 + self.start_index)


@dataclass(frozen=True)
class ListedVideo:
    """One listed video."""

    name: str  # in every result: letters, digits, - and _
    path: str  # of the file, or the folder of its raw frames; relative to the dataset's root
    label: str  # the label's key, or a class's number by an annotation file; "" if it has none
    rawframes: RawFrames | None = None  # None for a file, and when read from videos.tsv
    # of the layout tar, whose paths are those of the unpacked files
    stored: ByteRange | None = None  # the file, in an archive
    fault: str = ""  # why the archives do not have it

    def file(self, root: Path) -> VideoFile:
        """Its file, be it one of its own or in an archive; of no use where `fault` is given."""
        return self.stored or root / self.path


@dataclass(frozen=True)
class Dataset:
    """Where the listed videos are."""

    layout: str  # of LAYOUTS
    root: Path
    # of the layout list, with mmaction2's defaults
    list: Path | None = None  # mmaction2's annotation file
    filename_tmpl: str = "img_{:05}.jpg"  # of raw frames
    start_index: int = 1  # the number in the first raw frame's name
    # of the layout tar
    index: Path | None = None  # the table of what lies where in the archives; None: their headers
    cache: Path | None = field(default=None, compare=False)  # folder, for what the headers say
    # seconds that decoding one video may take; no part of where the videos are
    time_limit: float | None = field(default=None, compare=False)


def list_videos(dataset: Dataset) -> list[ListedVideo]:
    """Every listed video. Raises UserError."""
    if dataset.layout in ("kinetics", "tar"):
        rows = kinetics.read_annotations(dataset.root / "annotations/val.csv")
        videos = [ListedVideo(row.name, f"val/{row.name}.mp4", row.label) for row in rows]
        return videos if dataset.layout == "kinetics" else in_archives(dataset, videos)
    if dataset.layout == "list":
        return list_annotated(dataset)
    return list_folder(dataset.root)


def archived(dataset: Dataset) -> list[archives.Member]:
    """The files in the archives of a dataset of the layout tar. Raises UserError."""
    if dataset.index is not None:
        return read_index(dataset.index, dataset.root)
    return archives.members(dataset.root, dataset.cache)


def in_archives(dataset: Dataset, videos: list[ListedVideo]) -> list[ListedVideo]:
    """The videos, each with its place in an archive, in whatever folder there."""
    of_name: dict[str, list[archives.Member]] = {}
    for member in archived(dataset):
        of_name.setdefault(member.name, []).append(member)
    return [
        _in_archive(video, of_name.get(os.path.basename(video.path), []), dataset.root)
        for video in videos
    ]


def _in_archive(video: ListedVideo, members: list[archives.Member], root: Path) -> ListedVideo:
    """members: every one of the video's name."""
    if not members:
        return replace(video, fault="missing file")
    member, *others = members
    if others:
        places = f"{member.place} and {others[0].place}"
        return replace(video, fault=f"several files of its name: {places}")
    if member.fault:
        return replace(video, fault=member.fault)
    return replace(video, stored=stored(member, root))


def stored(member: archives.Member, root: Path) -> ByteRange:
    """A file in an archive of the dataset in `root`."""
    suffix = os.path.splitext(member.name)[1]
    return ByteRange(root / member.archive, member.offset, member.size, suffix)


def list_annotated(dataset: Dataset) -> list[ListedVideo]:
    """The rows of mmaction2's annotation file. Raises UserError."""
    if dataset.list is None:
        raise UserError("the layout list needs an annotation file; set dataset.list in the config")
    videos = []
    for row in read_annotation_file(dataset.list):
        frames = None
        if row.frames is not None:
            frames = RawFrames(row.frames, dataset.filename_tmpl, dataset.start_index)
        label = "" if row.label is None else str(row.label)
        videos.append(ListedVideo(name_from_path(row.path), row.path, label, frames))
    return videos


def list_folder(root: Path) -> list[ListedVideo]:
    """Every video file in a folder tree; its class is the folder it lies in, if not the root.

    Raises UserError if there is none.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; check dataset.root in the config")
    paths = sorted(video_files(root), key=lambda path: path.split(os.sep))
    if not paths:
        raise UserError(f"{root}: holds no video ({', '.join(sorted(SUFFIXES))})")
    videos = []
    for path in paths:
        if any(character in path for character in "\t\n\r"):
            raise UserError(f"{root / path}: a tab or line break in a file's name; rename it")
        label = kinetics.label_key(os.path.basename(os.path.dirname(path)))
        videos.append(ListedVideo(name_from_path(path), path, label))
    return videos


def video_files(root: Path) -> Iterator[str]:
    """The paths below `root` with a video's suffix; links to folders are followed, once each.

    Raises UserError for a folder that cannot be read, and for a link to nothing, which may have
    been one: their videos would be missing without a word.
    """
    seen = set()
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=_refuse_unreadable):
        identity = os.path.realpath(folder)
        if identity in seen:  # by another link, or by a link to a folder above
            subfolders.clear()
            continue
        seen.add(identity)
        subfolders.sort()
        below = os.path.relpath(folder, root)
        for name in names:
            path = os.path.join(folder, name)
            if os.path.splitext(name)[1].lower() in SUFFIXES:
                yield name if below == os.curdir else os.path.join(below, name)
            elif os.path.islink(path) and not os.path.exists(path):
                raise UserError(f"{path}: a link to nothing; repair it or delete it")


def _refuse_unreadable(error: OSError) -> NoReturn:
    raise UserError(
        f"{error.filename}: {error.strerror}: the videos in it cannot be listed; make it readable, "
        "or move it out of dataset.root"
    ) from None


def name_from_path(path: str) -> str:
    """A name for any path that is safe in file names and unique: readable part, then a hash."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", os.path.splitext(path)[0])[-60:]
    return f"{readable}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def hash_of(name: str) -> int:
    """A number from 0 to 2**32 - 1 that tells a video's shard, however many there are."""
    return zlib.crc32(name.encode())


def shard_of(name: str, shards: int) -> int:
    """The shard that a video belongs to, by its name alone.

    A hash, not a position: a video added, removed or replaced changes one shard only.
    """
    return hash_of(name) % shards


def by_name(videos: Iterable[ListedVideo]) -> dict[str, ListedVideo]:
    """The distinct videos, in the list's order: of rows with one name the first."""
    distinct: dict[str, ListedVideo] = {}
    for video in videos:
        distinct.setdefault(video.name, video)
    return distinct


def in_shard(videos: list[ListedVideo], shard: int, shards: int) -> list[ListedVideo]:
    """The distinct videos of one shard, in the list's order."""
    return list(by_name(v for v in videos if shard_of(v.name, shards) == shard).values())


def write_list(path: Path, videos: list[ListedVideo]) -> None:
    write_table(path, COLUMNS, [(v.name, v.path, v.label) for v in videos])


def read_list(path: Path) -> list[ListedVideo]:
    """Raises UserError for a list that has changed since it was written."""
    return [ListedVideo(name, place, label) for name, place, label in read_table(path, COLUMNS)]


def add_dataset_arguments(parser: argparse.ArgumentParser, root_required: bool = True) -> None:
    """The arguments of `dataset_of`."""
    parser.add_argument("--layout", choices=LAYOUTS, default=LAYOUTS[0])
    parser.add_argument("--root", type=Path, required=root_required, help="folder of the dataset")
    parser.add_argument("--list", type=Path, help="annotation file, of the layout list")
    parser.add_argument("--filename-tmpl", default=Dataset.filename_tmpl, help="of raw frames")
    parser.add_argument("--start-index", type=int, default=Dataset.start_index, help="their first")
    parser.add_argument("--index", type=Path, help="tsv of byte ranges, of the layout tar")
    parser.add_argument("--archive-cache", type=Path, help="folder, for the archives' headers")
    parser.add_argument("--video-time-limit", type=float, help="seconds to decode one video")


def dataset_of(args: argparse.Namespace) -> Dataset:
    return Dataset(
        args.layout,
        args.root,
        args.list,
        args.filename_tmpl,
        args.start_index,
        args.index,
        args.archive_cache,
        args.video_time_limit,
    )


def add_shard_arguments(parser: argparse.ArgumentParser, root_required: bool = True) -> None:
    """The arguments of `videos_of_shard`."""
    add_dataset_arguments(parser, root_required)
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1, help="how many shards there are")


def videos_of_shard(args: argparse.Namespace) -> list[ListedVideo]:
    return in_shard(list_videos(dataset_of(args)), args.shard, args.shards)
