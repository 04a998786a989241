"""Compile an ONNX model for an NPU with ATC, whose exit status alone does not prove success."""

import argparse
import os
import re
from pathlib import Path

from tsf import errors
from tsf.ascend import process
from tsf.ascend.work import work_folder
from tsf.errors import UserError, last_line
from tsf.files import write_json
from tsf.recipe.record import ClipRecipe, add_recipe_argument

SUCCESS = "ATC run success"
PATH_CHARACTERS = re.compile(r"[A-Za-z0-9._/\u4e00-\u9fff-]+")
ERROR_CODE = re.compile(r"^\s*(?:\[?ERROR\]?\s*)?(E[0-9A-Z]\d{4})\s*:\s*(.*)$", re.MULTILINE)
PRECISIONS = {
    "fast": "float16, approximate Gelu",
    "mixed": "float16, listed operators in float32",
    "exact": "float32",
}
UNSUPPORTED = (
    "this CANN does not support an operator or the opset of the model (it is exported at 11, which "
    "every CANN reads): try ascend.onnx: tsf, or a newer CANN"
)
HINTS = {
    "E10001": "this atc does not take one of the options: see `atc --help` and ascend.precision",
    "E10002": "the input shape is not the model's: delete the ONNX model and run again",
    "E10016": "the model has no such input: delete the ONNX model and run again",
    "E16002": UNSUPPORTED,
    "E19010": UNSUPPORTED,
    "E20001": "the compiler of the operators failed: its python3 needs decorator, sympy and, "
    "before CANN 8, numpy < 2; on a small machine set TE_PARALLEL_COMPILER=1 and "
    "MAX_COMPILE_CORE_NUMBER=1",
    "EE1001": "this CANN does not know the chip: compare ascend.soc_version with `npu-smi info`",
    "EZ3003": "this CANN has no kernel for an operator on this chip: check ascend.soc_version, and "
    "that the chip's operator package is installed",
}


def options(
    help_text: str,
    precision: str,
    keep_dtype: Path | None,
    work: Path,
    soc_version: str,
    shape: tuple[int, ...],
) -> list[str]:
    """atc's options beside --model and --output: the guide's, and those of `precision`.

    help_text: what `atc --help` prints. An option of the guide that it no longer lists is given
    under its newer name. keep_dtype: the operators that `mixed` keeps in float32, one a line.
    work: the folder that atc runs in. shape: of the input imgs. Raises UserError for `mixed`
    without `keep_dtype`.
    """
    chosen = [
        "--framework=5",
        "--input_format=ND",
        f"--input_shape=imgs:{','.join(map(str, shape))}",
        "--log=error",
        f"--soc_version={soc_version}",
    ]

    def retired(old: str, new: str) -> bool:
        # whole words, as `--precision_mode` is a part of `--precision_mode_v2`
        listed = set(re.findall(r"--\w+", help_text))
        return old not in listed and new in listed

    if precision == "fast":
        if retired("--optypelist_for_implmode", "--op_precision_mode"):
            (work / "op_precision.ini").write_text("Gelu=high_performance\n")
            chosen.append("--op_precision_mode=op_precision.ini")
        else:
            chosen.append("--op_select_implmode=high_performance")
            chosen.append("--optypelist_for_implmode=Gelu")
    elif precision == "mixed":
        if keep_dtype is None:
            raise UserError("precision mixed needs --keep-dtype, the operators to keep in float32")
        (work / "keep_dtype.cfg").write_text(keep_dtype.read_text())
        chosen.append("--keep_dtype=keep_dtype.cfg")
    elif retired("--precision_mode", "--precision_mode_v2"):
        chosen.append("--precision_mode_v2=origin")
    else:
        chosen.append("--precision_mode=must_keep_origin_dtype")
    return chosen


def failure(output: str, status: int, has_om: bool) -> str | None:
    """Why a run of atc failed, in one line; None if it succeeded.

    output: all that it printed; status: its exit status; has_om: whether it left an .om file.
    """
    if status == 0 and SUCCESS in output and has_om:
        return None
    if match := ERROR_CODE.search(output):
        code, text = match.groups()
        return f"atc failed with {code}: {text.strip()}; {HINTS.get(code, 'see the whole log')}"
    if status:
        return f"atc {process.ending(status)}: {last_line(output)}"
    if SUCCESS not in output:
        return f"atc ended with status 0, but did not say {SUCCESS!r}"
    return "atc says that it succeeded, but left no .om file"


def om_file(work: Path, name: str) -> Path | None:
    """The file that atc wrote: newer releases append the operating system to its name."""
    exact = work / f"{name}.om"
    found = [exact] if exact.is_file() else sorted(work.glob(f"{name}_*_*.om"))
    return found[0] if found and found[0].stat().st_size else None


def compile_model(
    onnx: Path,
    output: Path,
    soc_version: str,
    shape: tuple[int, ...],
    precision: str,
    keep_dtype: Path | None,
) -> list[str]:
    """Write `output`, an .om file. Returns the command. Raises UserError.

    shape: of the input imgs.
    """
    if not PATH_CHARACTERS.fullmatch(onnx.name):
        raise UserError(f"{onnx}: atc accepts only A-Z a-z 0-9 . _ - in a path; rename the file")
    # atc drops fusion_result.json and kernel_meta/ into the folder that it runs in
    with work_folder(output) as work:
        help_text, _ = process.run(["atc", "--help"], work, show=False)
        command = [
            "atc",
            # relative: atc refuses characters that the name of the working directory may have
            f"--model={os.path.relpath(onnx, work)}",
            f"--output={output.stem}",
            *options(help_text, precision, keep_dtype, work, soc_version, shape),
        ]
        print(" ".join(command), flush=True)
        text, status = process.run(command, work)
        om = om_file(work, output.stem)
        if reason := failure(text, status, om is not None):
            raise UserError(reason)
        assert om is not None  # `failure` has a reason otherwise
        # ais_bench refuses a model that its group may write
        om.chmod(0o644)
        os.replace(om, output)
    return command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--soc-version", required=True)
    add_recipe_argument(parser, ClipRecipe)
    parser.add_argument("--batch", type=int, default=1, help="videos a run")
    parser.add_argument("--precision", choices=list(PRECISIONS), default="fast")
    parser.add_argument("--keep-dtype", type=Path, help="for mixed: operators to keep, one a line")
    parser.add_argument("--output", type=Path, required=True, help=".om file to write")
    parser.add_argument("--status", type=Path, required=True, help="json: how it was made")
    args = parser.parse_args()

    shape = (args.batch, *args.recipe.shape)
    command = compile_model(
        args.onnx, args.output, args.soc_version, shape, args.precision, args.keep_dtype
    )
    status = {
        "soc_version": args.soc_version,
        "precision": args.precision,
        "batch": args.batch,
        "onnx": str(args.onnx),
        "command": command,
    }
    write_json(args.status, status)
    size = args.output.stat().st_size
    print(f"{args.output}: {args.soc_version}, {PRECISIONS[args.precision]}, {size:,} bytes")


if __name__ == "__main__":
    errors.run(main)
