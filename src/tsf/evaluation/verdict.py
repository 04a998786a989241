"""verdict.json: what a run found, in the few figures that a reader looks for first."""

import argparse
import json
from pathlib import Path

from tsf import errors
from tsf.evaluation.latency import histogram
from tsf.files import read_json, read_json_of, write_json


def held_against(reference: dict | None, engine: dict) -> dict | None:
    """The published accuracy, and whether it is within the measured one's 95 % interval.

    engine: of accuracy.json. None where either is missing.
    """
    if reference is None or not engine["videos"]:
        return None
    low, high = engine["top1_detail"]["interval95"]
    difference = engine["top1"] - reference["top1"]
    within = low <= reference["top1"] <= high
    return reference | {"difference": difference, "within_noise": within}


def verdict(
    accuracy: dict, summaries: dict[str, dict], dataset: str, reference: dict | None
) -> dict:
    """The first engine's figures, and the speed of every engine in this run.

    accuracy: accuracy.json; summaries: of each engine's inference.
    """
    name, engine = next(iter(accuracy["engines"].items()))
    measured = {
        key: {
            "videos_per_second": summary["throughput"],
            "latency": histogram(summary["npu_compute_time_list"]),
        }
        for key, summary in summaries.items()
    }
    return {
        "engine": name,
        "model": Path(engine["model"]).name,
        "device": engine["device"],
        "dataset": dataset,
        "videos": engine["videos"],
        "top1": engine.get("top1"),
        "interval95": engine["top1_detail"]["interval95"] if engine["videos"] else None,
        "videos_per_second": measured[name]["videos_per_second"],
        "reference": held_against(reference, engine),
        "listed": accuracy["listed"],
        "scored": accuracy["scored"],
        "skipped": accuracy["skipped"],
        "engines": measured,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accuracy", type=Path, required=True)
    parser.add_argument("--summaries", type=Path, nargs="+", required=True, help="an engine each")
    parser.add_argument("--dataset", required=True, help="its name")
    parser.add_argument("--reference", type=json.loads, required=True, help="json of the config")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    accuracy = read_json(args.accuracy)
    summaries = read_json_of(accuracy["engines"], args.summaries)
    write_json(args.output, verdict(accuracy, summaries, args.dataset, args.reference))


if __name__ == "__main__":
    errors.run(main)
