"""The last lines of a run: its verdict, and where the report is."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.files import read_json


def summary(verdict: dict, accuracy: dict, report: Path) -> str:
    """verdict, accuracy: verdict.json and accuracy.json."""
    recipe = accuracy["recipe"]
    clip, sampling = recipe["clip"], recipe["clip"]["sampling"]
    frames = " x ".join(str(sampling[key]) for key in ("num_clips", "clip_len", "frame_interval"))
    lines = [
        f"model    {verdict['model']} on {verdict['engine']}, {verdict['device']}",
        f"recipe   {sampling['sampler']}, {frames} frames, {clip['crops']} {clip['side']} px, "
        f"{recipe['fusion']}",
        f"data     {verdict['dataset']}: {verdict['listed']} listed = {verdict['scored']} scored + "
        f"{verdict['skipped']} skipped",
    ]
    lines += [f"skipped  {n}: {reason}" for reason, n in accuracy["skipped_reasons"].items()]
    for name, engine in accuracy["engines"].items():
        speed = verdict["engines"][name]["videos_per_second"]
        lines.append(f"{name}  {_top1(engine)}, {speed:.2f} videos a second")
    if reference := verdict["reference"]:
        where = "within" if reference["within_noise"] else "outside"
        lines.append(
            f"published  {reference['top1']:.2f} % on {reference['dataset']}, {where} the interval "
            f"of {verdict['engine']}"
        )
    return "\n".join([*lines, f"report   {report}"])


def _top1(engine: dict) -> str:
    if not engine["videos"]:
        return "no label, so no accuracy"
    low, high = engine["top1_detail"]["interval95"]
    return f"top-1 {engine['top1']:.2f} %, 95 % interval {low:.2f} to {high:.2f}"


def of_results(results: Path) -> str:
    """results: the folder of a finished run."""
    verdict, accuracy = (read_json(results / f"{name}.json") for name in ("verdict", "accuracy"))
    return summary(verdict, accuracy, results / "report.html")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    print(of_results(parser.parse_args().results))


if __name__ == "__main__":
    errors.run(main)
