"""Export the optimised model, tsf.model.optimised, to ONNX."""

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path

import onnx
import torch
from torch import nn

from tsf import errors
from tsf.errors import UserError
from tsf.files import whole_file
from tsf.model.load import add_export_arguments, load_model
from tsf.model.opset import OPSET
from tsf.model.optimised import OptimisedTimeSformer


def export(model: nn.Module, shape: tuple[int, ...], output: Path) -> None:
    """Write the ONNX model: imgs (batch, views, 3, T, y, x) -> result (batch * views, classes).

    model: of tsf.model.optimised or tsf.model.npu; its `uint8` is the type of imgs. shape: of imgs.
    """
    clips = torch.zeros(shape, dtype=torch.uint8 if model.uint8 else torch.float32)
    with whole_file(output) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore", category=DeprecationWarning)
        torch.onnx.export(
            model.eval(),
            (clips,),
            str(part),
            input_names=["imgs"],
            output_names=["result"],
            opset_version=OPSET,
            dynamo=False,  # the exporter that reaches opset 11
        )
        onnx.checker.check_model(str(part))


def main(build: Callable[..., nn.Module] = OptimisedTimeSformer) -> None:
    """build: the class of the model, which takes an architecture, a state dict and `pixels`."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_export_arguments(parser)
    parser.add_argument("--uint8", action="store_true", help="take uint8 instead of float32")
    args = parser.parse_args()

    if args.uint8 and not args.recipe.has_uint8:
        raise UserError(
            "Facebook's preprocessing normalises before it resizes, so that the model's input is "
            "never bytes; leave models that end in _u8 out of engines, ascend.onnx and "
            "parity.models, as in parity: {models: [tsf, tsf_sim, tsf_opt]}"
        )
    model = load_model(args)
    pixels = (args.recipe.mean, args.recipe.std) if args.uint8 else None
    export(
        build(model.architecture, model.weights, pixels).float(),
        (args.batch, *args.recipe.shape),
        args.output,
    )
    size = args.output.stat().st_size
    print(f"{args.output}: opset {OPSET}, {size:,} bytes")


if __name__ == "__main__":
    errors.run(main)
