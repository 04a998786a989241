"""Quantise a trained ONNX model to int8 for OpenVINO with NNCF."""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data.bins import bin_files, read_for_model, refuse_wrong_size
from tsf.data.model_input import exact_dtype
from tsf.errors import UserError, on_one_line
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


def clip_files(folder: Path, recipe: ClipRecipe) -> list[Path]:
    """The folder's .bin files, of `exact_dtype`.

    Raises UserError if there are none, or for a file of another size.
    """
    paths = bin_files(folder)
    if not paths:
        raise UserError(f"{folder}: no .bin files to calibrate on")
    for path in paths:
        refuse_wrong_size(path, recipe, exact_dtype(recipe))
    return paths


def clip_reader(model: openvino.Model, recipe: ClipRecipe) -> Callable[[Path], np.ndarray]:
    """Reads a .bin file of `exact_dtype` as the model takes it: (1, views, 3, T, y, x)."""
    takes = "uint8" if model.input(0).element_type == openvino.Type.u8 else "float32"
    return lambda path: read_for_model(path, recipe, exact_dtype(recipe), takes)[np.newaxis]


def quantise(model: openvino.Model, clips: list[Path], recipe: ClipRecipe) -> openvino.Model:
    """Weights and activations in int8, the ranges of the activations from `clips`.

    NNCF's settings for transformers: SmoothQuant, and the attention's products too. model: for one
    video at a time. clips: of `clip_files`.
    """
    return nncf.quantize(
        model,
        nncf.Dataset(clips, clip_reader(model, recipe)),
        subset_size=len(clips),
        model_type=nncf.ModelType.TRANSFORMER,
    )


def read_network(model: Path) -> openvino.Model:
    """Raises UserError for a file that was cut short, or is no model."""
    try:
        return openvino.Core().read_model(model)
    except RuntimeError as error:
        raise UserError(
            f"{model}: OpenVINO cannot read it ({on_one_line(error)}); delete it and run again"
        ) from None


def save(model: openvino.Model, output: Path) -> None:
    """output: the .xml; the weights go into a .bin beside it."""
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        openvino.save_model(model, Path(scratch, "model.xml"), compress_to_fp16=False)
        for suffix in (".bin", ".xml"):  # the .xml, which the engine opens, appears last
            os.replace(Path(scratch, f"model{suffix}"), output.with_suffix(suffix))


def add_quantise_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="ONNX")
    parser.add_argument("--clips", type=Path, required=True, help="folder of .bin files")
    parser.add_argument("--output", type=Path, required=True, help=".xml; its .bin goes beside it")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_quantise_arguments(parser)
    add_recipe_argument(parser, ClipRecipe)
    args = parser.parse_args()

    clips = clip_files(args.clips, args.recipe)
    save(quantise(read_network(args.model), clips, args.recipe), args.output)
    print(f"{args.output}: calibrated on {len(clips)} clips")


if __name__ == "__main__":
    errors.run(main)
