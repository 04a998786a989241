"""gallery.json: the videos worth a look, at most 60: the wrong, those that flip, some right."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from tsf import errors
from tsf.evaluation.prediction_table import read_predictions
from tsf.files import write_json

FLIPS = 18  # videos that engines disagree on
WRONG = 30
RIGHT = 12
MOST = FLIPS + WRONG + RIGHT


def choose(table: pd.DataFrame) -> list[tuple[str, str]]:
    """(video, why) of at most MOST videos. table: predictions.csv of every engine.

    why: `flip`, the engines' best classes differ, the highest confidence of any first; `wrong` by
    the first engine, the highest confidence first; `right` by it, or `unlabelled`, from the
    highest to the lowest confidence at equal steps.
    """
    engines = table["engine"].unique()
    first = table[table["engine"] == engines[0]].set_index("video")
    by_video = table.groupby("video", sort=False)
    differs = (by_video["top1"].nunique() > 1).loc[first.index]
    highest = by_video["probability1"].max().loc[first.index]
    flips = _by_confidence(highest[differs])[:FLIPS]

    labelled = first["label"] != ""
    right = first["label"] == first["top1"]
    confidence = first["probability1"].drop(flips)
    wrong = _by_confidence(confidence[labelled & ~right])[:WRONG]
    others = confidence[right if labelled.any() else ~labelled]
    steady = _by_confidence(others)
    number = min(len(steady), RIGHT if labelled.any() else MOST - len(flips))
    places = np.linspace(0, len(steady) - 1, number).astype(int)
    last = "right" if labelled.any() else "unlabelled"
    return [
        *((video, "wrong") for video in wrong),
        *((video, "flip") for video in flips),
        *((steady[place], last) for place in places),
    ]


def _by_confidence(confidence: pd.Series) -> list[str]:
    """The videos from the highest confidence to the lowest, of equal ones by name."""
    return sorted(confidence.index, key=lambda video: (-confidence[video], video))


def five_best(row: pd.Series) -> list[dict]:
    """The best classes of a row of predictions.csv with their probabilities."""
    places = [name.removeprefix("top") for name in row.index if name.startswith("top")]
    return [
        {"class": row[f"top{place}"], "probability": row[f"probability{place}"]} for place in places
    ]


def described(table: pd.DataFrame, video: str, why: str) -> dict:
    """A chosen video; the predictions of every engine for one that flips, else of the first."""
    rows = table[table["video"] == video]
    shown = rows if why == "flip" else rows[:1]
    return {
        "video": video,
        "path": rows.iloc[0]["path"],
        "label": rows.iloc[0]["label"],
        "why": why,
        "engines": {row["engine"]: five_best(row) for _, row in shown.iterrows()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="csv of every engine")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    table = read_predictions(args.predictions)
    chosen = choose(table)
    write_json(args.output, {"videos": [described(table, *of_video) for of_video in chosen]})


if __name__ == "__main__":
    errors.run(main)
