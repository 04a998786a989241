"""ascend_performance.json: the speeds on the NPU beside the guide's, and the share of its peak."""

import argparse
from pathlib import Path
from typing import Any

from tsf import errors
from tsf.ascend.atc import PRECISIONS
from tsf.files import read_json, write_json
from tsf.model.macs import macs

GUIDE: dict[str, Any] = {
    "device": "Ascend 310P3 (the guide's figure)",
    "batch": 1,
    "precision": "force_fp16",
    "fast_gelu": True,
    "fps": 7.53,
    "macs_per_video": 587_500_000_000,  # of 3 views
    "dataset": "Kinetics400",
    "top1": 77.68,
}

# The multiply-adds of the guide's model, tsf_opt and tsf_npu, as parts of the first: 195.83, 173.17
# and 183.97 G a view.
SAME_FUNCTION = (1.0, 173.17 / 195.83, 183.97 / 195.83)


def is_guides_model(macs_per_video: int | None) -> bool | None:
    """Whether the exact rewrites explain all that the multiply-adds differ by from the guide's.

    None if they are unknown. Up to 0.5 % are left to the number of classes and to rounding.
    """
    if macs_per_video is None:
        return None
    part = macs_per_video / GUIDE["macs_per_video"]
    return any(abs(part / same - 1) <= 0.005 for same in SAME_FUNCTION)


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
        "guide": GUIDE | {"same_model": is_guides_model(macs_per_video)},
    }
    write_json(args.output, content)


if __name__ == "__main__":
    errors.run(main)
