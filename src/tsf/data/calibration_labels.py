"""The classes of the clips that int8 is calibrated on, by which int8_checked is measured."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.data import kinetics
from tsf.data.classes import read_classes
from tsf.data.tables import read_lines, write_lines
from tsf.errors import UserError


def annotations_of(root: Path) -> Path:
    """The csv that labels the videos in a folder of the cvdfoundation layout, as train/*.mp4."""
    return root.parent / "annotations" / f"{root.name}.csv"


def labels_of(videos: list[Path], root: Path) -> list[str]:
    """The label's key of each video, "" where it has none.

    A video has the label of its row in `annotations_of(root)`, or else that of its folder. videos:
    relative to `root`.
    """
    csv = annotations_of(root)
    rows = kinetics.read_annotations(csv) if csv.is_file() else []
    by_name = {row.name: row.label for row in rows}
    return [by_name.get(v.stem, kinetics.label_key(v.parent.name)) for v in videos]


def class_numbers(videos: list[Path], root: Path, classes: list[str]) -> list[int]:
    """The class of each video. Raises UserError unless every one has a label that is a class.

    videos: relative to `root`.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    labels = labels_of(videos, root)
    unknown = [v for v, label in zip(videos, labels, strict=True) if label not in numbers]
    if unknown:
        raise UserError(
            f"{root / unknown[0]}: no label that is a class of the model, as {len(unknown)} of the "
            f"{len(videos)} calibration videos; precision int8_checked needs {annotations_of(root)}"
            ", or folders named after the classes in calibration.root; int8 needs no labels"
        )
    return [numbers[label] for label in labels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="tsv: clip, video")
    parser.add_argument("--taken-from", type=Path, required=True, help="folder of their videos")
    parser.add_argument("--classes", type=Path, required=True, help="text, a class a line")
    parser.add_argument("--output", type=Path, required=True, help="tsv to write")
    args = parser.parse_args()
    rows = [row.split("\t") for row in read_lines(args.table)]
    videos = [Path(video) for _, video in rows]
    numbers = class_numbers(videos, args.taken_from, read_classes(args.classes))
    pairs = zip(rows, numbers, strict=True)
    write_lines(args.output, (f"{clip}\t{number}" for (clip, _), number in pairs))


if __name__ == "__main__":
    errors.run(main)
