"""A shard's table, decoded/<shard>.tsv: the frame count of each video, or why it is skipped."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tsf.data.listing import ListedVideo
from tsf.data.tables import read_table, write_table

COLUMNS = ("video", "frames", "skipped")


@dataclass(frozen=True)
class Decoded:
    """The outcome of decoding one video."""

    name: str
    frames: int  # how many can be decoded; 0 if skipped
    skipped: str  # why, or ""


def given_up(video: ListedVideo, reason: str) -> Decoded:
    """The outcome of a video that took its process with it. reason: of `tsf.workers`."""
    return Decoded(video.name, 0, f"undecodable: {reason}")


def write_decoded(path: Path, videos: Iterable[Decoded]) -> None:
    write_table(path, COLUMNS, [(v.name, str(v.frames), v.skipped) for v in videos])


def read_decoded(path: Path) -> list[Decoded]:
    """Raises UserError for a table that has changed since it was written."""
    rows = read_table(path, COLUMNS)
    return [Decoded(name, int(frames), skipped) for name, frames, skipped in rows]
