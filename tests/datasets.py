"""Datasets for these tests, in Kinetics layout, from videos that are there already."""

import os
import tarfile
from pathlib import Path

from tsf.data.kinetics import HEADER

TIMES = "0,10"


def name(number: int) -> str:
    """An id as long as YouTube's, and the ten seconds of the row."""
    return f"v{number:010d}_000000_000010"


def kinetics(root: Path, rows: list[tuple[int, str]], classes: list[str]) -> Path:
    """The annotations of a dataset: (number of the video, label) a row. The videos come apart."""
    (root / "annotations").mkdir(parents=True)
    (root / "val").mkdir()
    header = ",".join(HEADER) + "\n"
    train = "".join(f"{label},unused,{TIMES},train\n" for label in classes)
    val = "".join(f"{label},{name(number)[:11]},{TIMES},val\n" for number, label in rows)
    (root / "annotations/train.csv").write_text(header + train)
    (root / "annotations/val.csv").write_text(header + val)
    return root


def video(root: Path, number: int) -> Path:
    return root / f"val/{name(number)}.mp4"


def scored_videos(run) -> list[tuple[Path, str]]:
    """(file, label) of every scored video of a finished run of the embedded sample."""
    rows = (line.split("\t") for line in (run.results / "videos.tsv").read_text().splitlines()[1:])
    info = (line.split()[1] for line in (run.results / "k400.info").read_text().splitlines())
    scored = set(info)
    root = run.results / "sample_data"
    return [(root / path, label) for video, path, label in rows if video in scored]


def link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)


def pack(archive: Path, files: dict[str, Path], **options) -> Path:
    """A tar archive of the files, by their paths in it."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w", **options) as tar:
        for path, file in files.items():
            tar.add(file, path)
    return archive
