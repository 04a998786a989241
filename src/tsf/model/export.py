"""Export mmaction2's recogniser to ONNX with mmaction2's own, patched, exporter."""

import argparse
import warnings
from pathlib import Path

import onnx
import torch

from tsf import errors
from tsf.data.model_input import CLIP_SHAPE
from tsf.files import whole_file
from tsf.model.opset import OPSET
from tsf.model.recogniser import Recogniser, add_export_arguments, build_recogniser, load_tool


def export(mmaction2: Path, recogniser: Recogniser, batch: int, output: Path) -> None:
    """Write the ONNX model: imgs (batch, 3, 3, 8, 224, 224) -> result (batch * 3, classes)."""
    exporter = load_tool(mmaction2, "deployment/pytorch2onnx.py")
    # the exporter calls the model itself, whose forward is for training
    recogniser.forward = recogniser.forward_dummy
    # without no_grad every activation is kept: at batch 8 more than 20 GB
    with torch.no_grad(), whole_file(output) as part, warnings.catch_warnings():
        # shapes that become constants are meant to: a model is exported per batch size
        warnings.simplefilter("ignore", category=torch.jit.TracerWarning)
        warnings.simplefilter("ignore", category=DeprecationWarning)
        exporter.pytorch2onnx(
            recogniser, (batch, *CLIP_SHAPE), opset_version=OPSET, output_file=str(part)
        )
        onnx.checker.check_model(str(part))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_export_arguments(parser)
    args = parser.parse_args()

    recogniser = build_recogniser(args.mmaction2, args.config, args.checkpoint)
    export(args.mmaction2, recogniser, args.batch, args.output)
    parameters = sum(p.numel() for p in recogniser.parameters())
    size = args.output.stat().st_size
    print(f"{args.output}: opset {OPSET}, {parameters:,} parameters, {size:,} bytes")


if __name__ == "__main__":
    errors.run(main)
