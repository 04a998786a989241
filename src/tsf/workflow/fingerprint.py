"""What a shard's videos look like from outside, so that a changed video redoes its shard alone."""

import hashlib
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from pathlib import Path

from tsf.data.bins import BYTES
from tsf.data.listing import ListedVideo, list_videos, shard_of
from tsf.data.manifest import file_state, read_manifest
from tsf.errors import UserError

MAX_SHARDS = 999  # of the config's shards, as in its schema


@dataclass
class Shard:
    """What the workflow knows of a shard before any work."""

    videos: int = 0
    changes: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return _digest(self.changes)

    def bins_mb(self, dtype: str) -> int:
        """What its .bin files take on the disk. dtype: float32 or uint8."""
        return ceil(self.videos * BYTES[dtype] / 1e6)


def shards(layout: str, root: Path, number: int) -> list[Shard]:
    """Every shard: how many videos, and a fingerprint that changes when one of them does.

    A video is its name, path, size and modification time. A generated dataset is described by
    what differs from its manifest, so that the fingerprint is the same before it is made and
    after. Raises UserError.
    """
    if not _is_there(layout, root):
        return [Shard() for _ in range(number)]
    return _look_at(layout, root, number)


@cache
def _listed_videos(layout: str, root: Path) -> list[ListedVideo]:
    """The list, read once a run: it stands still while Snakemake plans."""
    return list_videos(layout, root)


@cache
def _look_at(layout: str, root: Path, number: int) -> list[Shard]:
    """`shards` of a dataset that is there: two system calls a video, so once a run."""
    found = [Shard() for _ in range(number)]
    as_made = read_manifest(root)
    # by name: a video may have two rows, with two labels even
    for video in {video.name: video for video in _listed_videos(layout, root)}.values():
        shard = found[shard_of(video.name, number)]
        shard.videos += 1
        state = file_state(os.path.join(root, video.path))  # making a Path costs as much as a stat
        if state != as_made.get(video.path):
            shard.changes.append(f"{video.name} {video.path} {state}")
    return found


def refuse_large_shards(
    layout: str, root: Path, number: int, disk_mb: int, dtype: str = "float32"
) -> None:
    """Raise UserError if the .bin files of one shard alone take more than `disk_mb`."""
    largest = max(shards(layout, root, number), key=lambda shard: shard.videos)
    needed = largest.bins_mb(dtype)
    if needed <= disk_mb:
        return
    enough = _enough_shards(layout, root, int(disk_mb * 1e6) // BYTES[dtype])
    advice = f"set shards to {enough} in the config, or " if enough else ""
    raise UserError(
        f"a shard of {largest.videos} videos takes {needed} MB of .bin files, more than "
        f"disk_mb={disk_mb} allows: {advice}raise it, --resources disk_mb={needed}"
    )


def _enough_shards(layout: str, root: Path, fits: int) -> int | None:
    """A number of shards of which none has more than `fits` videos, if there may be so many."""
    names = {video.name for video in _listed_videos(layout, root)}
    number = ceil(len(names) / fits) if fits else MAX_SHARDS + 1
    while number <= MAX_SHARDS:
        if max(Counter(shard_of(name, number) for name in names).values()) <= fits:
            return number
        number = ceil(1.05 * number)
    return None


def listing_digest(layout: str, root: Path) -> str:
    """Changes when a video is added to the listed ones, or removed from them. Raises UserError."""
    return _digest([f"{video.name} {video.path}" for video in _listed_videos(layout, root)])


def _is_there(layout: str, root: Path) -> bool:
    return (root / "annotations/val.csv").is_file() if layout == "kinetics" else root.is_dir()


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
