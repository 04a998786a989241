"""The state of a generated dataset's videos when they were made, to find changed ones later."""

import csv
import os
from pathlib import Path

from tsf.data.listing import ListedVideo
from tsf.files import write_text

MANIFEST = "manifest.tsv"
MISSING = "missing"


def file_state(path: str) -> str:
    """Size and modification time, which change with the file."""
    try:
        status = os.stat(path)
    except OSError:
        return MISSING
    return f"{status.st_size} {status.st_mtime_ns}"


def write_manifest(root: Path, videos: list[ListedVideo]) -> None:
    """Record every listed video below `root`; to be written last."""
    lines = (f"{v.path}\t{file_state(os.path.join(root, v.path))}\n" for v in videos)
    write_text(root / MANIFEST, "path\tstate\n" + "".join(lines))


def read_manifest(root: Path) -> dict[str, str]:
    """The state of each path; empty for a dataset that the workflow did not make."""
    path = root / MANIFEST
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        return {row["path"]: row["state"] for row in csv.DictReader(file, delimiter="\t")}
