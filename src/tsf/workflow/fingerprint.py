"""What a shard's videos look like from outside, so that a changed video redoes its shard alone."""

import csv
import hashlib
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from pathlib import Path

from tsf.data.model_input import BIN_BYTES
from tsf.data.listing import Listed, list_videos, shard_of
from tsf.errors import UserError
from tsf.files import write_text

MANIFEST = "manifest.tsv"  # of a generated dataset: each listed video as it was made
MISSING = "missing"
MAX_SHARDS = 999  # of the config's shards, as in its schema


@dataclass
class Shard:
    """What the workflow knows of a shard before any work."""

    videos: int = 0
    changes: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return _digest(self.changes)

    def bins_mb(self, values: str) -> int:
        """What its .bin files take on the disk. values: float32 or uint8."""
        return ceil(self.videos * BIN_BYTES[values] / 1e6)


def shards(layout: str, root: Path, number: int) -> list[Shard]:
    """Every shard: how many videos, and a fingerprint that changes when one of them does.

    A video is its name, path, size and modification time. A generated dataset is described by
    what differs from its manifest, so that the fingerprint is the same before it is made and
    after. Raises UserError.
    """
    if not _is_made(layout, root):
        return [Shard() for _ in range(number)]
    return look_at(layout, root, number)


@cache
def listed_videos(layout: str, root: Path) -> list[Listed]:
    """The list, read once a run: it stands still while Snakemake plans."""
    return list_videos(layout, root)


@cache
def look_at(layout: str, root: Path, number: int) -> list[Shard]:
    """`shards` of a dataset that is there: two system calls a video, so once a run."""
    found = [Shard() for _ in range(number)]
    as_made = _read_manifest(root / MANIFEST)
    for video in set(listed_videos(layout, root)):
        shard = found[shard_of(video.video, number)]
        shard.videos += 1
        state = _state(os.path.join(root, video.path))  # a Path a video costs as much as its stat
        if state != as_made.get(video.path):
            shard.changes.append(f"{video.video} {video.path} {state}")
    return found


def refuse_large_shards(
    layout: str, root: Path, number: int, disk_mb: int, values: str = "float32"
) -> None:
    """Raise UserError if the .bin files of one shard alone take more than `disk_mb`."""
    largest = max(shards(layout, root, number), key=lambda shard: shard.videos)
    needed = largest.bins_mb(values)
    if needed <= disk_mb:
        return
    enough = _enough_shards(layout, root, int(disk_mb * 1e6) // BIN_BYTES[values])
    advice = f"set shards to {enough} in the config, or " if enough else ""
    raise UserError(
        f"a shard of {largest.videos} videos takes {needed} MB of .bin files, more than "
        f"disk_mb={disk_mb} allows: {advice}raise it, --resources disk_mb={needed}"
    )


def _enough_shards(layout: str, root: Path, fits: int) -> int | None:
    """A number of shards of which none has more than `fits` videos, if there may be so many."""
    names = {video.video for video in listed_videos(layout, root)}
    number = ceil(len(names) / fits) if fits else MAX_SHARDS + 1
    while number <= MAX_SHARDS:
        if max(Counter(shard_of(name, number) for name in names).values()) <= fits:
            return number
        number = ceil(1.05 * number)
    return None


def listing(layout: str, root: Path) -> str:
    """Changes when a video is added to, or removed from, a dataset that has no list of its own."""
    if layout == "kinetics":
        return ""  # the list is the csv, which is an input
    return _digest([f"{video.video} {video.path}" for video in listed_videos(layout, root)])


def write_manifest(root: Path, videos: list[Listed]) -> None:
    """Record a generated dataset as it was made; to be written last."""
    lines = (f"{video.path}\t{_state(os.path.join(root, video.path))}\n" for video in videos)
    write_text(root / MANIFEST, "path\tstate\n" + "".join(lines))


def _is_made(layout: str, root: Path) -> bool:
    return (root / "annotations/val.csv").is_file() if layout == "kinetics" else root.is_dir()


def _state(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return MISSING
    return f"{status.st_size} {status.st_mtime_ns}"


def _read_manifest(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        return {row["path"]: row["state"] for row in csv.DictReader(file, delimiter="\t")}


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
