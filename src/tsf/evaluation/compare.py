"""compare.json: how two finished runs differ: videos, inputs, accuracy, speed, parity."""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from tsf import errors
from tsf.errors import UserError
from tsf.evaluation.changes import changes, made_of
from tsf.evaluation.paired import compare_engines
from tsf.evaluation.results_folder import Results, read_results
from tsf.files import write_json

NAMED = 50  # videos shown by name in a list


def videos(first: Results, second: Results) -> dict:
    """How many videos are scored in both and in one alone, and whether they are the same files."""
    names = [list(dict.fromkeys(run.predictions["video"])) for run in (first, second)]
    both = set(names[0]) & set(names[1])
    labels = [run.of_engine(run.engines[0])["label"] for run in (first, second)]
    common = sorted(both)
    heads = [run.heads.reindex(common) for run in (first, second)]
    known = heads[0].notna() & heads[1].notna()
    return {
        "both": len(both),
        "other_label": int((labels[0].loc[common] != labels[1].loc[common]).sum()),
        "other_file": int(((heads[0] != heads[1]) & known).any(axis=1).sum()),
        "only_first": _only([name for name in names[0] if name not in both], second.skipped),
        "only_second": _only([name for name in names[1] if name not in both], first.skipped),
    }


def _only(names: list[str], skipped_there: dict[str, str]) -> dict:
    """The first of them, each with why the other run has not scored it; None: it lists it not."""
    shown = [{"video": name, "skipped": skipped_there.get(name)} for name in names[:NAMED]]
    return {"number": len(names), "videos": shown}


def engine_pairs(first: list[str], second: list[str]) -> list[tuple[str, str]]:
    """The engines that both have; if there are none, the first one of each."""
    shared = [(name, name) for name in first if name in second]
    return shared or [(first[0], second[0])]


def paired(first: pd.DataFrame, second: pd.DataFrame) -> dict | None:
    """How an engine's predictions differ on the videos of both; None if there are none.

    first, second: the engine's rows, by video. A video whose labels differ counts as unlabelled.
    """
    common = [video for video in first.index if video in second.index]
    if not common:
        return None
    first, second = first.loc[common], second.loc[common]
    label = first["label"].where(first["label"] == second["label"], "")
    codes, names = pd.factorize(np.concatenate([first["top1"], second["top1"], label]))
    best_first, best_second, labels = codes.reshape(3, len(common))  # (videos,) each
    labels = np.where(label == "", -1, labels)
    found = compare_engines(best_first, best_second, labels)
    for row in found["moved"]:
        row["class"] = names[row["class"]]

    other = best_first != best_second
    change = (second["probability1"] - first["probability1"]).abs()[~other]
    rows = pd.DataFrame(
        {
            "video": common,
            "label": label,
            "first": first["top1"],
            "second": second["top1"],
            "first_probability": first["probability1"],
            "second_probability": second["probability1"],
        }
    )[other]
    confidence = rows[["first_probability", "second_probability"]].max(axis=1)
    rows = rows.loc[confidence.sort_values(ascending=False, kind="stable").index]
    return found | {
        "largest_change": float(change.max()) if len(change) else None,
        "flips": rows[:NAMED].to_dict("records"),
    }


def accuracy(first: Results, second: Results) -> list[dict]:
    """A row a pair of engines: each one's own top-1, and the two on the videos of both."""
    return [
        {
            "engines": pair,
            "top1": [
                run.json["accuracy"]["engines"][name].get("top1")
                for run, name in zip((first, second), pair, strict=True)
            ],
            "paired": paired(first.of_engine(pair[0]), second.of_engine(pair[1])),
        }
        for pair in engine_pairs(first.engines, second.engines)
    ]


def ratio(first: float | None, second: float | None) -> float | None:
    """The second over the first, None where one is missing."""
    return second / first if first and second else None


def speed(first: Results, second: Results) -> list[dict]:
    """A row a pair of engines: the model's videos a second in the run, and its median latency."""
    rows = []
    for pair in engine_pairs(first.engines, second.engines):
        of_run = [
            run.json["verdict"]["engines"][name]
            for run, name in zip((first, second), pair, strict=True)
        ]
        fast = [engine["videos_per_second"] for engine in of_run]
        rows.append(
            {
                "engines": pair,
                "videos_per_second": fast,
                "ratio": ratio(*fast),
                "p50": [engine["latency"] and engine["latency"]["p50"] for engine in of_run],
            }
        )
    return rows


def measured_speed(first: Results, second: Results) -> list[dict]:
    """A row a setup of performance.json, where it is there and of the run's own models."""
    tables = []
    for run in (first, second):
        found, fault = (run.json["measured"][key] for key in ("performance", "faults"))
        rows = found["measurements"] if found and not fault["performance"] else []
        tables.append(
            {
                tuple(row[key] for key in ("engine", "model", "precision", "batch")): row
                for row in rows
            }
        )
    return [
        {
            "setup": setup,
            "videos_per_second": (
                fast := [table.get(setup, {}).get("videos_per_second") for table in tables]
            ),
            "ratio": ratio(*fast),
        }
        for setup in _in_order(*tables)
    ]


def parity(first: Results, second: Results) -> list[dict]:
    """A row a boundary: its measure, distance and threshold in each run, None where it has none."""
    tables = [
        {row["name"]: row for row in run.json["verify"]["boundaries"]} for run in (first, second)
    ]
    rows = []
    for name in _in_order(*tables):
        of_run = [table.get(name) for table in tables]
        rows.append(
            {
                "name": name,
                "measure": [row and row["measure"] for row in of_run],
                "distance": [row and row[row["measure"]] for row in of_run],
                "allowed": [row and row["allowed"] for row in of_run],
            }
        )
    return rows


def _in_order(*tables: dict) -> Iterable:
    """The keys of all of them, each once."""
    return dict.fromkeys(key for table in tables for key in table)


def run_of(results: Results) -> dict:
    """What a run is known by."""
    keys = ("listed", "scored", "skipped")
    verdict, provenance = results.json["verdict"], results.json["provenance"]
    return {
        "folder": str(results.folder),
        "dataset": verdict["dataset"],
        "model": verdict["model"],
        "engines": results.engines,
        "processor": provenance["machine"]["processor"],
        "ended": max((row["end"] for row in provenance.get("stages", [])), default=None),
    } | {key: results.json["accuracy"][key] for key in keys}


def compare(first: Results, second: Results) -> dict:
    of_runs = [made_of(run.json["provenance"], run.json["accuracy"]) for run in (first, second)]
    clips = [run.json["verify"]["clips"] for run in (first, second)]
    return {
        "runs": [run_of(first), run_of(second)],
        "videos": videos(first, second),
        "inputs": changes(*of_runs),
        "accuracy": accuracy(first, second),
        "only_first": [name for name in first.engines if name not in second.engines],
        "only_second": [name for name in second.engines if name not in first.engines],
        "speed": speed(first, second),
        "measured_speed": measured_speed(first, second),
        "parity": parity(first, second),
        "same_clips": clips[0] == clips[1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, nargs=2, required=True, help="two folders")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    first, second = args.results
    if first.resolve() == second.resolve():
        raise UserError(f"compare: {first} and {second} are the same folder; name two")
    content = compare(read_results(first), read_results(second))
    write_json(args.output, content)


if __name__ == "__main__":
    errors.run(main)
