"""Result files in the form of ais_bench, whichever engine they are from.

One text file a video, `<name>_0.txt`: a line of `%f` values a view, a blank after each value.
Beside them a summary json with ais_bench's keys, its spelling of `sumary.json` included: the
guide's post-processing counts on exactly one such file in the folder.
"""

import os
import statistics
import warnings
from pathlib import Path

import numpy as np

from tsf.errors import UserError
from tsf.files import read_json

SUMMARY = "sumary.json"
SUFFIX = "_0.txt"
LATENCIES = ("H2D_latency", "D2H_latency")


def result_path(folder: Path, name: str) -> Path:
    return folder / f"{name}{SUFFIX}"


def write_logits(path: Path, logits: np.ndarray) -> None:
    """logits: (views, classes)."""
    np.savetxt(path, logits, fmt="%f", delimiter=" ", newline=" \n")


def read_logits(path: Path, views: int) -> np.ndarray:
    """The (views, classes) float64 of one result file.

    Raises UserError, naming the file, if it is not such a table or has values that are not finite.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # numpy's, for an empty file
            logits = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise UserError(f"{path}: not a table of numbers ({error})") from None
    if logits.shape[0] != views:
        raise UserError(f"{path}: {logits.shape[0]} lines, expected {views}, one a view")
    if not path.read_bytes().endswith(b"\n"):  # cut within a number, which is another one then
        raise UserError(f"{path}: the last line has no end, so the file was cut short")
    if not np.isfinite(logits).all():
        raise UserError(f"{path}: holds a value that is not finite")
    return logits


def result_files(folder: Path) -> set[str]:
    """The names of the videos that have a result in `folder`.

    Raises UserError for a file that is neither a result, nor the summary, nor hidden (Snakemake
    keeps a time stamp in the folders it makes).
    """
    names = set()
    for entry in os.scandir(folder):
        if entry.name.endswith(SUFFIX):
            names.add(entry.name.removesuffix(SUFFIX))
        elif entry.name != SUMMARY and not entry.name.startswith("."):
            raise UserError(f"{entry.path}: not a result of this run; delete it and run again")
    return names


def summary(files: dict[str, str], milliseconds: list[float], arguments: dict) -> dict:
    """ais_bench's summary. files: input -> output; milliseconds: model time of each run."""
    times = sorted(milliseconds) or [0.0]
    mean = statistics.fmean(times)
    return {
        "filesinfo": {
            str(n): {"infiles": [infile], "outfiles": [outfile]}
            for n, (infile, outfile) in enumerate(files.items())
        },
        "args": arguments,
        "NPU_compute_time": {
            "min": times[0],
            "max": times[-1],
            "mean": mean,
            "median": statistics.median(times),
            "percentile(99%)": float(np.percentile(times, 99)),
            "count": len(milliseconds),
        },
        "H2D_latency": {"min": 0.0, "max": 0.0, "mean": 0.0},
        "D2H_latency": {"min": 0.0, "max": 0.0, "mean": 0.0},
        "throughput": 1000 * arguments["batchsize"] / mean if mean else 0.0,
        "npu_compute_time_list": milliseconds,
        "pid": os.getpid(),
    }


def merge_latencies(parts: list[tuple[dict, int]]) -> dict[str, float]:
    """A latency over several summaries. parts: the latency in each, and its number of runs."""
    runs = sum(count for _, count in parts) or 1
    return {
        "min": min(latency["min"] for latency, _ in parts),
        "max": max(latency["max"] for latency, _ in parts),
        "mean": sum(latency["mean"] * count for latency, count in parts) / runs,
    }


def read_summary(path: Path) -> dict:
    """The summary in a folder of our results. Raises UserError."""
    return read_json(path, f"delete {path.parent} and run again")
