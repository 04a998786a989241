"""Measure one variant of the compiled model on the NPU: its speed, and how far its logits are.

A variant that atc or the NPU refuses is a finding, which goes into the table with the reason. A
fault of the machine ends the run: a program that is missing, killed, or fails without a code of
CANN's.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from tsf import errors
from tsf.ascend import ais_bench, performance
from tsf.ascend.parity import om_distances
from tsf.ascend.work import work_folder
from tsf.errors import UserError
from tsf.evaluation.reference_file import Reference, read_reference
from tsf.files import read_json, write_json
from tsf.recipe.record import ClipRecipe, add_recipe_argument

# how the native part of ais_bench reports what CANN's runtime returned for a model
RUNTIME_CODE = re.compile(r"\bret is \d{6}\b")


def is_finding(fault: UserError) -> bool:
    """Whether a fault of ais_bench's says something of the model, and not of the machine."""
    text = str(fault)
    return bool(RUNTIME_CODE.search(text)) or ais_bench.NOT_FINITE in text


def measure(
    model: Path,
    status: dict,
    reference: Reference,
    recipe: ClipRecipe,
    loop: int,
    devices: list[int],
    python: str,
    time_limit: Sequence[float],
    output: Path,
) -> dict:
    """`refused`, a reason or None; unless there is one also `speed` and `distance`.

    model: the .om file; status: atc's json beside it; loop: runs; devices: ids to choose from;
    python: the one that has ais_bench; time_limit: of `ais_bench.seconds_for`; output: a file
    beside which to work. Raises UserError for a fault of the machine.
    """
    if "refused" in status:
        return {"refused": status["refused"]}
    try:
        with work_folder(output) as work:
            speed = performance.measure(model, status, loop, devices, python, time_limit, work)
        with work_folder(output) as work:
            distance = om_distances(
                model, status, reference, recipe, devices, python, time_limit, work
            )
    except UserError as fault:
        if not is_finding(fault):
            raise
        return {"refused": str(fault)}
    return {"refused": None, "speed": speed, "distance": distance}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of tsf.om and status.json")
    parser.add_argument("--reference", type=Path, required=True, help="npz: clips and logits")
    add_recipe_argument(parser, ClipRecipe)
    parser.add_argument("--loop", type=int, required=True, help="runs")
    ais_bench.add_npu_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    status = read_json(args.folder / "status.json", f"delete {args.folder} and run again")
    found = measure(
        args.folder / "tsf.om",
        status,
        read_reference(args.reference),
        args.recipe,
        args.loop,
        args.devices,
        args.python,
        args.time_limit,
        args.output,
    )
    keys = ("soc_version", "precision", "fast_gelu", "atc_options", "batch")
    variant = {"onnx": Path(status["onnx"]).name, **{key: status[key] for key in keys}}
    write_json(args.output, variant | found)
    print(f"{args.output}: {found['refused'] or 'measured'}")


if __name__ == "__main__":
    errors.run(main)
