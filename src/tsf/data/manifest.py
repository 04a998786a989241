"""The state of a generated dataset's videos when they were made, to find changed ones later.

As a command it is the last step of a rule, of another workflow, that makes a dataset in results/.
"""

import argparse
import os
from pathlib import Path

from tsf import errors
from tsf.data.listing import ListedVideo, add_dataset_arguments, dataset_of, list_videos
from tsf.data.tables import read_table, write_table
from tsf.digests import digest_path

MANIFEST = "manifest.tsv"
COLUMNS = ("path", "state")
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
    rows = [(v.path, file_state(os.path.join(root, v.path))) for v in videos]
    write_table(root / MANIFEST, COLUMNS, rows)


def read_manifest(root: Path) -> dict[str, str]:
    """The state of each path; empty for a dataset that the workflow did not make.

    Raises UserError for a manifest that has changed since it was written.
    """
    path = root / MANIFEST
    if not digest_path(path).is_file() or not path.is_file():  # not, or a file of the user's
        return {}
    rows = read_table(path, COLUMNS)
    return {row[0]: row[1] for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    dataset = dataset_of(parser.parse_args())
    write_manifest(dataset.root, list_videos(dataset))


if __name__ == "__main__":
    errors.run(main)
