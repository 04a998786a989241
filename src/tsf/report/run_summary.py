"""The short table at the end of a run."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.files import read_json


def summary(accuracy: dict, report: Path) -> str:
    lines = [f"videos   {accuracy['listed']} listed, {accuracy['scored']} scored"]
    lines += [f"skipped  {n}: {reason}" for reason, n in accuracy["skipped_reasons"].items()]
    for name, engine in accuracy["engines"].items():
        if engine["videos"]:
            lines.append(f"{name}  top-1 {engine['top1']:.2f} %, top-5 {engine['top5']:.2f} %")
    return "\n".join([*lines, f"report   {report}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    results = parser.parse_args().results
    accuracy = read_json(results / "accuracy.json")
    print(summary(accuracy, results / "accuracy.md"))


if __name__ == "__main__":
    errors.run(main)
