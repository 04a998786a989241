"""Compare the measured distances with the config's thresholds; the first over its own is named."""

import argparse
import json
from pathlib import Path

from tsf import errors
from tsf.errors import UserError
from tsf.files import read_json, write_json


def threshold(precision: str, thresholds: dict) -> tuple[str, float]:
    """The measure that decides in a precision, and the largest value that is allowed.

    precision: of a Setup, or "bytes", which must be equal. thresholds: `parity` of the config.
    """
    if precision == "bytes":
        return "max_abs", 0.0
    if precision == "f32":
        return "max_abs", thresholds["max_abs"]
    # int8_checked is int8 with some operators left in float32, so it has int8's
    return "relative_l2", thresholds["relative_l2"][precision.removesuffix("_checked")]


def refuse_apart(boundaries: list[dict]) -> None:
    """Raises UserError for the first boundary whose distance is over its threshold, or NaN."""
    for boundary in boundaries:
        measure = boundary["measure"]
        if not boundary[measure] <= boundary["allowed"]:
            raise UserError(
                f"{boundary['name']} differs from the reference on real clips: {measure} is "
                f"{boundary[measure]:.3g}, allowed is {boundary['allowed']:g}; it is the first of "
                f"{', '.join(b['name'] for b in boundaries)} that differs. The key parity in the "
                f"config has the thresholds{boundary.get('advice', '')}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measured", type=Path, nargs="+", required=True, help="json, in order")
    parser.add_argument("--thresholds", type=json.loads, required=True, help="json")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    boundaries = []
    for path in args.measured:
        boundary = read_json(path)
        measure, allowed = threshold(boundary["precision"], args.thresholds)
        boundaries.append(boundary | {"measure": measure, "allowed": allowed})
    refuse_apart(boundaries)
    clips = boundaries[0]["clips"]
    if any(boundary["clips"] != clips for boundary in boundaries):
        raise UserError("the boundaries were measured on different clips; delete results/parity")
    kept = [
        {key: value for key, value in boundary.items() if key not in ("clips", "advice")}
        for boundary in boundaries
    ]
    write_json(args.output, {"clips": clips, "boundaries": kept})


if __name__ == "__main__":
    errors.run(main)
