"""The model's classes in their order, and which listed video belongs to one."""

import argparse
from dataclasses import replace
from pathlib import Path

from tsf.data import kinetics
from tsf.data.listing import ListedVideo
from tsf.errors import UserError


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


def strange_labels(videos: list[ListedVideo], classes: list[str]) -> list[str]:
    return sorted({video.label for video in videos} - set(classes) - {""})


def with_known_labels(
    layout: str, videos: list[ListedVideo], classes: list[str]
) -> list[ListedVideo]:
    """The videos of a folder tree that lie in no class's folder lose their label.

    A folder need not be a class: its videos get predictions, and no say in the accuracy. A row of
    Kinetics always means a class, and keeps an unknown one, to be reported.
    """
    strange = set(strange_labels(videos, classes)) if layout == "folder" else set()
    return [replace(video, label="") if video.label in strange else video for video in videos]


def add_classes_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classes", type=Path, help="train.csv, or a text file, a class a line")
