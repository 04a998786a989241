"""Export mmaction2's recogniser to ONNX with mmaction2's own, patched, exporter."""

import argparse
import io
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import onnx
import torch

from tsf import errors
from tsf.files import whole_file
from tsf.model.load import add_export_arguments, load_model
from tsf.model.opset import OPSET
from tsf.model.recogniser import Recogniser, build_recogniser, load_tool


def export(mmaction2: Path, recogniser: Recogniser, shape: tuple[int, ...], output: Path) -> None:
    """Write the ONNX model: imgs (batch, views, 3, T, y, x) -> result (batch * views, classes).

    shape: of imgs.
    """
    exporter = load_tool(mmaction2, "deployment/pytorch2onnx.py")
    # the exporter calls the model itself, whose forward is for training
    recogniser.forward = recogniser.forward_dummy
    # without no_grad every activation is kept: at batch 8 more than 20 GB
    with torch.no_grad(), whole_file(output) as part, warnings.catch_warnings():
        # shapes that become constants are meant to: a model is exported per batch size
        warnings.simplefilter("ignore", category=torch.jit.TracerWarning)
        warnings.simplefilter("ignore", category=DeprecationWarning)
        with redirect_stdout(io.StringIO()):  # it says that it has written the temporary file
            exporter.pytorch2onnx(recogniser, shape, opset_version=OPSET, output_file=str(part))
        onnx.checker.check_model(str(part))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_export_arguments(parser)
    args = parser.parse_args()

    recogniser = build_recogniser(args.mmaction2, load_model(args))
    export(args.mmaction2, recogniser, (args.batch, *args.recipe.shape), args.output)
    parameters = sum(p.numel() for p in recogniser.parameters())
    size = args.output.stat().st_size
    print(f"{args.output}: opset {OPSET}, {parameters:,} parameters, {size:,} bytes")


if __name__ == "__main__":
    errors.run(main)
