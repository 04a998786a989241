"""What a shard's videos look like from outside, so that a changed video redoes its shard alone."""

import csv
import hashlib
import os
from functools import cache
from pathlib import Path

from tsf import kinetics

MANIFEST = (
    "manifest.tsv"  # of a generated dataset: name, size, mtime_ns of each listed video as made
)


@cache
def shard_fingerprints(root: Path, shards: int) -> list[str]:
    """A short string for every shard that changes when a listed video of it does.

    A video is its name, size and modification time. A generated dataset is described by what
    differs from its manifest, so that the string is the same before it is made and after.
    """
    annotations = root / "annotations/val.csv"
    if not annotations.is_file():
        return [_digest([])] * shards
    as_made = _manifest(root / MANIFEST)
    found = {
        entry.name: f"{entry.stat().st_size} {entry.stat().st_mtime_ns}"
        for entry in os.scandir(root / "val")
    }
    seen: list[list[str]] = [[] for _ in range(shards)]
    for video in {row.video for row in kinetics.read_annotations(annotations)}:
        state = found.get(f"{video}.mp4", "missing")
        if state != as_made.get(f"{video}.mp4"):
            seen[kinetics.shard_of(video, shards)].append(f"{video} {state}")
    return [_digest(lines) for lines in seen]


def _manifest(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {
            row["name"]: f"{row['size']} {row['mtime_ns']}" if row["size"] else "missing"
            for row in rows
        }


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
