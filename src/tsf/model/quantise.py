"""Quantise a trained ONNX model to int8 for OpenVINO with NNCF."""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data.bins import bin_files, read_bin
from tsf.data.model_input import exact_dtype, normalise
from tsf.errors import UserError
from tsf.recipe.record import ClipRecipe, add_recipe_argument

os.environ["NNCF_CI"] = "1"  # else NNCF reports its use to its makers over the network
try:
    import nncf
    import openvino
except ImportError:
    raise UserError(
        "int8 needs OpenVINO and NNCF, which are not in this Python; install the pins of "
        "envs/cpu.yaml (on aarch64 OpenVINO needs glibc 2.35), or use another precision"
    ) from None


def read_clips(folder: Path, recipe: ClipRecipe) -> np.ndarray:
    """The folder's .bin files, (videos, views, 3, T, y, x) of `exact_dtype`.

    Raises UserError if there are none, or for a file of another size.
    """
    paths = bin_files(folder)
    if not paths:
        raise UserError(f"{folder}: no .bin files to calibrate on")
    return np.stack([read_bin(path, recipe, exact_dtype(recipe)) for path in paths])


def quantise(model: openvino.Model, clips: np.ndarray, recipe: ClipRecipe) -> openvino.Model:
    """Weights and activations in int8, the ranges of the activations from `clips`.

    NNCF's settings for transformers: SmoothQuant, and the attention's products too. model: for one
    video at a time. clips: (videos, views, 3, T, y, x), float32 or uint8.
    """
    as_they_are = (model.input(0).element_type == openvino.Type.u8) == (clips.dtype == np.uint8)
    return nncf.quantize(
        model,
        nncf.Dataset(
            clips[:, np.newaxis], lambda clip: clip if as_they_are else normalise(clip, recipe)
        ),
        subset_size=len(clips),
        model_type=nncf.ModelType.TRANSFORMER,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="ONNX")
    parser.add_argument("--clips", type=Path, required=True, help="folder of .bin files")
    add_recipe_argument(parser, ClipRecipe)
    parser.add_argument("--output", type=Path, required=True, help=".xml; its .bin goes beside it")
    args = parser.parse_args()

    clips = read_clips(args.clips, args.recipe)
    quantised = quantise(openvino.Core().read_model(args.model), clips, args.recipe)
    with tempfile.TemporaryDirectory(dir=args.output.parent) as scratch:
        openvino.save_model(quantised, Path(scratch, "model.xml"), compress_to_fp16=False)
        for suffix in (".bin", ".xml"):  # the .xml, which the engine opens, appears last
            os.replace(Path(scratch, f"model{suffix}"), args.output.with_suffix(suffix))
    print(f"{args.output}: calibrated on {len(clips)} clips")


if __name__ == "__main__":
    errors.run(main)
