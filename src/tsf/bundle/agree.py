"""Refuse a proof and an accuracy that no step of the workflow would have written."""

from pathlib import Path

from tsf.errors import UserError

REMEDY = "delete it and run snakemake bundle, which makes it anew"


def refuse_proof(path: Path, proof: dict) -> None:
    """Raises UserError for the first boundary whose distance is above its threshold, or NaN."""
    for boundary in proof["boundaries"]:
        distance, allowed = boundary[boundary["measure"]], boundary["allowed"]
        if not distance <= allowed:
            raise UserError(
                f"{path}: no proof: {boundary['measure']} of {boundary['name']} is {distance:.3g}, "
                f"allowed is {allowed:g}; {REMEDY}"
            )


def refuse_accuracy(path: Path, accuracy: dict, name: str) -> None:
    """Raises UserError for an engine's accuracy outside of its own interval, or NaN."""
    engine = accuracy["engines"][name]
    for k in ("top1", "top5") if engine["videos"] else ():
        percent, (low, high) = (engine[f"{k}_detail"][key] for key in ("percent", "interval95"))
        if not low <= percent <= high:
            raise UserError(
                f"{path}: {k} of {name} is {percent:.2f} %, outside of its own interval, "
                f"{low:.2f} - {high:.2f} %; {REMEDY}"
            )
