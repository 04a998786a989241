"""ascend_performance.json: the speeds on the NPU beside the guide's, and the share of its peak."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.ascend.atc import PRECISIONS
from tsf.files import read_json, write_json
from tsf.model.macs import macs

GUIDE = {
    "device": "Ascend 310P3 (the guide's figure)",
    "batch": 1,
    "precision": "force_fp16",
    "fast_gelu": True,
    "fps": 7.53,
    "dataset": "Kinetics400",
    "top1": 77.68,
}


def share_of_peak(
    fps: float, macs_per_video: int | None, peak_tflops: float | None
) -> float | None:
    """The part of the chip's peak that the model's multiply-adds, two operations each, use.

    None if either is unknown.
    """
    if macs_per_video is None or peak_tflops is None:
        return None
    return fps * 2 * macs_per_video / (peak_tflops * 1e12)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="json, one a batch")
    parser.add_argument("--onnx", type=Path, required=True, help="the model at batch 1")
    parser.add_argument("--peak-tflops", type=float, help="of the chip, at this precision")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    runs = [read_json(path) for path in args.runs]
    macs_per_video = macs(args.onnx)
    for run in runs:
        run["share_of_peak"] = share_of_peak(
            run["videos_per_second"], macs_per_video, args.peak_tflops
        )
    content = {
        "runs": runs,
        "macs_per_video": macs_per_video,
        "peak_tflops": args.peak_tflops,
        "precisions": {run["precision"]: PRECISIONS[run["precision"]] for run in runs},
        "guide": GUIDE,
    }
    write_json(args.output, content)


if __name__ == "__main__":
    errors.run(main)
