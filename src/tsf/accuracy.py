"""Top-1 and top-5 of every engine, and the account of every listed video."""

import argparse
import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tsf import errors, results, tables
from tsf.errors import UserError
from tsf.files import write_text
from tsf.preprocess import CROPS


def video_scores(logits: np.ndarray) -> np.ndarray:
    """(views, classes) logits -> (classes,) probabilities: softmax, then the mean of the views.

    mmaction2's average_clips='prob'.
    """
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))  # (views, classes)
    return (shifted / shifted.sum(axis=1, keepdims=True)).mean(axis=0)


def top_k_hits(scores: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """Whether each video's label is among its k best classes, the later class first in a tie.

    scores: (videos, classes); labels: (videos,). Returns (videos,) bool. The mean is mmaction2's
    top_k_accuracy (mmaction/core/evaluation/accuracy.py), but for ties: there numpy's unstable
    sort decides, which orders them by the processor and by the release of numpy.
    """
    best = np.argsort(scores, axis=1, kind="stable")[:, -k:]  # (videos, k)
    return (best == labels[:, np.newaxis]).any(axis=1)


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion, in percent."""
    z = 1.959963984540054  # the normal distribution's 97.5 % point
    p = hits / total
    centre = p + z * z / (2 * total)
    half = z * ((p * (1 - p) + z * z / (4 * total)) / total) ** 0.5
    scale = 100 / (1 + z * z / total)
    return max(0.0, (centre - half) * scale), min(100.0, (centre + half) * scale)


@dataclass(frozen=True)
class Figure:
    """One accuracy in percent over the scored videos, and what the skipped ones could do to it."""

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


def read_scores(folder: Path, info: list[tables.Scored]) -> np.ndarray:
    """The scores of every video in k400.info, (videos, classes), from `folder`/<n>_0.txt.

    Raises UserError, naming the file, for a missing, extra, duplicate or malformed result.
    """
    expected = {str(video.index) for video in info}
    found = results.result_files(folder)
    for name in sorted(found - expected):
        twin = name.isdigit() and str(int(name)) in expected
        reason = "a second result of the same video" if twin else "a result of no listed video"
        raise UserError(f"{folder / name}{results.SUFFIX}: {reason}; delete it and run again")
    for video in info:
        if str(video.index) not in found:
            path = folder / f"{video.index}{results.SUFFIX}"
            raise UserError(f"{path}: missing, the result of {video.video}; delete {folder}")
    rows = []
    for video in info:
        path = folder / f"{video.index}{results.SUFFIX}"
        rows.append(video_scores(results.read_logits(path, CROPS)))
        if len(rows[-1]) != len(rows[0]):
            raise UserError(f"{path}: {len(rows[-1])} classes, the others have {len(rows[0])}")
    scores = np.stack(rows)
    worst = max(info, key=lambda video: video.label)
    if worst.label >= scores.shape[1]:
        raise UserError(
            f"{worst.video} has label {worst.label}, but the model has {scores.shape[1]} classes; "
            "the checkpoint does not belong to this dataset"
        )
    return scores


def assess(folder: Path, info: list[tables.Scored], skipped: int) -> dict:
    """The accuracy of the results in one engine's folder."""
    scores = read_scores(folder, info)  # (videos, classes)
    labels = np.array([video.label for video in info])
    top1, top5 = (
        figure(int(top_k_hits(scores, labels, k).sum()), len(info), skipped) for k in (1, 5)
    )
    summary = results.read_summary(folder / results.SUMMARY)
    return {
        "top1": top1.percent,
        "top5": top5.percent,
        "videos": len(info),
        "top1_detail": asdict(top1),
        "top5_detail": asdict(top5),
        "device": summary["args"]["device"],
        "batch": summary["args"]["batchsize"],
        "model": summary["args"]["model"],
        "model_only_videos_per_second": summary["throughput"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--info", type=Path, required=True)
    parser.add_argument("--skipped", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True, nargs="+", help="an engine each")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    info = tables.read_info(args.info)
    skipped = tables.read_skipped(args.skipped)
    content = {
        "engines": {folder.name: assess(folder, info, len(skipped)) for folder in args.results},
        "listed": len(info) + len(skipped),
        "scored": len(info),
        "skipped": len(skipped),
        "skipped_reasons": dict(Counter(reason for _, _, reason in skipped).most_common()),
    }
    write_text(args.output, json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    errors.run(main)
