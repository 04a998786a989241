"""The recipe's values under flat names, as a user writes them: what they may be, and together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from tsf.errors import UserError
from tsf.recipe.record import (
    CHANNELS,
    CROPS,
    FUSIONS,
    PREPROCESSINGS,
    SAMPLERS,
    SOURCES,
    ClipRecipe,
    Recipe,
    Sampling,
)

WORDS: dict[str, tuple[str, ...]] = {
    "sampler": SAMPLERS,
    "source": SOURCES,
    "preprocessing": PREPROCESSINGS,
    "crops": tuple(CROPS),
    "channels": CHANNELS,
    "fusion": FUSIONS,
}
# in the order in which they are printed
FIELDS = (
    "sampler",
    "clip_len",
    "frame_interval",
    "num_clips",
    "source",
    "preprocessing",
    "short_side",
    "crops",
    "side",
    "mean",
    "std",
    "channels",
    "fusion",
    "classes",
)
# those that a model is trained for, and that its weights do not tell in every case; the others are
# a test's, and the user's to choose
TRAINED = ("sampler", "clip_len", "frame_interval", "mean", "std", "channels")


@dataclass
class Stated:
    """What one source, as a config file, states of a recipe."""

    fields: dict[str, Any] = field(default_factory=dict)  # some of FIELDS
    origin: dict[str, str] = field(default_factory=dict)  # where each is from, in words
    # why it leaves a field open, and what to write; for those that have a reason of their own
    missing: dict[str, str] = field(default_factory=dict)
    # clip_len, side and classes of the network itself, each with its origin
    network: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, origin: str, **values: Any) -> None:
        self.fields |= values
        self.origin |= dict.fromkeys(values, origin)

    def lay(self, other: "Stated") -> None:
        """Lay what another source states over it."""
        self.fields |= other.fields
        self.origin |= other.origin
        self.missing |= other.missing


def shown(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)


def build(stated: Stated) -> Recipe:
    """The record. Raises UserError for a value, or values together, that make no recipe.

    stated: every one of FIELDS.
    """
    for name in FIELDS:
        check(name, stated)
    _check_together(stated)
    values = stated.fields
    sampling = Sampling(
        values["sampler"], values["clip_len"], values["frame_interval"], values["num_clips"]
    )
    clip = ClipRecipe(
        sampling,
        values["source"],
        values["preprocessing"],
        values["short_side"],
        values["crops"],
        values["side"],
        _three(values["mean"]),
        _three(values["std"]),
        values["channels"],
    )
    return Recipe(clip, values["fusion"], values["classes"])


def _three(values: Iterable[float]) -> tuple[float, float, float]:
    first, second, third = map(float, values)
    return first, second, third


def _said(stated: Stated, name: str) -> str:
    return f"{name} {shown(stated.fields[name])} ({stated.origin[name]})"


def _is_number(value: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def check(name: str, stated: Stated) -> None:
    """Raises UserError if the stated value is none that the field may have."""
    value = stated.fields[name]
    if name in WORDS:
        if value not in WORDS[name]:
            close = get_close_matches(str(value), WORDS[name], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            known = ", ".join(WORDS[name])
            raise UserError(f"{_said(stated, name)}: known are {known}{hint}")
    elif name in ("mean", "std"):
        row = isinstance(value, (list, tuple)) and len(value) == 3
        if not row or not all(_is_number(v, (int, float)) and -1e9 < v < 1e9 for v in value):
            raise UserError(f"{_said(stated, name)}: three numbers are needed, a channel each")
        if name == "std" and min(value) <= 0:
            raise UserError(f"{_said(stated, name)}: must be above 0")
    else:
        least = 0 if name == "frame_interval" else 1  # 0 is for facebook-ssv2 alone
        if not _is_number(value, int) or value < least:
            raise UserError(f"{_said(stated, name)}: must be a whole number from {least} on")


def _check_together(stated: Stated) -> None:
    values = stated.fields

    def refuse(reason: str, *names: str) -> None:
        raise UserError(f"{', '.join(_said(stated, name) for name in names)}: {reason}")

    if (values["frame_interval"] == 0) != (values["sampler"] == "facebook-ssv2"):
        refuse(
            "facebook-ssv2 spreads the frames over the whole video and has frame_interval 0, "
            "every other sampler needs 1 or more",
            "frame_interval",
            "sampler",
        )
    if values["sampler"] == "facebook-ssv2" and values["num_clips"] != 1:
        refuse(
            "a clip of facebook-ssv2 is the whole video, so there is one", "num_clips", "sampler"
        )
    if values["sampler"] == "facebook-kinetics" and values["num_clips"] != 1:
        refuse("facebook-kinetics takes one clip of a video", "num_clips", "sampler")
    if values["preprocessing"] == "huggingface" and values["crops"] != "centre":
        refuse("huggingface has a centre crop alone", "crops", "preprocessing")
    if values["side"] > values["short_side"]:
        refuse("a crop is larger than the picture", "side", "short_side")
    if values["crops"] == "three" and values["side"] != values["short_side"]:
        refuse("three crops must be as high as the picture's short side", "side", "short_side")
    if values["source"] == "rawframes" and not values["preprocessing"].startswith("mmaction2"):
        refuse("raw frames are mmaction2's way; write source: video", "source", "preprocessing")
    if is_of_0_to_1(values):
        refuse("these are for values from 0 to 1, and must be for 0 to 255", "mean", "std")
    for name, (network, origin) in stated.network.items():
        if values[name] != network:
            refuse(f"the network's {name} is {network} ({origin})", name)


def is_of_0_to_1(values: dict[str, Any]) -> bool:
    """Whether mean and std are for pixels of 0 to 1, which no recipe has."""
    return bool(0 < max(map(abs, values["mean"])) <= 1 or max(values["std"]) < 1)


def missing_line(stated: Stated, otherwise: str) -> str | None:
    """Which of FIELDS are not stated, those of one reason together; None: all are.

    otherwise: the reason for those that have none of their own.
    """
    by_reason: dict[str, list[str]] = {}
    for name in FIELDS:
        if name not in stated.fields:
            by_reason.setdefault(stated.missing.get(name, otherwise), []).append(name)
    if not by_reason:
        return None
    return "; ".join(f"no {', '.join(names)}: {reason}" for reason, names in by_reason.items())
