"""Compile an ONNX model for an NPU with ATC, whose exit status alone does not prove success."""

import argparse
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tsf import errors
from tsf.ascend import process
from tsf.ascend.work import work_folder
from tsf.errors import UserError, last_line
from tsf.files import write_json
from tsf.recipe.record import ClipRecipe, add_recipe_argument

SUCCESS = "ATC run success"
STAND_IN = b"a stand-in's .om file"  # begins what the tests' stand-in of atc writes
DEFAULT_SECONDS = 14_400.0
PATH_CHARACTERS = re.compile(r"[A-Za-z0-9._/\u4e00-\u9fff-]+")
ERROR_CODE = re.compile(r"^\s*(?:\[?ERROR\]?\s*)?(E[0-9A-Z]\d{4})\s*:\s*(.*)$", re.MULTILINE)
PRECISIONS = {  # the words of --precision_mode, and what its manual says of them
    "force_fp16": "float16 in every operator that has it",
    "allow_fp32_to_fp16": "float16 in matrix operators, float32 in the others that have it",
    "allow_mix_precision": "float16 or float32 by CANN's lists of operators",
    "must_keep_origin_dtype": "float32, as in the ONNX model",
}
# --precision_mode_v2 has other words for three of them, and none for allow_fp32_to_fp16
PRECISIONS_V2 = {
    "force_fp16": "fp16",
    "allow_mix_precision": "mixed_float16",
    "must_keep_origin_dtype": "origin",
}
OPTION = re.compile(r"--([a-z0-9_]+)=(.+)")
WORKFLOW, SHAPE = "the workflow", "the recipe and ascend.batch"
SET_BY = {  # atc's options that the user cannot give, and what gives them
    "framework": WORKFLOW,
    "model": WORKFLOW,
    "output": WORKFLOW,
    "mode": WORKFLOW,
    "log": WORKFLOW,
    "om": WORKFLOW,
    "json": WORKFLOW,
    "singleop": WORKFLOW,
    "out_nodes": WORKFLOW,
    "soc_version": "ascend.soc_version",
    "input_format": WORKFLOW,
    "input_shape": SHAPE,
    "input_shape_range": SHAPE,
    "input_hint_shape": SHAPE,
    "input_fp16_nodes": SHAPE,
    "dynamic_batch_size": SHAPE,
    "dynamic_image_size": SHAPE,
    "dynamic_dims": SHAPE,
    "precision_mode": "ascend.precision",
    "precision_mode_v2": "ascend.precision",
    "modify_mixlist": "ascend.modify_mixlist",
}
GELU = ("op_select_implmode", "optypelist_for_implmode", "op_precision_mode")
NOT_OF_THE_MODEL = ("EE1001",)  # codes of a refusal that every model would get
UNSUPPORTED = (
    "this CANN does not support an operator or the opset of the model (it is exported at 11, which "
    "every CANN reads): try ascend.onnx: tsf, or a newer CANN"
)
HINTS = {
    "E10001": "this atc does not take one of the options: see `atc --help`, ascend.precision and "
    "ascend.atc_options",
    "E10002": "the input shape is not the model's: delete the ONNX model and run again",
    "E10056": "atc does not take these options together: see ascend.atc_options",
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


class Refused(UserError):
    """atc ran, and does not take this model with these options."""


@dataclass(frozen=True)
class Choice:
    """What the user chooses of atc's options, by the config's keys of the same names."""

    precision: str  # of PRECISIONS
    fast_gelu: bool = False  # an approximate Gelu, as in the guide
    modify_mixlist: Path | None = None  # json: changes of CANN's lists for allow_mix_precision
    atc_options: tuple[str, ...] = ()  # more of the form --name=value


def choice(keys: dict) -> Choice:
    """The choice by the config's keys under `ascend`, paths as they stand there."""
    mixlist = keys["modify_mixlist"]
    return Choice(
        precision=keys["precision"],
        fast_gelu=keys["fast_gelu"],
        modify_mixlist=None if mixlist is None else Path(mixlist),
        atc_options=tuple(keys["atc_options"]),
    )


def refuse_contradictions(choice: Choice) -> None:
    """Raises UserError for a choice that atc would refuse, or would not heed without a word."""
    if choice.modify_mixlist is not None and choice.precision != "allow_mix_precision":
        raise UserError(
            f"ascend.modify_mixlist is of precision allow_mix_precision, not of {choice.precision}"
            "; set it to null, or change ascend.precision"
        )
    set_by = SET_BY | (dict.fromkeys(GELU, "ascend.fast_gelu: true") if choice.fast_gelu else {})
    names = set()
    for option in choice.atc_options:
        if not (match := OPTION.fullmatch(option)):
            raise UserError(f"ascend.atc_options: {option!r} is not of the form --name=value")
        name, value = match.groups()
        # a parser of command lines may take the beginning of a name for the name
        if ours := [known for known in set_by if known.startswith(name)]:
            raise UserError(
                f"ascend.atc_options: {option} is given by {set_by[ours[0]]}; leave it out"
            )
        if name in names:
            raise UserError(f"ascend.atc_options: --{name} is there twice")
        names.add(name)
        if name == "keep_dtype" and choice.precision == "must_keep_origin_dtype":
            raise UserError(
                "ascend.atc_options: --keep_dtype has no effect with precision "
                "must_keep_origin_dtype; leave it out"
            )
        if not value.startswith("/") and ("/" in value or Path(value).exists()):
            raise UserError(
                f"ascend.atc_options: {option}: atc runs in a folder of its own, so a path must be "
                f"absolute, as in --{name}={Path(value).resolve()}"
            )


def option_files(atc_options: list[str]) -> list[str]:
    """The files, by absolute path, that the options name."""
    values = [option.partition("=")[2] for option in atc_options]
    return [value for value in values if value.startswith("/") and Path(value).is_file()]


def options(
    help_text: str, choice: Choice, work: Path, soc_version: str, shape: tuple[int, ...]
) -> list[str]:
    """atc's options beside --model and --output: the guide's, and those of `choice`.

    help_text: what `atc --help` prints. An option of the guide that it no longer lists is given
    under its newer name. work: the folder that atc runs in. shape: of the input imgs. Raises
    UserError for a choice that contradicts itself, or that this atc has no word for.
    """
    refuse_contradictions(choice)

    def retired(old: str, new: str) -> bool:
        # whole words, as `--precision_mode` is a part of `--precision_mode_v2`
        listed = set(re.findall(r"--\w+", help_text))
        return old not in listed and new in listed

    chosen = [
        "--framework=5",
        "--input_format=ND",
        f"--input_shape=imgs:{','.join(map(str, shape))}",
        "--log=error",
        f"--soc_version={soc_version}",
    ]
    if not retired("--precision_mode", "--precision_mode_v2"):
        chosen.append(f"--precision_mode={choice.precision}")
    elif choice.precision in PRECISIONS_V2:
        chosen.append(f"--precision_mode_v2={PRECISIONS_V2[choice.precision]}")
    else:
        raise Refused(
            f"this atc has --precision_mode_v2 alone, which has no word for {choice.precision}; "
            f"set ascend.precision to one of {', '.join(PRECISIONS_V2)}"
        )
    if choice.modify_mixlist:
        (work / "mixlist.json").write_bytes(choice.modify_mixlist.read_bytes())
        chosen.append("--modify_mixlist=mixlist.json")
    if choice.fast_gelu:
        if retired("--optypelist_for_implmode", "--op_precision_mode"):
            (work / "op_precision.ini").write_text("[ByOpType]\nGelu=high_performance\n")
            chosen.append("--op_precision_mode=op_precision.ini")
        else:
            chosen.append("--op_select_implmode=high_performance")
            chosen.append("--optypelist_for_implmode=Gelu")
    return [*chosen, *choice.atc_options]


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


def run_atc(command: list[str], work: Path, seconds: float, show: bool = True) -> tuple[str, int]:
    """`process.run` in the folder `work`. Raises UserError after `seconds`."""
    try:
        return process.run(command, work, show, seconds)
    except process.OutOfTime:
        raise UserError(
            f"atc did not end within {seconds:.0f} s, and was ended with all that it had started; "
            "if it was slow and did not hang, raise ascend.time_limit.atc, else see "
            "$HOME/ascend/log/debug/plog"
        ) from None


def stand_in(om: Path) -> str | None:
    """The first line of a file that no ATC has compiled, for the reports to say so; else None."""
    with open(om, "rb") as file:
        line = file.readline(200)
    return line.decode().strip() if line.startswith(STAND_IN) else None


def compile_model(
    onnx: Path,
    output: Path,
    soc_version: str,
    shape: tuple[int, ...],
    choice: Choice,
    seconds: float,
) -> list[str]:
    """Write `output`, an .om file. Returns the command.

    shape: of the input imgs. seconds: the longest that atc may take. Raises Refused for a fault
    that atc has a code for, but that of the chip, and UserError for any other.
    """
    if not PATH_CHARACTERS.fullmatch(onnx.name):
        raise UserError(f"{onnx}: atc accepts only A-Z a-z 0-9 . _ - in a path; rename the file")
    # atc drops fusion_result.json and kernel_meta/ into the folder that it runs in
    with work_folder(output) as work:
        help_text, _ = run_atc(["atc", "--help"], work, seconds, show=False)
        command = [
            "atc",
            # relative, so that the command on record is the same in every folder
            f"--model={os.path.relpath(onnx, work)}",
            f"--output={output.stem}",
            *options(help_text, choice, work, soc_version, shape),
        ]
        print(" ".join(command), flush=True)
        text, status = run_atc(command, work, seconds)
        om = om_file(work, output.stem)
        if reason := failure(text, status, om is not None):
            code = ERROR_CODE.search(text)
            raise (Refused if code and code[1] not in NOT_OF_THE_MODEL else UserError)(reason)
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
    parser.add_argument("--precision", choices=list(PRECISIONS), default="force_fp16")
    parser.add_argument("--fast-gelu", action="store_true", help="an approximate Gelu")
    parser.add_argument("--modify-mixlist", type=Path, help="json, for allow_mix_precision")
    parser.add_argument(
        "--atc-options", type=json.loads, default=[], help="more options, as a JSON list"
    )
    parser.add_argument(
        "--may-be-refused", action="store_true", help="a refusal of atc's goes into the status"
    )
    parser.add_argument(
        "--time-limit", type=float, default=DEFAULT_SECONDS, help="seconds that atc may take"
    )
    parser.add_argument("--output", type=Path, required=True, help=".om file to write")
    parser.add_argument("--status", type=Path, required=True, help="json: how it was made")
    args = parser.parse_args()

    shape = (args.batch, *args.recipe.shape)
    status = {
        "soc_version": args.soc_version,
        "precision": args.precision,
        "fast_gelu": args.fast_gelu,
        "atc_options": args.atc_options,
        "batch": args.batch,
        "onnx": str(args.onnx),
    }
    try:
        command = compile_model(
            args.onnx, args.output, args.soc_version, shape, choice(vars(args)), args.time_limit
        )
    except Refused as refusal:
        if not args.may_be_refused:
            raise
        print(f"refused: {refusal}")
        write_json(args.status, status | {"refused": str(refusal)})
        return
    write_json(args.status, status | {"command": command, "stand_in": stand_in(args.output)})
    size = args.output.stat().st_size
    print(f"{args.output}: {args.soc_version}, {args.precision}, {size:,} bytes")


if __name__ == "__main__":
    errors.run(main)
