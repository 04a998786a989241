"""What the config that a checkpoint of mmaction2's or Facebook's holds says of its model."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from tsf.errors import UserError
from tsf.model.architecture import Architecture
from tsf.model.containers import Contents
from tsf.model.settings import from_mmaction2
from tsf.recipe import facebook, mmaction2
from tsf.recipe.fields import Stated
from tsf.recipe.literal import read_text

Read = TypeVar("Read")


class Own(NamedTuple):
    settings: dict[str, Architecture]  # by the config's name; Facebook's weights tell them all
    recipe: Stated  # of the input that the model was trained for
    notes: list[str]  # what is not known here


def read(contents: Contents, checkpoint: Path) -> Own:
    """As far as it is known here: a model may be trained with what this workflow has not."""
    settings, recipe, notes = {}, Stated(), []

    def known(tell: Callable[[str, str], Read], text: str, source: str) -> Read | None:
        try:
            return tell(text, source)
        except UserError as fault:
            notes.append(f"not compared: {fault}")
            return None

    if contents.config is not None:
        source = f"{checkpoint}'s own config"
        if (found := known(_settings, contents.config, source)) is not None:
            settings[source] = found
        recipe = known(_recipe, contents.config, "its own config") or recipe
    elif contents.cfg is not None:
        recipe = known(facebook.trained, contents.cfg, "its own cfg") or recipe
    return Own(settings, recipe, notes)


def _settings(text: str, source: str) -> Architecture:
    model = read_text(text, Path(source)).get("model")
    if not isinstance(model, dict):
        raise UserError(f"{source}: has no model")
    return from_mmaction2(model, source)


def _recipe(text: str, source: str) -> Stated:
    return mmaction2.trained(read_text(text, Path(source)), source)
