"""The recipe: one record of how a video becomes the model's input, and its logits a prediction.

Shapes, file sizes and arithmetic all derive from it; no other module has such a number of its own.
A step gets the part of it that its output depends on, as JSON, so that a change of the fusion, say,
decodes no video again.
"""

import argparse
import json
import math
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

from tsf.errors import UserError, on_one_line
from tsf.files import read_json

# whose rule says which frames make a clip (tsf.data.sampling has the formulas)
SAMPLERS = ("mmaction2-0.x", "mmaction2-1.x", "facebook-kinetics", "facebook-ssv2")
# rawframes: JPEG files of short side 320, as build_rawframes.py writes them; video: the decoded
# picture itself
SOURCES = ("rawframes", "video")
# whose code resizes and normalises (tsf.data.make_clip has the formulas): they round differently
PREPROCESSINGS = ("mmaction2-0.x", "mmaction2-1.x", "facebook", "huggingface")
# a picture's views by name; the order of the three is the preprocessing's
CROPS = {"three": 3, "centre": 1}
CHANNELS = ("rgb", "bgr")
# the mean of the views' softmax, the mean of their logits, or the sum of their logits
FUSIONS = ("mean_softmax", "mean_logits", "sum_logits")
ITEM_BYTES = {"float32": 4, "uint8": 1}


@dataclass(frozen=True)
class Sampling:
    """Which frames of a video are read."""

    sampler: str  # of SAMPLERS
    clip_len: int  # frames a clip
    frame_interval: int  # frames from one of the clip to the next; facebook-ssv2 has none, 0
    num_clips: int  # clips a video

    @classmethod
    def from_dict(cls, content: dict) -> Self:
        return typed(cls(**content))


@dataclass(frozen=True)
class ClipRecipe:
    """All that the model's input for a video depends on."""

    sampling: Sampling
    source: str  # of SOURCES
    preprocessing: str  # of PREPROCESSINGS
    short_side: int  # pixels of a resized picture
    crops: str  # of CROPS
    side: int  # pixels of a crop, which is a square
    mean: tuple[float, float, float]  # of values from 0 to 255, in the order of `channels`
    std: tuple[float, float, float]
    channels: str  # of CHANNELS

    @property
    def views(self) -> int:
        """Views a video: every crop of every clip, crop by crop as mmaction2's FormatShape."""
        return CROPS[self.crops] * self.sampling.num_clips

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """Of the model's input for one video: (views, channels, frames, y, x)."""
        return (self.views, 3, self.sampling.clip_len, self.side, self.side)

    @property
    def has_uint8(self) -> bool:
        """Whether uint8 pixels tell the model's input: not where normalised values are resized."""
        return self.preprocessing != "facebook"

    def bin_bytes(self, dtype: str) -> int:
        """Size of a video's .bin file. dtype: float32 or uint8."""
        return ITEM_BYTES[dtype] * math.prod(self.shape)

    @classmethod
    def from_dict(cls, content: dict) -> Self:
        sampling = Sampling.from_dict(content["sampling"])
        exact = {name: tuple(map(float, content[name])) for name in ("mean", "std")}
        return typed(cls(**content | {"sampling": sampling} | exact))


@dataclass(frozen=True)
class Recipe:
    """What a model's accuracy depends on beside its weights."""

    clip: ClipRecipe
    fusion: str  # of FUSIONS
    classes: int

    @classmethod
    def from_dict(cls, content: dict) -> Self:
        clip = ClipRecipe.from_dict(content["clip"])
        return typed(cls(clip, content["fusion"], content["classes"]))


# of the fields that have one of a few values
CHOICES: dict[str, Collection[str]] = {
    "sampler": SAMPLERS,
    "source": SOURCES,
    "preprocessing": PREPROCESSINGS,
    "crops": CROPS,
    "channels": CHANNELS,
    "fusion": FUSIONS,
}


class Dataclass(Protocol):
    """A record of any class."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


Checked = TypeVar("Checked", bound=Dataclass)


def typed(part: Checked) -> Checked:
    """The record itself. Raises TypeError or ValueError for a field that is none, as in a damaged
    file.
    """
    for field in fields(part):
        value = getattr(part, field.name)
        least = 0 if field.name == "frame_interval" else 1
        if field.type is int and (type(value) is not int or value < least):
            raise ValueError(f"{field.name} is {value!r}, no whole number from {least} on")
        if isinstance(value, tuple) and (len(value) != 3 or not all(map(math.isfinite, value))):
            raise ValueError(f"{field.name} is {list(value)}, not 3 numbers, a colour each")
        if field.name == "std" and min(value) <= 0:
            raise ValueError(f"std is {list(value)}, and must be above 0")
        if field.name in CHOICES and value not in CHOICES[field.name]:
            raise ValueError(f"{field.name} is {value!r}, none of {', '.join(CHOICES[field.name])}")
    return part


class FromDict(Protocol):
    """The record or a part of it."""

    @classmethod
    def from_dict(cls, content: dict) -> Self: ...


Part = TypeVar("Part", bound=FromDict)


def to_json(part: Recipe | ClipRecipe | Sampling) -> str:
    """One line, the same for equal records."""
    return json.dumps(asdict(part))


def add_recipe_argument(
    parser: argparse.ArgumentParser, part: type[Part], required: bool = True
) -> None:
    """`--recipe`: results/recipe.json, or as the rules give it, the JSON of the step's part."""
    parser.add_argument(
        "--recipe",
        type=lambda text: read_part(text, part),
        required=required,
        metavar="JSON",
        help="results/recipe.json, or the part of its content that this step needs",
    )


def read_origin(text: str) -> dict[str, str]:
    """Where each field is from, given as JSON or as the path of recipe.json. Raises UserError."""
    try:
        content = json.loads(text) if text.startswith("{") else read_json(Path(text))
        origin = content.get("origin", content)
        if not all(isinstance(words, str) for words in origin.values()):
            raise ValueError("it has values that are no text")
        return dict(origin)
    except (OSError, ValueError, AttributeError, RecursionError) as fault:
        why = f"{type(fault).__name__}: {on_one_line(fault)}"
        raise UserError(f"--origin {' '.join(text.split())}: no origins ({why})") from None


def read_part(text: str, part: type[Part]) -> Part:
    """The `part` of a recipe, given as JSON or as the path of recipe.json. Raises UserError."""
    try:
        content = json.loads(text) if text.startswith("{") else read_json(Path(text))
        if part is not Recipe and "clip" in content:
            content = content["clip"]
        if part is Sampling and "sampling" in content:
            content = content["sampling"]
        return part.from_dict(content)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as fault:
        why = f"{type(fault).__name__}: {on_one_line(fault)}"
        raise UserError(f"--recipe {' '.join(text.split())}: no recipe ({why})") from None
