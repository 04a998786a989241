"""details.json: what stands behind an accuracy: calibration, classes, kinds of video."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from tsf import errors
from tsf.data.classes import read_classes
from tsf.data.video_heads import read_heads
from tsf.evaluation import calibration, confusion, groups
from tsf.evaluation.prediction_table import read_predictions
from tsf.files import write_json


def details(table: pd.DataFrame, classes: list[str], heads: pd.DataFrame) -> dict | None:
    """The measures of one engine over its labelled videos; None if there are none.

    table: the engine's rows of predictions.csv; classes: the model's, in order; heads: by video.
    """
    table = table[table["label"] != ""]
    if table.empty:
        return None
    number = {name: index for index, name in enumerate(classes)}
    labels = table["label"].map(number).to_numpy(int)  # (videos,)
    best = table["top1"].map(number).to_numpy(int)  # (videos,)
    right = labels == best
    counts = confusion.confusion_counts(labels, best, len(classes))
    rows = confusion.by_class(counts, classes)
    return {
        "calibration": calibration.reliability(table["probability1"].to_numpy(float), right),
        "mean_class_accuracy": confusion.mean_class_accuracy(rows),
        "classes": rows,
        "confusions": confusion.confusions(counts, classes),
        "matrix": confusion.matrix(counts, classes),
        "groups": groups.groups(heads.loc[table["video"]], right),
    }


def all_classes(classes: list[str], table: pd.DataFrame) -> list[str]:
    """The classes by name, then those that have none and stand in the table as numbers."""
    found = np.unique(table[["label", "top1"]].to_numpy(str))
    return [*classes, *sorted({*found.tolist()} - {"", *classes}, key=int)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="csv of every engine")
    parser.add_argument("--classes", type=Path, required=True, help="text, a class a line")
    parser.add_argument("--heads", type=Path, required=True, help="tsv of tsf.data.video_heads")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    table = read_predictions(args.predictions)
    heads = read_heads(args.heads)
    classes = all_classes(read_classes(args.classes), table)
    engines = {
        name: details(rows, classes, heads) for name, rows in table.groupby("engine", sort=False)
    }
    write_json(args.output, {"engines": engines})


if __name__ == "__main__":
    errors.run(main)
