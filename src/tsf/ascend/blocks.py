"""Run an .om file of tsf.ascend.states on one clip, and name the first block and step that differ.

Each state is compared with ONNX Runtime's in float32, by the relative L2 distance that the logits
may have in the model's precision: the states before a fault are well below it.
"""

import argparse
import math
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.ascend import ais_bench
from tsf.ascend.states_file import AFTER, BEFORE, WHOLE, States, read_states
from tsf.ascend.summary_file import Summary
from tsf.ascend.work import work_folder
from tsf.data.bins import bin_path, write_bin
from tsf.engines.device import device
from tsf.errors import UserError
from tsf.evaluation.parity import distances
from tsf.files import read_json, write_json


def run(
    model: Path,
    clip: np.ndarray,
    count: int,
    devices: list[int],
    python: str,
    seconds: float,
    work: Path,
) -> tuple[list[np.ndarray], Summary]:
    """The .om file's `count` outputs of one clip, and ais_bench's summary.

    clip: (1, views, 3, frames, y, x); seconds: the longest that ais_bench may take; work: an empty
    folder. Raises UserError if an output is missing.
    """
    (work / "bins").mkdir(mode=0o700)
    write_bin(clip, bin_path(work, "0"))
    # not the file of its digest, whose mode ais_bench may refuse
    ais_bench.stage(bin_path(work, "0"), bin_path(work / "bins", "0"))
    ais_bench.stage(model, work / "tsf.om")
    with device(devices) as number:
        arguments = ["--model", f"{ais_bench.WORK}/tsf.om", "--input", f"{ais_bench.WORK}/bins"]
        arguments += ["--batchsize", "1", "--device", str(number)]
        # a state is 14.5 MB: as text it would take minutes, and lose digits
        summary, made = ais_bench.call(python, arguments, work, seconds, outfmt="NPY")
    found = [made / f"0_{number}.npy" for number in range(count)]
    if lacking := [path.name for path in found if not path.is_file()]:
        raise UserError(f"ais_bench ended with status 0, but gave no {lacking[0]}; run again")
    return [np.load(path) for path in found], summary


def compare(states: States, found: list[np.ndarray], allowed: float) -> list[dict]:
    """A row a state: its place, its distances, null where not finite, and whether it is over.

    found: the model's outputs. Raises UserError for an output of another size.
    """
    rows = []
    for block, step, number in zip(states.blocks, states.steps, states.outputs, strict=True):
        expected, value = states.values[number], found[number]
        if value.size != expected.size:
            raise UserError(
                f"output {number} of the .om file has {value.size} values, the ONNX model's has "
                f"{expected.size}; delete results/blocks and run again"
            )
        shape = (len(expected), -1)
        with np.errstate(all="ignore"):  # of values that have overflowed
            found_distances = distances(expected.reshape(shape), value.reshape(shape))
        over = not found_distances["relative_l2"] <= allowed
        finite = {k: v if math.isfinite(v) else None for k, v in found_distances.items()}
        rows.append({"block": block, "step": step, **finite, "over": over})
    return rows


def first_over(rows: list[dict]) -> dict | None:
    """The block, and the step in it, where the first state that is over its threshold is made.

    block: as in State. step: null if no step of that block is over, so that what joins them is at
    fault. None if no state is over.
    """
    for row in rows:
        # a step counts only in a block that is over: what it adds to the state may be small
        if row["over"] and row["step"] in (WHOLE, BEFORE, AFTER):
            block = [other for other in rows if other["block"] == row["block"] and other["over"]]
            step = block[0]["step"]
            return {"block": row["block"], "step": None if step == WHOLE else step}
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help=".om file")
    parser.add_argument("--status", type=Path, required=True, help="json: how it was made")
    parser.add_argument("--states", type=Path, required=True, help="npz of tsf.ascend.states")
    parser.add_argument("--allowed", type=float, required=True, help="relative L2 distance")
    ais_bench.add_npu_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    status, states = read_json(args.status), read_states(args.states)
    with work_folder(args.output) as work:
        found, summary = run(
            args.model,
            states.clip,
            len(states.values),
            args.devices,
            args.python,
            ais_bench.seconds_for(1, args.time_limit),
            work,
        )
    rows = compare(states, found, args.allowed)
    content = {
        "clip": states.name,
        "device": ais_bench.device_name(summary, status),
        "precision": status["precision"],
        "fast_gelu": status["fast_gelu"],
        "allowed": args.allowed,
        "first": first_over(rows),
        "states": rows,
    }
    write_json(args.output, content)
    print(f"first over {args.allowed:g}: {content['first'] or 'none'}")


if __name__ == "__main__":
    errors.run(main)
