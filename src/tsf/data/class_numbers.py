"""The labels of an annotation file: each is a class's number, and gets the class's name."""

import argparse
from dataclasses import replace

from tsf.data.listing import ListedVideo
from tsf.errors import UserError


def with_class_names(
    videos: list[ListedVideo], names: list[str], classes: int
) -> tuple[list[ListedVideo], list[str]]:
    """The videos with names for labels, and the names; where there are none, the numbers are.

    classes: how many the model has. Raises UserError for a label that is none of them.
    """
    names = names or [str(number) for number in range(classes)]
    known = min(len(names), classes)
    for video in videos:
        if video.label and int(video.label) >= known:
            raise UserError(
                f"{video.path} has label {video.label}, but the model has {classes} classes and "
                f"{len(names)} have names: labels are 0 to {known - 1}; the list or "
                "dataset.classes does not belong to the checkpoint"
            )
    named = [replace(v, label=names[int(v.label)]) if v.label else v for v in videos]
    return named, names


def add_class_count_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--class-count", type=int, help="of the model")
