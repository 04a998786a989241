"""Compare each exported model, on each engine, with mmaction2 in PyTorch, on real clips."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from tsf import dataset, engines, errors, model, tables
from tsf.errors import UserError
from tsf.files import write_text
from tsf.preprocess import NORMALISED, clip_from_video
from tsf.report import table
from tsf.sampling import SAMPLERS

CLIPS = 2  # videos; every logit of every view of each is compared
# float32 runs of the same function differ by some 1e-6 in a logit
MAX_ABS = 1e-4
# bfloat16 has 8 bits of precision: 1.3e-2 was seen at full size, with random weights
RELATIVE_L2_BF16 = 5e-2


def pixels(clips: np.ndarray) -> np.ndarray:
    """The bytes that `clips`, float32, are the normalised values of; uint8 of the same shape.

    Raises UserError if they are not bit for bit those.
    """
    values = np.searchsorted(NORMALISED, clips).clip(max=255).astype(np.uint8)
    if not np.array_equal(NORMALISED[values], clips):
        raise UserError("the clips are no normalised bytes: the uint8 model would not see the same")
    return values


def compare(reference: np.ndarray, found: np.ndarray) -> dict:
    """How far `found` is from `reference`, both (views, classes)."""
    found, reference = found.astype(np.float64), reference.astype(np.float64)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(reference, axis=1)  # (views,)
    return {
        "max_abs": float(np.abs(found - reference).max()),
        "relative_l2": float(np.linalg.norm(found - reference) / np.linalg.norm(reference)),
        "cosine": float(((found * reference).sum(1) / lengths).min()),  # of the worst view
        "top1_agreement": float((found.argmax(1) == reference.argmax(1)).mean()),
        "logits": reference.size,
    }


def refuse_apart(comparisons: dict[str, dict]) -> None:
    """Raises UserError, naming the first that is further from PyTorch than it may be, or NaN."""
    for name, found in comparisons.items():
        measure, limit = (
            ("relative_l2", RELATIVE_L2_BF16) if "bf16" in name else ("max_abs", MAX_ABS)
        )
        if not found[measure] <= limit:
            raise UserError(
                f"{name} differs from PyTorch on real clips: {measure} {found[measure]:.3g}, more "
                f"than {limit}; it is the first of {', '.join(comparisons)}"
            )


def markdown(content: dict) -> str:
    """parity.md."""
    rows = [
        [
            name,
            f"{found['max_abs']:.2g}",
            f"{found['relative_l2']:.2g}",
            f"{found['cosine']:.9f}",
            f"{100 * found['top1_agreement']:.0f} %",
        ]
        for name, found in content["models"].items()
    ]
    header = ["model (engine)", "max abs", "relative L2", "cosine", "top-1 agreement"]
    return f"""# Parity

Logits against mmaction2 in PyTorch, float32, on {len(content["clips"])} real clips:
{", ".join(content["clips"])}.

Allowed are at most {MAX_ABS} in any logit, and for bfloat16 a relative L2 of {RELATIVE_L2_BF16}.
The cosine is that of the worst view. A model that ends in _u8 reads the clips' bytes; the others'
input is bit for bit their normalised values.

{table(header, rows)}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    model.add_arguments(parser)
    parser.add_argument("--onnx", type=Path, required=True, nargs="+", help="models to compare")
    parser.add_argument("--engines", choices=engines.ONNX, default=["onnxruntime"], nargs="+")
    parser.add_argument("--info", type=Path, required=True, help="k400.info: the scored videos")
    parser.add_argument("--list", type=Path, required=True, help="tsv of the listed videos")
    parser.add_argument("--root", type=Path, required=True, help="what its paths are relative to")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    parser.add_argument("--markdown", type=Path, help="table to write")
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
        inputs = pixels(clips) if path.stem.endswith("_u8") else clips
        for name in args.engines:
            engine = engines.load(name, path, args.threads)
            found = np.concatenate([engine.run(clip[np.newaxis]) for clip in inputs])
            what = path.name if name == "onnxruntime" else f"{path.name} ({name})"
            comparisons[what] = compare(reference, found)
            print(f"{what}: {comparisons[what]}")
    refuse_apart(comparisons)
    content = {"clips": names, "max_abs_allowed": MAX_ABS, "models": comparisons}
    write_text(args.output, json.dumps(content, indent=2) + "\n")
    if args.markdown:
        write_text(args.markdown, markdown(content))


if __name__ == "__main__":
    errors.run(main)
