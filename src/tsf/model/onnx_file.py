"""Read an ONNX file, and say so if it is none."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from tsf.errors import UserError, on_one_line


def read_onnx(path: Path, weights: bool = True) -> onnx.ModelProto:
    """The model. Raises UserError for a file that was cut short, or is no model.

    weights: whether to read those too that lie in another file.
    """
    try:
        model = onnx.load(path, load_external_data=weights)
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise UserError(
            f"{path}: not a whole ONNX model ({on_one_line(error)}); delete it and run again"
        ) from None
    if not model.graph.node:  # an empty file is read as a model of nothing
        raise UserError(f"{path}: an ONNX model of no operators; delete it and run again")
    return model
