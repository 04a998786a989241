"""The model's classes in their order, and the labels that are none of them."""

import argparse
from dataclasses import replace
from pathlib import Path

from tsf.data import kinetics
from tsf.data.listing import ListedVideo
from tsf.errors import UserError


def class_names(layout: str, root: Path, classes: Path | None) -> list[str]:
    """The model's classes in the order of their indices; empty if they are not known.

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
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{classes}: names the class {twice} twice")
    return names


def unknown_labels(videos: list[ListedVideo], classes: list[str]) -> list[str]:
    return sorted({video.label for video in videos} - set(classes) - {""})


def with_known_labels(
    layout: str, videos: list[ListedVideo], classes: list[str]
) -> list[ListedVideo]:
    """The videos, without a label where their folder in a folder tree is not a class.

    Such videos get predictions, but do not count in the accuracy. In the Kinetics layout a label
    always means a class, so an unknown one stays, to be reported.
    """
    unknown = set(unknown_labels(videos, classes)) if layout == "folder" else set()
    return [replace(video, label="") if video.label in unknown else video for video in videos]


def add_classes_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classes", type=Path, help="train.csv, or a text file, a class a line")
