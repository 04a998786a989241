"""Compare the ONNX models with PyTorch: every logit, on real clips."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from tsf import dataset, errors, model, tables
from tsf.engines.onnxruntime import OnnxRuntime
from tsf.errors import UserError
from tsf.files import write_text
from tsf.preprocess import clip_from_video
from tsf.sampling import SAMPLERS

CLIPS = 2  # videos; every logit of every view of each is compared
MAX_ABS = 1e-4  # |logit difference|; float32 runs of the same graph differ by some 1e-6


def compare(reference: np.ndarray, found: np.ndarray) -> dict:
    """How far `found` is from `reference`, both (views, classes)."""
    difference = found.astype(np.float64) - reference
    return {
        "max_abs": float(np.abs(difference).max()),
        "relative_l2": float(np.linalg.norm(difference) / np.linalg.norm(reference)),
        "top1_agreement": float((found.argmax(1) == reference.argmax(1)).mean()),
        "logits": reference.size,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mmaction2", type=Path, required=True, help="patched sources")
    parser.add_argument("--config", required=True, help="mmaction2 config: a path or a name")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--onnx", type=Path, required=True, nargs="+", help="models to compare")
    parser.add_argument("--info", type=Path, required=True, help="k400.info: the scored videos")
    parser.add_argument("--list", type=Path, required=True, help="tsv of the listed videos")
    parser.add_argument("--root", type=Path, required=True, help="what its paths are relative to")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    names = [video.video for video in tables.read_info(args.info)[:CLIPS]]
    paths = {video.video: video.path for video in dataset.read_list(args.list)}
    clips = np.stack(
        [clip_from_video(args.root / paths[name], args.sampler)[1] for name in names]
    )  # (videos, 3, 3, 8, 224, 224)
    recogniser = model.build(args.mmaction2, args.config, args.checkpoint)
    reference = model.logits(recogniser, torch.from_numpy(clips)).numpy()
    del recogniser

    comparisons = {}
    for path in args.onnx:
        engine = OnnxRuntime(path, args.threads)
        found = np.concatenate([engine.run(clip[np.newaxis]) for clip in clips])
        comparisons[path.name] = compare(reference, found)
        print(f"{path}: {comparisons[path.name]}")
    for name, result in comparisons.items():
        if not result["max_abs"] <= MAX_ABS:
            raise UserError(
                f"{name} differs from PyTorch by {result['max_abs']:.3g} in a logit on real clips, "
                f"more than {MAX_ABS}; the export is wrong"
            )
    content = {"clips": names, "max_abs_allowed": MAX_ABS, "models": comparisons}
    write_text(args.output, json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    errors.run(main)
