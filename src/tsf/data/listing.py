"""The videos of a dataset, whatever its layout: one row a listed video, in the list's order."""

import argparse
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tsf import errors
from tsf.data import kinetics
from tsf.errors import UserError
from tsf.files import write_text

LAYOUTS = ("kinetics", "folder")
SUFFIXES = {".avi", ".flv", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"}
HEADER = "video\tpath\tlabel\n"


@dataclass(frozen=True)
class Listed:
    """One listed video."""

    video: str  # its name in every result: letters, digits, - and _
    path: str  # of the file, relative to the dataset's root
    label: str  # the label's key; "" if it has none


def list_videos(layout: str, root: Path) -> list[Listed]:
    """Every listed video. Raises UserError."""
    if layout == "kinetics":
        rows = kinetics.read_annotations(root / "annotations/val.csv")
        return [Listed(row.video, f"val/{row.video}.mp4", row.label) for row in rows]
    return list_folder(root)


def list_folder(root: Path) -> list[Listed]:
    """Every video file in a folder tree; its class is the folder it lies in, if not the root.

    Raises UserError if there is none.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; check dataset.root in the config")
    paths = sorted(_video_files(root), key=lambda path: path.split(os.sep))
    if not paths:
        raise UserError(f"{root}: holds no video ({', '.join(sorted(SUFFIXES))})")
    videos = []
    for path in paths:
        if any(character in path for character in "\t\n\r"):
            raise UserError(f"{root / path}: a tab or line break in a file's name; rename it")
        label = kinetics.label_key(os.path.basename(os.path.dirname(path)))
        videos.append(Listed(video_name(path), path, label))
    return videos


def _video_files(root: Path) -> Iterator[str]:
    """The paths below `root` with a video's suffix; links to folders are followed, once each."""
    seen = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        identity = os.path.realpath(folder)
        if identity in seen:  # a link to a folder above it, or a second one to the same
            subfolders.clear()
            continue
        seen.add(identity)
        subfolders.sort()
        below = os.path.relpath(folder, root)
        for name in names:
            if os.path.splitext(name)[1].lower() in SUFFIXES:
                yield name if below == os.curdir else os.path.join(below, name)


def video_name(path: str) -> str:
    """A name for any path that is safe in file names and unique: readable part, then a hash."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", os.path.splitext(path)[0])[-60:]
    return f"{readable}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def class_names(layout: str, root: Path, classes: Path | None) -> list[str]:
    """The model's classes in the order of their indices; empty if nobody says.

    classes: a Kinetics train.csv, or a text file with a class a line, as mmaction2's
    label_map_k400.txt. Without it the Kinetics layout has its own train.csv. Raises UserError.
    """
    if classes is None:
        return kinetics.class_names(root / "annotations/train.csv") if layout == "kinetics" else []
    if classes.suffix == ".csv":
        return kinetics.class_names(classes)
    if not classes.is_file():
        raise UserError(f"{classes}: no such file; check dataset.classes in the config")
    names = [kinetics.label_key(line.strip()) for line in classes.read_text("utf-8").splitlines()]
    names = [name for name in names if name]
    if len(set(names)) < len(names):
        raise UserError(f"{classes}: names a class twice")
    return names


def strange_labels(videos: list[Listed], classes: list[str]) -> list[str]:
    return sorted({video.label for video in videos} - set(classes) - {""})


def with_known_labels(layout: str, videos: list[Listed], classes: list[str]) -> list[Listed]:
    """The videos of a folder tree that lie in no class's folder lose their label.

    A folder need not be a class: its videos get predictions, and no say in the accuracy. A row of
    Kinetics always means a class, and keeps an unknown one, to be reported.
    """
    strange = set(strange_labels(videos, classes)) if layout == "folder" else set()
    return [replace(video, label="") if video.label in strange else video for video in videos]


def shard_of(video: str, shards: int) -> int:
    """The shard that a video belongs to, by its name alone.

    A hash, not a position: a video added, removed or replaced changes one shard only.
    """
    return zlib.crc32(video.encode()) % shards


def in_shard(videos: list[Listed], shard: int, shards: int) -> list[Listed]:
    """The distinct videos of one shard, in the list's order."""
    distinct: dict[str, Listed] = {}
    for video in videos:
        if shard_of(video.video, shards) == shard:
            distinct.setdefault(video.video, video)
    return list(distinct.values())


def write_list(path: Path, videos: list[Listed]) -> None:
    lines = "".join(f"{v.video}\t{v.path}\t{v.label}\n" for v in videos)
    write_text(path, HEADER + lines)


def read_list(path: Path) -> list[Listed]:
    lines = path.read_text(encoding="utf-8").split("\n")[1:-1]
    return [Listed(*line.split("\t")) for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layout", choices=LAYOUTS, default=LAYOUTS[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--classes", type=Path, help="train.csv, or a text file, a class a line")
    parser.add_argument("--output", type=Path, required=True, help="tsv: video, path, label")
    parser.add_argument("--output-classes", type=Path, required=True, help="text, a class a line")
    args = parser.parse_args()

    videos = list_videos(args.layout, args.root)
    names = class_names(args.layout, args.root, args.classes)
    strange = strange_labels(videos, names)
    if args.layout == "folder" and names and strange:
        print(f"no class, so without label: {', '.join(strange)}")
    videos = with_known_labels(args.layout, videos, names)
    write_list(args.output, videos)
    write_text(args.output_classes, "".join(f"{name}\n" for name in names))
    print(f"{len(videos)} videos listed, {len(names)} classes")


if __name__ == "__main__":
    errors.run(main)
