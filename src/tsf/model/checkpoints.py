"""mmaction2's own checkpoints of its TimeSformer configs, one an attention type."""

from typing import NamedTuple

BASE = "https://download.openmmlab.com/mmaction/recognition/timesformer"


class Checkpoint(NamedTuple):
    where: str  # a file or a URL
    sha256: str | None  # of the file, or its first 8 digits or more


# the name of a file ends in the first 8 digits of its sha256
DIGITS = {
    "timesformer_divST_8x32x1_15e_kinetics400_rgb": "3f8e5d03",
    "timesformer_jointST_8x32x1_15e_kinetics400_rgb": "0d6e3984",
    "timesformer_spaceOnly_8x32x1_15e_kinetics400_rgb": "0cf829cd",
}


def checkpoint(model: dict) -> Checkpoint:
    """The checkpoint of the config's `model`: the one it names, or mmaction2's for its config."""
    if model["checkpoint"] is not None:
        return Checkpoint(model["checkpoint"], model["sha256"])
    name = model["config"]
    return Checkpoint(f"{BASE}/{name}/{name}-{DIGITS[name]}.pth", model["sha256"] or DIGITS[name])
