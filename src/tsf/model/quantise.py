"""Quantise a trained ONNX model to int8 for OpenVINO with NNCF."""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data.bins import bin_files, read_bin
from tsf.data.model_input import normalise
from tsf.errors import UserError

os.environ["NNCF_CI"] = "1"  # else NNCF reports its use to its makers over the network
try:
    import nncf
    import openvino
except ImportError:
    raise UserError(
        "int8 needs OpenVINO and NNCF, which are not in this Python; install the pins of "
        "envs/cpu.yaml"
    ) from None


def quantise(model: openvino.Model, clips: np.ndarray) -> openvino.Model:
    """The model with weights and activations in int8, calibrated on `clips`.

    NNCF's settings for transformers: SmoothQuant, and the attention's products too. model: for one
    video at a time. clips: (videos, 3, 3, 8, 224, 224) uint8.
    """
    takes_uint8 = model.input(0).element_type == openvino.Type.u8
    return nncf.quantize(
        model,
        nncf.Dataset(clips[:, np.newaxis], lambda clip: clip if takes_uint8 else normalise(clip)),
        subset_size=len(clips),
        model_type=nncf.ModelType.TRANSFORMER,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="ONNX")
    parser.add_argument("--clips", type=Path, required=True, help="folder of uint8 .bin files")
    parser.add_argument("--output", type=Path, required=True, help=".xml; its .bin goes beside it")
    args = parser.parse_args()

    clips = np.stack([read_bin(path, "uint8") for path in bin_files(args.clips)])
    quantised = quantise(openvino.Core().read_model(args.model), clips)
    with tempfile.TemporaryDirectory(dir=args.output.parent) as scratch:
        openvino.save_model(quantised, Path(scratch, "model.xml"), compress_to_fp16=False)
        for suffix in (".bin", ".xml"):  # the .xml, which the engine opens, appears last
            os.replace(Path(scratch, f"model{suffix}"), args.output.with_suffix(suffix))
    print(f"{args.output}: calibrated on {len(clips)} clips")


if __name__ == "__main__":
    errors.run(main)
