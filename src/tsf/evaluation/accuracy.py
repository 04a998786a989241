"""Top-1 and top-5 of every engine, how the engines differ, and every video's predictions."""

import argparse
from collections import Counter
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from tsf import errors
from tsf.data.classes import read_classes
from tsf.data.k400_info import NO_LABEL, ScoredVideo, read_info, read_skipped
from tsf.data.listing import ListedVideo, read_list
from tsf.data.sampling import frame_numbers
from tsf.data.tables import read_lines
from tsf.errors import UserError
from tsf.evaluation import paired
from tsf.evaluation.intervals import wilson_interval
from tsf.evaluation.prediction_table import write_predictions
from tsf.files import read_json, write_json
from tsf.inference import results
from tsf.recipe.fusion import video_scores
from tsf.recipe.record import SAMPLERS, Recipe, Sampling, read_part


def ranked(scores: np.ndarray) -> np.ndarray:
    """(videos, classes) scores -> classes from best to worst; of equal scores the later first."""
    return np.argsort(scores, axis=1, kind="stable")[:, ::-1]


def top_k_hits(scores: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Whether each video's label is among its k best classes, the later class first in a tie.

    scores: (videos, classes); labels: (videos,). Returns (videos,) bool. The mean is mmaction2's
    top_k_accuracy (mmaction/core/evaluation/accuracy.py), but for ties: there numpy's unstable
    sort decides, which orders them by the processor and by the release of numpy.
    """
    best = ranked(scores)[:, :k]  # (videos, k)
    hits: np.ndarray = (best == labels[:, np.newaxis]).any(axis=1)
    return hits


@dataclass(frozen=True)
class Figure:
    """An accuracy in percent over the scored videos, and its bounds over all listed videos."""

    percent: float
    interval95: tuple[float, float]
    if_skipped_all_wrong: float
    if_skipped_all_right: float


def figure(hits: int, scored: int, skipped: int) -> Figure:
    listed = scored + skipped
    return Figure(
        percent=100 * hits / scored,
        interval95=wilson_interval(hits, scored),
        if_skipped_all_wrong=100 * hits / listed,
        if_skipped_all_right=100 * (hits + skipped) / listed,
    )


def read_scores(folder: Path, info: list[ScoredVideo], recipe: Recipe) -> np.ndarray:
    """The scores of every video in k400.info, (videos, classes), from `folder`/<n>_0.txt.

    Raises UserError, naming the file, for a missing, extra, duplicate or malformed result.
    """
    expected = {str(video.index) for video in info}
    found = results.result_files(folder)
    for name in sorted(found - expected):
        twin = name.isdigit() and str(int(name)) in expected
        reason = "a second result of the same video" if twin else "a result of no listed video"
        raise UserError(f"{results.result_path(folder, name)}: {reason}; delete it and run again")
    for video in info:
        if str(video.index) not in found:
            path = results.result_path(folder, str(video.index))
            raise UserError(
                f"{path}: the result of {video.name} is missing; delete {folder} and run again"
            )
    rows = []
    for video in info:
        path = results.result_path(folder, str(video.index))
        logits = results.read_logits(path, recipe.clip.views)  # (views, classes)
        if logits.shape[1] != recipe.classes:
            raise UserError(f"{path}: {logits.shape[1]} classes, the model has {recipe.classes}")
        rows.append(video_scores(logits, recipe.fusion))
    scores = np.stack(rows)
    worst = max(info, key=lambda video: video.label)
    if worst.label >= scores.shape[1]:
        raise UserError(
            f"{worst.name} has label {worst.label}, but the model has {scores.shape[1]} classes; "
            "the checkpoint does not belong to this dataset"
        )
    return scores


def assess(scores: np.ndarray, info: list[ScoredVideo], skipped: int) -> dict:
    """Top-1 and top-5 over the videos that have a label; nothing if none has.

    scores: (videos, classes).
    """
    labels = np.array([video.label for video in info])
    labelled = labels != NO_LABEL
    videos = int(labelled.sum())
    if not videos:
        return {"videos": 0}
    top1, top5 = (
        figure(int(top_k_hits(scores[labelled], labels[labelled], k).sum()), videos, skipped)
        for k in (1, 5)
    )
    return {
        "top1": top1.percent,
        "top5": top5.percent,
        "videos": videos,
        "top1_detail": asdict(top1),
        "top5_detail": asdict(top5),
    }


def describe(folder: Path) -> dict:
    """Device, batch and model, from the engine's summary; no speed, which differs in each run."""
    path = folder / results.SUMMARY
    arguments = results.read_summary(path)["args"]
    if not {"device", "model"} <= arguments.keys():
        raise UserError(f"{path}: tells no device or model; delete {folder} and run again")
    return {
        "device": arguments["device"],
        "batch": arguments["batchsize"],
        "model": arguments["model"],
    }


def comparisons(
    scores: dict[str, np.ndarray], info: list[ScoredVideo], classes: list[str]
) -> list[dict]:
    """Every pair of engines on the same videos, the classes by name where they have names.

    scores: engine -> (videos, classes).
    """
    labels = np.array([video.label for video in info])
    best = {name: ranked(of_engine)[:, 0] for name, of_engine in scores.items()}
    pairs = []
    for first, second in combinations(scores, 2):
        pair = paired.compare_engines(best[first], best[second], labels)
        for row in pair["moved"]:
            row["class"] = class_name(row["class"], classes)
        pairs.append({"first": first, "second": second} | pair)
    return pairs


def moved_by_sampler(file_list: Path, sampling: Sampling) -> dict | None:
    """In how many videos of the file list the other release of mmaction2 picks other frames.

    None for a sampler that is not mmaction2's.
    """
    releases = [name for name in SAMPLERS if name.startswith("mmaction2")]
    if sampling.sampler not in releases:
        return None
    (other,) = (name for name in releases if name != sampling.sampler)
    totals = (int(line.split(" ")[1]) for line in read_lines(file_list))
    moved = sum(
        frame_numbers(total, sampling) != frame_numbers(total, replace(sampling, sampler=other))
        for total in totals
    )
    return {"other": other, "videos": moved}


def predictions(
    scores: np.ndarray, info: list[ScoredVideo], paths: dict[str, str], classes: list[str]
) -> pd.DataFrame:
    """The five best classes of every video, by name where the classes have names.

    scores: (videos, classes).
    """
    best = ranked(scores)[:, :5]  # (videos, 5)
    columns: dict[str, list] = {
        "video": [video.name for video in info],
        "path": [paths[video.name] for video in info],
        "label": [
            "" if video.label == NO_LABEL else class_name(video.label, classes) for video in info
        ],
    }
    for place in range(best.shape[1]):
        index = best[:, place]
        columns[f"top{place + 1}"] = [class_name(i, classes) for i in index]
        columns[f"probability{place + 1}"] = scores[np.arange(len(info)), index].round(6).tolist()
    return pd.DataFrame(columns)


def refuse_other_account(
    path: Path,
    listed: list[ListedVideo],
    info: list[ScoredVideo],
    skipped: list[tuple[str, str, str]],
) -> None:
    """Raises UserError unless each row of the list, read from `path`, is scored or skipped."""
    rows = Counter(video.name for video in listed)
    accounted = Counter(video.name for video in info) + Counter(name for name, _, _ in skipped)
    if rows != accounted:
        name = min((rows - accounted) + (accounted - rows))
        raise UserError(
            f"{path}: {len(listed)} videos are listed, but {len(info)} scored and {len(skipped)} "
            f"skipped, and {name} is not in both; delete {path} and run again"
        )


def class_name(index: int, classes: list[str]) -> str:
    return classes[index] if index < len(classes) else str(index)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--info", type=Path, required=True)
    parser.add_argument("--skipped", type=Path, required=True)
    parser.add_argument("--recipe", type=Path, required=True, help="recipe.json")
    parser.add_argument("--list", type=Path, required=True, help="tsv of the listed videos")
    parser.add_argument("--file-list", type=Path, required=True)
    parser.add_argument("--classes", type=Path, required=True, help="text, a class a line")
    parser.add_argument("--results", type=Path, required=True, nargs="+", help="an engine each")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    parser.add_argument("--predictions", type=Path, required=True, help="csv to write")
    args = parser.parse_args()

    info = read_info(args.info)
    skipped = read_skipped(args.skipped)
    listed = read_list(args.list)
    refuse_other_account(args.list, listed, info, skipped)
    paths = {video.name: video.path for video in listed}
    classes = read_classes(args.classes)
    recipe_json = read_json(args.recipe)
    recipe = read_part(str(args.recipe), Recipe)
    scores = {folder.name: read_scores(folder, info, recipe) for folder in args.results}
    content = {
        "engines": {
            folder.name: assess(scores[folder.name], info, len(skipped)) | describe(folder)
            for folder in args.results
        },
        "listed": len(listed),
        "scored": len(info),
        "skipped": len(skipped),
        "skipped_reasons": dict(Counter(reason for _, _, reason in skipped).most_common()),
        "recipe": recipe_json,
        "moved_by_sampler": moved_by_sampler(args.file_list, recipe.clip.sampling),
        "paired": comparisons(scores, info, classes),
    }
    write_json(args.output, content)
    tops = {name: predictions(s, info, paths, classes) for name, s in scores.items()}
    table = pd.concat(tops, names=["engine", None]).droplevel(1)
    write_predictions(args.predictions, table)


if __name__ == "__main__":
    errors.run(main)
