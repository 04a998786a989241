"""Compute the reference: the logits of mmaction2 in PyTorch, float32, on the first clips."""

import argparse
from pathlib import Path

import numpy as np
import torch

from tsf import errors
from tsf.data.first_clips import first_clips
from tsf.data.listing import add_dataset_arguments, dataset_of
from tsf.evaluation.reference_file import Reference, write_reference
from tsf.model.load import add_model_arguments, load_model
from tsf.model.recogniser import build_recogniser, reference_logits
from tsf.recipe.record import ClipRecipe, add_recipe_argument


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    add_recipe_argument(parser, ClipRecipe)
    add_dataset_arguments(parser)
    parser.add_argument("--clips", type=int, required=True, help="how many")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="npz to write")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    wanted = (dataset_of(args), args.clips, args.recipe)
    found = first_clips(*wanted, "float32")
    clips = np.stack([clip for _, clip in found])  # (videos, views, 3, frames, y, x)
    uint8_clips = None
    if args.recipe.has_uint8:
        uint8_clips = np.stack([clip for _, clip in first_clips(*wanted, "uint8")])
    recogniser = build_recogniser(args.mmaction2, load_model(args))
    logits = reference_logits(recogniser, torch.from_numpy(clips)).numpy()  # (views, classes)
    write_reference(
        args.output,
        Reference(
            names=[video.name for video, _ in found],
            clips=clips,
            uint8_clips=uint8_clips,
            logits=logits,
        ),
    )
    print(f"{args.output}: {', '.join(video.name for video, _ in found)}")


if __name__ == "__main__":
    errors.run(main)
