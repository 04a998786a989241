"""Export the optimised model, tsf.model.optimised, to ONNX."""

import argparse
import warnings
from pathlib import Path

import onnx
import torch

from tsf import errors
from tsf.data.model_input import CLIP_SHAPE
from tsf.files import whole_file
from tsf.model.opset import OPSET
from tsf.model.optimised import OptimisedTimeSformer, shape_of
from tsf.model.recogniser import add_export_arguments, load_weights, recogniser_from_config


def export(optimised: OptimisedTimeSformer, batch: int, output: Path) -> None:
    """Write the ONNX model: imgs (batch, 3, 3, 8, 224, 224) -> result (batch * 3, classes)."""
    dtype = torch.uint8 if optimised.uint8 else torch.float32
    clips = torch.zeros((batch, *CLIP_SHAPE), dtype=dtype)
    with whole_file(output) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore", category=DeprecationWarning)
        torch.onnx.export(
            optimised.eval(),
            (clips,),
            str(part),
            input_names=["imgs"],
            output_names=["result"],
            opset_version=OPSET,
            dynamo=False,  # the exporter that reaches opset 11
        )
        onnx.checker.check_model(str(part))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_export_arguments(parser)
    parser.add_argument("--uint8", action="store_true", help="take uint8 instead of float32")
    args = parser.parse_args()

    shape = shape_of(recogniser_from_config(args.mmaction2, args.config))
    weights = load_weights(args.checkpoint)
    optimised = OptimisedTimeSformer(shape, weights, args.uint8).float()
    export(optimised, args.batch, args.output)
    size = args.output.stat().st_size
    print(f"{args.output}: opset {OPSET}, {size:,} bytes")


if __name__ == "__main__":
    errors.run(main)
