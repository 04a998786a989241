"""Simplify an ONNX model with onnxsim, or keep it as it is and say why."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx

from tsf import errors
from tsf.errors import UserError, last_line
from tsf.files import whole_file, write_json
from tsf.model.onnx_file import read_onnx


class NotSimplified(Exception):
    """onnxsim gave no usable model."""


def simplify(model: Path, output: Path) -> None:
    """Run onnxsim in a process of its own, since it is known to crash. Raises NotSimplified.

    Raises UserError for a `model` that cannot be read.
    """
    before = read_onnx(model, weights=False)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        simplified = Path(scratch) / "simplified.onnx"
        command = [sys.executable, "-m", "onnxsim", str(model), str(simplified)]
        result = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if result.returncode or not simplified.is_file():
            print(result.stdout)  # else it is a table of operators
            raise NotSimplified(
                f"onnxsim ended with status {result.returncode}: {last_line(result.stdout)}"
            )
        try:
            graph = read_onnx(simplified)  # with weights that onnxsim may put into a second file
        except (UserError, OSError) as error:
            raise NotSimplified(f"onnxsim's model cannot be read: {error}") from None
        check(before, graph)
        # weights included: ATC and ais_bench take one file only
        onnx.save_model(graph, output, save_as_external_data=False)


def check(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    """Raises NotSimplified if `after` is invalid, or has other inputs, outputs or opset."""
    try:
        onnx.checker.check_model(after)
    except onnx.checker.ValidationError as error:
        raise NotSimplified(f"onnxsim's model is invalid: {error}") from None
    for what in ("input", "output"):
        old, new = (list(getattr(model.graph, what)) for model in (before, after))
        if old != new:
            raise NotSimplified(f"onnxsim changed the model's {what}s")
    if before.opset_import[0].version != after.opset_import[0].version:
        raise NotSimplified("onnxsim changed the opset")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--status", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    reason = None
    with whole_file(args.output) as part:
        try:
            simplify(args.model, part)
        except NotSimplified as error:
            reason = str(error)
            print(f"warning: {reason}; the model is used as it is, not simplified")
            shutil.copyfile(args.model, part)
    before, after = (
        len(read_onnx(path, weights=False).graph.node) for path in (args.model, args.output)
    )
    status = {"simplified": reason is None, "reason": reason, "nodes": [before, after]}
    write_json(args.status, status)
    print(f"{args.output}: {before} nodes -> {after}")


if __name__ == "__main__":
    errors.run(main)
