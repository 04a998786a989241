"""Fingerprints of the shards' files, so that a changed video redoes its own shard only."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from pathlib import Path

from tsf.data.listing import Dataset, ListedVideo, by_name, hash_of, list_videos, shard_of
from tsf.data.manifest import file_state, read_manifest
from tsf.data.sampling import frame_numbers
from tsf.errors import UserError
from tsf.recipe.record import Sampling

MAX_SHARDS = 99_999  # the maximum in config/schema.json
# of `shards: auto`
AUTO_MB = 4_000  # half of what profiles/default allows: two jobs' .bin files fit
AUTO_WIDTH = 16  # jobs that few videos are split into, of
AUTO_VIDEOS = 10  # each, on average
BEFORE_MADE = 4  # of a dataset that the workflow makes, which is not there at the first planning


@dataclass
class Shard:
    """The videos of a shard, as far as the file system tells before any work."""

    videos: int = 0
    changes: list[str] = field(
        default_factory=list
    )  # a line for each video that differs from the manifest

    @property
    def fingerprint(self) -> str:
        return _digest(self.changes)

    def bins_mb(self, bin_bytes: int) -> int:
        """The size of its .bin files, of `bin_bytes` each, in MB of 10^6 bytes."""
        return ceil(self.videos * bin_bytes / 1e6)


def fingerprint_of_all(found: list[Shard]) -> str:
    """A fingerprint of every listed video, the same for any number of shards."""
    return _digest([line for shard in found for line in shard.changes])


def shards(dataset: Dataset, number: int, sampling: Sampling) -> list[Shard]:
    """Every shard's number of videos, and a fingerprint that changes when one of them does.

    The fingerprint covers each video's name, path, size and modification time, or, of a folder of
    raw frames, the frames that the clips read. Of a generated dataset it covers only the
    differences from the manifest, so that it is the same before and after the dataset is made.
    Raises UserError.
    """
    if not _exists(dataset):
        return [Shard() for _ in range(number)]
    return _read_shards(dataset, number, sampling)


@cache
def listed_videos(dataset: Dataset) -> list[ListedVideo]:
    """The list, read once a run: it does not change while Snakemake plans."""
    return list_videos(dataset)


@cache
def _read_shards(dataset: Dataset, number: int, sampling: Sampling) -> list[Shard]:
    """`shards` of a dataset that exists; once a run, as each file takes two system calls."""
    found = [Shard() for _ in range(number)]
    as_made = read_manifest(dataset.root)
    for video in by_name(listed_videos(dataset)).values():
        shard = found[shard_of(video.name, number)]
        shard.videos += 1
        state = video_state(dataset.root, video, sampling)
        if state != as_made.get(video.path):
            shard.changes.append(f"{video.name} {video.path} {state}")
    return found


@cache  # every shard's job asks for it
def _largest_shard(dataset: Dataset, number: int, sampling: Sampling) -> Shard:
    return max(_read_shards(dataset, number, sampling), key=lambda shard: shard.videos)


def video_state(root: Path, video: ListedVideo, sampling: Sampling) -> str:
    """What changes with the video's file, or with its raw frames that the clips read."""
    if video.fault:
        return video.fault
    if video.stored:
        place = video.stored
        return f"{place.container} {file_state(str(place.container))} {place.offset} {place.size}"
    path = os.path.join(root, video.path)  # making a Path costs as much as a stat
    if video.rawframes is None:
        return file_state(path)
    total = video.rawframes.total
    numbers = sorted(set(frame_numbers(total, sampling))) if total else []
    names = map(video.rawframes.file_name, numbers)
    return " ".join([str(total), *(file_state(os.path.join(path, name)) for name in names)])


def number_of_shards(dataset: Dataset, bin_bytes: int, made: bool) -> int:
    """The number that `shards: auto` stands for.

    made: by the workflow itself. It depends on nothing but the list and the size of a .bin file: a
    command's cores or disk_mb would redo every shard. Of a list that is not there or at fault any
    number does, as the jobs that read it refuse it.
    """
    if made or not _exists(dataset):
        return BEFORE_MADE
    try:
        names = {video.name for video in listed_videos(dataset)}
    except UserError:
        return BEFORE_MADE
    return auto_shards([hash_of(name) for name in names], bin_bytes)


def auto_shards(hashes: Sequence[int], bin_bytes: int) -> int:
    """`doubled_shards`, of videos whose shards are known. hashes: of their names."""
    most = max(1, int(AUTO_MB * 1e6) // bin_bytes)

    def fits(number: int) -> bool:
        if len(hashes) > number * most:  # spares counting
            return False
        return max(Counter(value % number for value in hashes).values(), default=0) <= most

    return doubled_shards(len(hashes), fits)


def doubled_shards(videos: int, fits: Callable[[int], bool]) -> int:
    """The smallest power of two that gives a machine's cores work and keeps shards small.

    fits: whether the largest of so many shards has .bin files of at most AUTO_MB. The number
    doubles up to AUTO_WIDTH while AUTO_VIDEOS videos are left to a shard, and until it fits: so
    more videos change it when they have about doubled, and not before.
    """
    number = 1
    while number < AUTO_WIDTH and videos >= 2 * number * AUTO_VIDEOS:
        number *= 2
    while 2 * number <= MAX_SHARDS and not fits(number):
        number *= 2
    return number


def refuse_large_shards(
    dataset: Dataset, number: int, sampling: Sampling, disk_mb: int, bin_bytes: int
) -> None:
    """Raise UserError if the .bin files of one shard alone take more than `disk_mb`.

    bin_bytes: of one video's file, as the recipe has it.
    """
    if not _exists(dataset):
        return
    largest = _largest_shard(dataset, number, sampling)
    needed = largest.bins_mb(bin_bytes)
    if needed <= disk_mb:
        return
    enough = _enough_shards(dataset, int(disk_mb * 1e6) // bin_bytes)
    advice = f"set shards to {enough} in the config, or " if enough else ""
    raise UserError(
        f"a shard of {largest.videos} videos takes {needed} MB of .bin files, more than "
        f"disk_mb={disk_mb} allows: {advice}allow more, --resources disk_mb={needed}"
    )


def look_ahead_mb(
    dataset: Dataset, number: int, sampling: Sampling, jobs: int, bin_bytes: int
) -> int:
    """What the .bin files of `jobs` shards at a time take at most, in MB."""
    sizes = sorted(shard.bins_mb(bin_bytes) for shard in shards(dataset, number, sampling))
    return sum(sizes[-jobs:])


def _enough_shards(dataset: Dataset, fits: int) -> int | None:
    """A number of shards of at most `fits` videos each; None if it exceeds MAX_SHARDS."""
    names = {video.name for video in listed_videos(dataset)}
    number = ceil(len(names) / fits) if fits else MAX_SHARDS + 1
    while number <= MAX_SHARDS:
        if max(Counter(shard_of(name, number) for name in names).values()) <= fits:
            return number
        number = ceil(1.05 * number)
    return None


def listing_digest(dataset: Dataset) -> str:
    """A digest that changes when a listed video is added, removed or moved. Raises UserError."""
    return _digest([f"{video.name} {video.path}" for video in listed_videos(dataset)])


def _exists(dataset: Dataset) -> bool:
    if dataset.layout in ("kinetics", "tar"):
        return (dataset.root / "annotations/val.csv").is_file()
    return dataset.root.is_dir()


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
