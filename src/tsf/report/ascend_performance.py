"""ascend_performance.md: the speeds in the form of the guide's table, beside its figure."""

import argparse
import json
from pathlib import Path

from tsf import errors
from tsf.ascend.atc import PRECISIONS
from tsf.files import write_text
from tsf.model.macs import macs
from tsf.report.accuracy import table

GUIDE = {"device": "Ascend 310P3 (the guide's figure)", "batch": 1, "fps": 7.53}


def guide_table(runs: list[dict]) -> str:
    """The guide's table: a row a batch size, its own figure below."""
    rows = [
        [run["device"], str(run["batch"]), run["precision"], f"{run['fps']:.2f} fps"]
        for run in runs
    ]
    rows.append([GUIDE["device"], str(GUIDE["batch"]), "fast", f"{GUIDE['fps']:.2f} fps"])
    return table(["芯片型号", "Batch Size", "precision", "性能"], rows)


def time_table(runs: list[dict]) -> str:
    names = ("mean", "min", "p50", "p90", "p99", "max")
    rows = [
        [
            str(run["batch"]),
            str(run["runs"]),
            *(f"{run['milliseconds'][name]:.2f}" for name in names),
            *(
                "-" if run[copy] is None else f"{run[copy]:.2f}"
                for copy in ("h2d_milliseconds", "d2h_milliseconds")
            ),
        ]
        for run in runs
    ]
    return table(["batch", "runs", *names, "copy in (H2D)", "copy out (D2H)"], rows)


def share_of_peak(fps: float, macs_per_video: int, peak_tflops: float) -> float:
    """The part of the chip's peak that the model's multiply-adds, two operations each, use."""
    return fps * 2 * macs_per_video / (peak_tflops * 1e12)


def peak_text(runs: list[dict], macs_per_video: int | None, peak_tflops: float | None) -> str:
    if macs_per_video is None:
        return "The multiply-adds cannot be counted: the model was not simplified.\n"
    work = f"A video costs {macs_per_video / 1e9:.2f} G multiply-adds"
    if peak_tflops is None:
        return f"{work}. Share of the chip's peak: not stated; set ascend.peak_tflops.\n"
    shares = ", ".join(
        f"batch {run['batch']}: {share_of_peak(run['fps'], macs_per_video, peak_tflops):.1%}"
        for run in runs
    )
    return f"{work}. Share of the stated peak of {peak_tflops:g} TFLOPS: {shares}.\n"


def markdown(runs: list[dict], macs_per_video: int | None, peak_tflops: float | None) -> str:
    used = sorted({run["precision"] for run in runs})
    meanings = ", ".join(f"{name} = {PRECISIONS[name]}" for name in used)
    return f"""# Performance on the NPU

{guide_table(runs)}
fps: 1000 * batch / mean, as ais_bench defines it: videos (three crops each) a second of the model
alone, without copies, decoding and file reading. Precision: {meanings}.

Milliseconds a run, after the warm-up, on zeros as input:

{time_table(runs)}
{peak_text(runs, macs_per_video, peak_tflops)}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="json, one a batch")
    parser.add_argument("--onnx", type=Path, required=True, help="the model at batch 1")
    parser.add_argument("--peak-tflops", type=float, help="of the chip, at this precision")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, required=True)
    args = parser.parse_args()

    runs = [json.loads(path.read_text()) for path in args.runs]
    macs_per_video = macs(args.onnx)
    content = {"runs": runs, "macs_per_video": macs_per_video, "guide": GUIDE}
    if None not in (args.peak_tflops, macs_per_video):
        for run in runs:
            run["share_of_peak"] = share_of_peak(run["fps"], macs_per_video, args.peak_tflops)
    write_text(args.json, json.dumps(content, indent=2) + "\n")
    write_text(args.markdown, markdown(runs, macs_per_video, args.peak_tflops))


if __name__ == "__main__":
    errors.run(main)
