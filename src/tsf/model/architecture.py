"""The architecture of a TimeSformer, from its weights' shapes."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from tsf.errors import UserError
from tsf.model.key_map import Named, rows
from tsf.recipe.record import ClipRecipe

# the same in all three implementations, and in mmaction2 no setting of a block
CHANNELS = 3
HEAD_WIDTH = 64  # of every published TimeSformer; the weights do not tell
MLP_RATIO = 4
EPS = 1e-6  # of every LayerNorm


@dataclass(frozen=True)
class Architecture:
    """What the weights' shapes, the attention and the number of heads are."""

    attention: str  # of tsf.model.key_map
    frames: int
    side: int  # pixels
    patch: int  # pixels of its side
    width: int
    heads: int
    blocks: int
    classes: int

    @property
    def channels(self) -> int:
        return CHANNELS

    @property
    def hidden(self) -> int:
        """Width between the two Linears of an MLP."""
        return MLP_RATIO * self.width

    @property
    def grid(self) -> int:
        """Patches along a side."""
        return self.side // self.patch

    @property
    def patches(self) -> int:
        """Patches a frame."""
        return self.grid**2

    @property
    def tokens(self) -> int:
        """Rows of the model's state: the class token and every patch of every frame."""
        return 1 + self.frames * self.patches


class Model(NamedTuple):
    architecture: Architecture
    weights: dict[str, Tensor]  # float32, every one that mmaction2's recogniser has
    notes: list[str]  # what was read, for the user


# the fields in messages
WORDS = {
    "attention": "attention",
    "frames": "frames",
    "side": "pixels a side",
    "patch": "pixels a patch's side",
    "width": "values a token",
    "heads": "heads",
    "blocks": "blocks",
    "classes": "classes",
}


def from_weights(
    named: Named, recipe: ClipRecipe, declared: dict[str, Architecture], where: Path
) -> Architecture:
    """The architecture that the weights have, compared with everything that was said about it.

    declared: what settings say, by the settings' name. Without any, the heads are 64 wide. A model
    of space-only attention takes any number of frames: the recipe's. Nothing is interpolated.
    Raises UserError for shapes that contradict each other or what was declared.
    """
    sizes = _sizes(named, where)
    patches = sizes["1+P"] - 1
    grid = math.isqrt(max(patches, 0))
    if patches < 1 or grid**2 != patches:
        raise UserError(
            f"{where}: {named.own_names['backbone.pos_embed']} has places for {patches} patches, "
            "which are no square picture"
        )
    found = Architecture(
        attention=named.attention,
        frames=sizes.get("T", recipe.sampling.clip_len),
        side=grid * sizes["S"],
        patch=sizes["S"],
        width=sizes["D"],
        heads=_heads(sizes["D"], declared, where),
        blocks=named.blocks,
        classes=sizes["C"],
    )
    for source, said in declared.items():
        for field in fields(Architecture):
            value, other = (getattr(of, field.name) for of in (found, said))
            free = field.name == "frames" and "T" not in sizes
            if value != other and not free:
                raise UserError(
                    f"{where}: has {value} {WORDS[field.name]}, but {source} says {other}; "
                    "they are of different models"
                )
    return found


def _heads(width: int, declared: dict[str, Architecture], where: Path) -> int:
    for said in declared.values():
        if width % said.heads:
            raise UserError(f"{where}: a width of {width} does not split into {said.heads} heads")
        return said.heads
    if width % HEAD_WIDTH:
        raise UserError(
            f"{where}: the weights do not tell the number of heads, and a width of {width} is no "
            f"multiple of {HEAD_WIDTH}; give the model's settings, with num_heads"
        )
    return width // HEAD_WIDTH


def _sizes(named: Named, where: Path) -> dict[str, int]:
    """The sizes by the letters in the key map's shapes, each tensor's shape checked."""
    sizes: dict[str, int] = {}
    for row in rows(named.attention, named.blocks):
        name, shape = named.own_names[row.mmaction2], tuple(named.weights[row.mmaction2].shape)
        if len(shape) != len(row.shape) or 0 in shape:
            raise UserError(f"{where}: {name} has shape {shape}, not {len(row.shape)} sizes")
        for letter, size in zip(row.shape, shape, strict=True):
            if isinstance(letter, str) and letter not in sizes:
                ratio = letter.removesuffix("D")
                sizes[letter] = int(ratio) * sizes["D"] if ratio.isdecimal() else size
        expected = tuple(size if isinstance(size, int) else sizes[size] for size in row.shape)
        if shape != expected:
            wrong = {row.shape[i] for i, size in enumerate(shape) if size != expected[i]}
            raise UserError(f"{where}: {name} has shape {shape}, not {expected}{_why(wrong)}")
    return sizes


def _why(wrong: set[int | str]) -> str:
    if CHANNELS in wrong:
        return f": pictures have {CHANNELS} channels"
    if "4D" in wrong:
        return f": mmaction2's MLP is {MLP_RATIO} times as wide as the model"
    return " as the other tensors' shapes say"


def fit_recipe(found: Architecture, recipe: ClipRecipe, classes: int, where: Path) -> None:
    """Raises UserError if the recipe makes other input than the model takes, or other classes.

    Neither the frames nor the grid of patches is interpolated.
    """
    for name, key, asked, tensor in (
        ("frames", "clip_len", recipe.sampling.clip_len, "time_embed"),
        ("side", "side", recipe.side, "pos_embed"),
        ("classes", "classes", classes, "head"),
    ):
        value = getattr(found, name)
        if value != asked:
            raise UserError(
                f"{where}: has {value} {WORDS[name]} ({tensor}), the recipe's {key} is {asked}: "
                f"set recipe: {{{key}: {value}}}"
            )
