"""What Facebook's cfg, which its training writes into each checkpoint, states of the input.

It is the YAML of every key of facebookresearch/TimeSformer's config/defaults.py. What a key does
there is written beside it here; REVERSE_INPUT_CHANNEL, for one, does nothing to a TimeSformer.
"""

from typing import Any, TypeGuard

import yaml

from tsf.errors import UserError, on_one_line
from tsf.recipe.fields import Stated

# by TRAIN.DATASET, which is read whatever its case, and the order of the channels: PyAV gives RGB,
# and OpenCV's BGR is left as it is
OF_DATASET = {
    "kinetics": {"sampler": "facebook-kinetics", "channels": "rgb"},
    "ssv2": {"sampler": "facebook-ssv2", "channels": "bgr"},
}
RECIPE_FPS = 30  # at which the recipe's frame_interval counts; DATA.TARGET_FPS by default


def trained(text: str, where: str) -> Stated:
    """What the cfg states of tsf.recipe.fields.TRAINED.

    where: the text is from, for messages. A field that it does not tell is missing, with the
    reason. Raises UserError for a text that is no YAML of sections.
    """
    content = _read(text, where)
    data, dataset = _section(content, "DATA"), _section(content, "TRAIN").get("DATASET")
    found = Stated()
    name = dataset.lower() if isinstance(dataset, str) else ""
    if name in OF_DATASET:
        found.add(f"TRAIN.DATASET of {where}", **OF_DATASET[name])
        _interval(data, name, where, found)
    else:
        reason = f"TRAIN.DATASET of {where} is neither kinetics nor ssv2"
        found.missing |= dict.fromkeys(("sampler", "channels", "frame_interval"), reason)
    if _is_number(frames := data.get("NUM_FRAMES"), int):
        found.add(f"DATA.NUM_FRAMES of {where}", clip_len=frames)
    else:
        found.missing["clip_len"] = f"DATA.NUM_FRAMES of {where} is no whole number"
    for field, key in (("mean", "MEAN"), ("std", "STD")):
        row = data.get(key)  # of values from 0 to 1
        if isinstance(row, list) and len(row) == 3 and all(_is_number(v, int | float) for v in row):
            values = tuple(round(255 * value, 6) for value in row)
            found.add(f"DATA.{key} of {where}", **{field: values})
        else:
            found.missing[field] = f"DATA.{key} of {where} is no list of three numbers"
    return found


def _read(text: str, where: str) -> dict:
    try:
        content = yaml.safe_load(text)
    # a damaged scalar can fail in any of its conversions, with whatever that raises
    except Exception as fault:
        raise UserError(f"{where}: no plain YAML ({on_one_line(fault)})") from None
    if not isinstance(content, dict):
        raise UserError(f"{where}: no YAML of sections")
    return content


def _section(content: dict, name: str) -> dict[str, Any]:
    section = content.get(name)
    return section if isinstance(section, dict) else {}


def _interval(data: dict[str, Any], dataset: str, where: str, found: Stated) -> None:
    """ssv2 has no interval; kinetics counts its own in frames of a video of TARGET_FPS."""
    if dataset == "ssv2":
        found.add(f"TRAIN.DATASET of {where}", frame_interval=0)
        return
    rate, fps = data.get("SAMPLING_RATE"), data.get("TARGET_FPS", RECIPE_FPS)
    if not (_is_number(rate, int) and _is_number(fps, int | float) and rate >= 1 and fps >= 1):
        found.missing["frame_interval"] = (
            f"DATA.SAMPLING_RATE and TARGET_FPS of {where} are no numbers from 1 on"
        )
        return
    origin = "DATA.SAMPLING_RATE"
    if fps != RECIPE_FPS:
        origin += f" {rate} at DATA.TARGET_FPS {fps}"
    found.add(f"{origin} of {where}", frame_interval=max(round(rate * RECIPE_FPS / fps), 1))


def _is_number(value: Any, kind: Any) -> TypeGuard[float]:
    return isinstance(value, kind) and not isinstance(value, bool) and abs(value) < 1e9
