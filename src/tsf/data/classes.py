"""The model's classes in their order, and the labels that are none of them."""

import argparse
from dataclasses import replace
from pathlib import Path

from tsf.data import kinetics
from tsf.data.listing import ListedVideo
from tsf.data.tables import read_lines, write_lines
from tsf.errors import UserError
from tsf.recipe import huggingface


def class_names(
    layout: str, root: Path, classes: Path | None, number: int | None = None
) -> list[str]:
    """The model's classes in the order of their indices; empty if they are not known.

    classes: a Kinetics train.csv, a Hugging Face config.json, or a text file with a class a line,
    as mmaction2's label_map_k400.txt. Without it the layouts kinetics and tar have their own
    train.csv. number: of the model's classes, if known. Raises UserError, also if there are more
    names, or fewer.
    """
    source = classes_source(layout, root, classes)
    if source is None:
        return []
    if source.suffix == ".csv":
        names = kinetics.class_names(source)
    elif source.is_file():
        json = source.suffix == ".json"
        names = _distinct(source, _labels(source) if json else _lines(source))
    else:
        raise UserError(f"{source}: no such file; check dataset.classes in the config")
    if number is not None and len(names) != number:
        raise UserError(
            f"{source}: names {len(names)} classes, but the model has {number}, so that its "
            "results would get the names of others; set dataset.classes to a text file with the "
            f"{number} of the model, a line each, in their order"
        )
    return names


def classes_source(layout: str, root: Path, classes: Path | None) -> Path | None:
    """The file that names the classes. None: there is none."""
    if classes is None and layout in ("kinetics", "tar"):
        return root / "annotations/train.csv"
    return classes


def _labels(config: Path) -> list[str]:
    labels = huggingface.labels(config)
    if labels is None:
        raise UserError(f"{config}: its id2label names no classes; see dataset.classes")
    return labels


def _lines(file: Path) -> list[str]:
    try:
        # not read_text(), to which a lone carriage return is a line break
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: not a UTF-8 text file ({error})") from None
    return [line for line in map(str.strip, text.split("\n")) if line]


def _distinct(source: Path, labels: list[str]) -> list[str]:
    """The labels' keys, as those of a csv."""
    names = [kinetics.label_key(label) for label in labels]
    for label, name in zip(labels, names, strict=True):
        # a line of classes.txt each, and a field of the tables and of predictions.csv
        if not label.strip() or any(character in name for character in "\t\n\r"):
            raise UserError(
                f"{source}: {label!r} is no name of a class: it is empty, or holds a tab or a line "
                "break"
            )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{source}: names the class {twice} twice")
    return names


def write_classes(path: Path, classes: list[str]) -> None:
    """A class a line."""
    write_lines(path, classes)


def read_classes(path: Path) -> list[str]:
    """What `write_classes` wrote. Raises UserError for a file that has changed since."""
    return read_lines(path)


def unknown_labels(videos: list[ListedVideo], classes: list[str]) -> list[str]:
    return sorted({video.label for video in videos} - set(classes) - {""})


def with_known_labels(
    layout: str, videos: list[ListedVideo], classes: list[str]
) -> list[ListedVideo]:
    """The videos, without a label where their folder in a folder tree is not a class.

    Such videos get predictions, but do not count in the accuracy. In the layouts kinetics and tar a
    label always means a class, so an unknown one stays, to be reported.
    """
    unknown = set(unknown_labels(videos, classes)) if layout == "folder" else set()
    return [replace(video, label="") if video.label in unknown else video for video in videos]


def add_classes_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--classes", type=Path, help="train.csv, config.json, or a text file, a class a line"
    )
