"""A shard's table, decoded/<shard>.tsv: the frame count of each video, or why it is skipped."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tsf.files import write_text

HEADER = "video\tframes\tskipped\n"


@dataclass(frozen=True)
class Decoded:
    """The outcome of decoding one video."""

    name: str
    frames: int  # how many can be decoded; 0 if skipped
    skipped: str  # why, or ""


def write_decoded(path: Path, videos: Iterable[Decoded]) -> None:
    lines = "".join(f"{v.name}\t{v.frames}\t{v.skipped}\n" for v in videos)
    write_text(path, HEADER + lines)


def read_decoded(path: Path) -> list[Decoded]:
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    columns = (line.split("\t") for line in lines)
    return [Decoded(name, int(frames), skipped) for name, frames, skipped in columns]
