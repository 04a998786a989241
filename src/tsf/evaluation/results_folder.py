"""Read the results of a finished run, and refuse a folder that has none."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tsf.data.k400_info import read_skipped
from tsf.data.video_heads import read_heads
from tsf.errors import UserError, on_one_line
from tsf.evaluation.prediction_table import read_predictions
from tsf.files import read_json, sha256

JSON = ("accuracy", "verdict", "measured", "provenance", "verify")
COLUMNS = {"engine", "video", "path", "label", "top1", "probability1"}
AGAIN = "delete it and run snakemake all again there"
TABLES = ("predictions.csv", "video_heads.tsv", "skipped.tsv")
FILES = (*(f"{name}.json" for name in JSON), *TABLES)


@dataclass(frozen=True)
class Results:
    """What two runs are compared by."""

    folder: Path
    json: dict[str, dict]  # by the names of JSON
    predictions: pd.DataFrame  # a row a video and engine
    heads: pd.DataFrame  # by video
    skipped: dict[str, str]  # the reason, by video

    @property
    def engines(self) -> list[str]:
        return list(self.json["accuracy"]["engines"])

    def of_engine(self, name: str) -> pd.DataFrame:
        """The rows of one engine, by video."""
        rows = self.predictions[self.predictions["engine"] == name]
        return rows.set_index("video")


def read_results(folder: Path) -> Results:
    """Raises UserError if a file is missing, cut short, or not of the same run as the others."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; see compare in the config")
    for name in FILES:
        if not (folder / name).is_file():
            raise UserError(
                f"{folder}: there is no {name}, so these are not the results of a finished run; "
                "run snakemake all there, or see compare in the config"
            )
    older = f"move {folder} away and run snakemake all there with this release"
    content = {name: read_json(folder / f"{name}.json", AGAIN, older) for name in JSON}
    try:
        predictions = read_predictions(folder / "predictions.csv")
        heads = read_heads(folder / "video_heads.tsv")
        skipped = {video: reason for video, _, reason in read_skipped(folder / "skipped.tsv")}
    except (ValueError, KeyError) as error:
        raise UserError(f"{folder}: a table is damaged: {on_one_line(error)}") from None
    _refuse_other_run(folder, content["provenance"]["results"])
    _refuse_other_verdict(folder / "verdict.json", content["verdict"], content["accuracy"])
    _refuse_other(folder / "predictions.csv", predictions, content["accuracy"])
    return Results(folder, content, predictions, heads, skipped)


def _refuse_other_run(folder: Path, digests: dict[str, str]) -> None:
    """Raises UserError for a file that is not the one that provenance.json was written behind.

    digests: the sha256 by name. A command that makes accuracy.json alone, with another checkpoint,
    leaves the other files as they were.
    """
    for name in dict.fromkeys((*FILES, *digests)):
        path = folder / name
        if name == "provenance.json":
            continue
        if not path.is_file() or sha256(path) != digests.get(name):
            raise UserError(
                f"{path}: of another run than provenance.json beside it; run snakemake all again "
                "there"
            )


def _refuse_other_verdict(path: Path, verdict: dict, accuracy: dict) -> None:
    """Raises UserError if the verdict does not sum up the accuracies."""
    name, engine = next(iter(accuracy["engines"].items()))
    wanted = {key: accuracy[key] for key in ("listed", "scored", "skipped")}
    wanted |= {"engine": name, "top1": engine.get("top1"), "videos": engine["videos"]}
    found = {key: verdict.get(key) for key in wanted}
    if found != wanted or list(verdict["engines"]) != list(accuracy["engines"]):
        raise UserError(f"{path}: of another run than accuracy.json beside it; {AGAIN}")


def _refuse_other(path: Path, table: pd.DataFrame, accuracy: dict) -> None:
    """Raises UserError if the table of predictions does not give the accuracies."""
    if missing := sorted(COLUMNS - set(table.columns)):
        raise UserError(f"{path}: it has no column {missing[0]}; make it again")
    engines = accuracy["engines"]
    if set(table["engine"]) != set(engines):
        raise UserError(f"{path}: its engines are not those of accuracy.json; make both again")
    for name, engine in engines.items():
        rows = table[table["engine"] == name]
        right = int(((rows["label"] == rows["top1"]) & (rows["label"] != "")).sum())
        whole = len(rows) == rows["video"].nunique() == accuracy["scored"]
        hits = round(engine["top1"] * engine["videos"] / 100) if engine["videos"] else 0
        if not whole or right != hits:
            raise UserError(
                f"{path}: {len(rows)} videos of {name}, {right} of them right, but accuracy.json "
                f"has {accuracy['scored']} and {hits}; make both again"
            )
