"""Measure how far one engine's logits, or uint8 clips, are from the reference on real clips."""

import argparse
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data.bins import fill_batch
from tsf.data.model_input import normalise
from tsf.engines.described import read_described, refuse_other_model
from tsf.engines.device import device_of
from tsf.engines.engine import Engine, load_engine
from tsf.engines.setup import Setup
from tsf.errors import UserError
from tsf.evaluation.reference_file import read_reference
from tsf.files import write_json
from tsf.recipe.record import ClipRecipe, add_recipe_argument


def distances(reference: np.ndarray, found: np.ndarray) -> dict:
    """Distances of `found` from `reference`, both (views, values).

    In float64 a view at a time, as whole clips have 1.2 million values in each.
    """
    of_views = []
    for expected, view in zip(reference, found, strict=True):
        r, f = expected.astype(np.float64), view.astype(np.float64)
        difference, length = f - r, np.linalg.norm(r)
        cosine = f @ r / (np.linalg.norm(f) * length)
        of_views.append((np.abs(difference).max(), np.linalg.norm(difference), length, cosine))
    furthest, apart, lengths, cosines = np.array(of_views).T  # (views,) each
    return {
        "max_abs": float(furthest.max()),
        "relative_l2": float(np.linalg.norm(apart) / np.linalg.norm(lengths)),
        "cosine": float(cosines.min()),  # of the worst view
        "values": reference.size,
    }


def logit_distances(reference: np.ndarray, found: np.ndarray) -> dict:
    """`distances` of (views, classes), and the share of views with the same best class."""
    same = found.argmax(1) == reference.argmax(1)  # (views,)
    return distances(reference, found) | {"top1_agreement": float(same.mean())}


def engine_logits(engine: Engine, clips: np.ndarray) -> np.ndarray:
    """The engine's logits, (videos * views, classes).

    clips: (videos, views, 3, frames, y, x), of the type that the engine takes.
    """
    found, views = [], clips.shape[1]
    for first in range(0, len(clips), engine.batch):
        part = clips[first : first + engine.batch]
        found.append(engine.run(fill_batch(part, engine.batch))[: len(part) * views])
    return np.concatenate(found)


def boundary_name(setup: Setup) -> str:
    """The model's file, with the setup's name unless it is ONNX Runtime's default one."""
    plain = setup.engine == "onnxruntime" and setup.device == "cpu" and setup.batch == 1
    return setup.file if plain else f"{setup.file} ({setup.name})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, required=True, help="npz: clips and logits")
    parser.add_argument(
        "--engine",
        type=Path,
        help="json of engines.described; without it the uint8 clips are compared, by --recipe",
    )
    add_recipe_argument(parser, ClipRecipe, required=False)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    reference = read_reference(args.reference)
    if args.engine:
        described = read_described(args.engine)
        refuse_other_model(described)
        with device_of(described.setup):
            engine = load_engine(described.setup, described.file, args.threads)
            clips = reference.uint8_clips if engine.dtype == "uint8" else reference.clips
            if clips is None:
                raise UserError(
                    f"{described.file} takes uint8, but {args.reference} has no uint8 clips, as "
                    "its recipe has none"
                )
            logits = engine_logits(engine, clips)
        found = {
            "name": boundary_name(described.setup),
            "precision": described.setup.precision,
            **logit_distances(reference.logits, logits),
        }
    else:
        if args.recipe is None or reference.uint8_clips is None:
            parser.error("the uint8 clips need --recipe, of a preprocessing that has them")
        rows = (reference.clips.shape[0] * reference.clips.shape[1], -1)  # (videos * views, values)
        normalised = normalise(reference.uint8_clips, args.recipe).reshape(rows)
        found = {
            "name": "uint8 .bin, normalised",
            "precision": "bytes",
            **distances(reference.clips.reshape(rows), normalised),
            "top1_agreement": None,
        }
    measures = f"max abs {found['max_abs']:.2g}, relative L2 {found['relative_l2']:.2g}"
    print(f"{found['name']}: {measures}")
    content = {"clips": reference.names, **found}
    write_json(args.output, content)


if __name__ == "__main__":
    errors.run(main)
