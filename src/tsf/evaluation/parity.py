"""Compare every boundary from the clips' bytes to each engine's logits with the reference.

The reference is mmaction2 in PyTorch, float32, on real clips.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tsf import errors
from tsf.data import listing, tables
from tsf.engines.setup import DEFAULTS, load_engine
from tsf.model.recogniser import add_model_arguments, build_recogniser, reference_logits
from tsf.data.model_input import CROPS
from tsf.engines.setup import Setup
from tsf.errors import UserError
from tsf.files import write_text
from tsf.data.pixels import normalise
from tsf.data.preprocess import clip_from_video
from tsf.report.accuracy import parity_table
from tsf.data.sampling import SAMPLERS

BYTES = "uint8 .bin, normalised"
ON_ONNXRUNTIME = DEFAULTS["onnxruntime"]


def compare(reference: np.ndarray, found: np.ndarray) -> dict:
    """How far `found` is from `reference`, both (views, values)."""
    found, reference = found.astype(np.float64), reference.astype(np.float64)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(reference, axis=1)  # (views,)
    return {
        "max_abs": float(np.abs(found - reference).max()),
        "relative_l2": float(np.linalg.norm(found - reference) / np.linalg.norm(reference)),
        "cosine": float(((found * reference).sum(1) / lengths).min()),  # of the worst view
        "values": reference.size,
    }


def compare_logits(reference: np.ndarray, found: np.ndarray) -> dict:
    """`compare` of (views, classes), and how many views have the same best class."""
    same = found.argmax(1) == reference.argmax(1)  # (views,)
    return compare(reference, found) | {"top1_agreement": float(same.mean())}


def logits(engine, clips: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """The engine's logits, (videos * 3, classes).

    clips: (videos, 3, 3, 8, 224, 224) float32; pixels: the same before normalisation, uint8.
    """
    inputs = pixels if engine.dtype == "uint8" else clips
    found = []
    for first in range(0, len(inputs), engine.batch):
        batch = np.zeros((engine.batch, *inputs.shape[1:]), inputs.dtype)
        part = inputs[first : first + engine.batch]
        batch[: len(part)] = part
        found.append(engine.run(batch)[: len(part) * CROPS])
    return np.concatenate(found)


def limit(setup: Setup, thresholds: dict) -> tuple[str, float]:
    """The measure that counts in a precision, and what it may be at most.

    thresholds: `parity` of the config.
    """
    if setup.precision == "f32":
        return "max_abs", thresholds["max_abs"]
    return "relative_l2", thresholds["relative_l2"][setup.precision]


def refuse_apart(boundaries: list[dict]) -> None:
    """Raises UserError, naming the first boundary that is further off than allowed, or NaN."""
    for boundary in boundaries:
        measure = boundary["measure"]
        if not boundary[measure] <= boundary["allowed"]:
            raise UserError(
                f"{boundary['name']} differs from the reference on real clips: {measure} "
                f"{boundary[measure]:.3g}, allowed are {boundary['allowed']:g}; it is the first of "
                f"{', '.join(b['name'] for b in boundaries)} that does. The thresholds are parity "
                "in the config"
            )


def markdown(content: dict) -> str:
    """parity.md."""
    return f"""# Parity

Against mmaction2 in PyTorch, float32, on {len(content["clips"])} real clips:
{", ".join(content["clips"])}.

The first row compares the bytes of a uint8 .bin file, once they are normalised, with the float32
file of the guide; the others every logit. A row without an engine is ONNX Runtime's. A model that
ends in _u8 reads the bytes. The cosine is that of the worst view.

{parity_table(content["boundaries"])}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    parser.add_argument("--models", type=Path, required=True, help="their folder")
    parser.add_argument("--onnx", nargs="+", required=True, help="to compare on ONNX Runtime")
    parser.add_argument("--setups", default="[]", help="json: setups of engines to compare too")
    parser.add_argument("--thresholds", required=True, help="json: max_abs, relative_l2, clips")
    parser.add_argument("--info", type=Path, required=True, help="k400.info: the scored videos")
    parser.add_argument("--list", type=Path, required=True, help="tsv of the listed videos")
    parser.add_argument("--root", type=Path, required=True, help="what its paths are relative to")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    parser.add_argument("--markdown", type=Path, help="table to write")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    thresholds = json.loads(args.thresholds)
    names = [video.video for video in tables.read_info(args.info)[: thresholds["clips"]]]
    listed = {video.video: video.path for video in listing.read_list(args.list)}
    paths = [args.root / listed[name] for name in names]
    clips, pixels = (
        np.stack([clip_from_video(path, args.sampler, values)[1] for path in paths])
        for values in ("float32", "uint8")
    )  # (videos, 3, 3, 8, 224, 224)
    recogniser = build_recogniser(args.mmaction2, args.config, args.checkpoint)
    reference = reference_logits(recogniser, torch.from_numpy(clips)).numpy()
    del recogniser

    views = (len(names) * CROPS, -1)
    found = compare(clips.reshape(views), normalise(pixels).reshape(views))
    boundaries = [
        {"name": BYTES, **found, "top1_agreement": None, "measure": "max_abs", "allowed": 0.0}
    ]
    setups = {f"{name}.onnx": replace(ON_ONNXRUNTIME, model=name) for name in args.onnx}
    for setup in (Setup(**entry) for entry in json.loads(args.setups)):
        if setup not in setups.values():
            setups[f"{setup.file} ({setup.name})"] = setup
    for name, setup in setups.items():
        engine = load_engine(setup, args.models / setup.file, args.threads)
        measure, allowed = limit(setup, thresholds)
        found = compare_logits(reference, logits(engine, clips, pixels))
        boundaries.append({"name": name, **found, "measure": measure, "allowed": allowed})
    for boundary in boundaries:
        print(boundary)
    refuse_apart(boundaries)
    content = {"clips": names, "boundaries": boundaries}
    write_text(args.output, json.dumps(content, indent=2) + "\n")
    if args.markdown:
        write_text(args.markdown, markdown(content))


if __name__ == "__main__":
    errors.run(main)
