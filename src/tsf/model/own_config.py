"""What the config that a checkpoint of mmaction2's or Facebook's holds says of its model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tsf.errors import UserError
from tsf.model.architecture import Architecture
from tsf.model.containers import Contents
from tsf.model.settings import from_mmaction2
from tsf.recipe import facebook, mmaction2
from tsf.recipe.fields import Stated
from tsf.recipe.literal import read_text

Read = TypeVar("Read")
# what is read here of a config of mmaction2's
NAMES = ("model", "data", "test_pipeline", "test_dataloader")


class Own(NamedTuple):
    settings: dict[str, Architecture]  # by the config's name; Facebook's weights tell them all
    recipe: Stated  # of the input that the model was trained for
    notes: list[str]  # what is not known here


def read(contents: Contents, checkpoint: Path) -> Own:
    """As far as it is known here: a model may be trained with what this workflow has not."""
    settings, recipe, notes = {}, Stated(), []

    def known(tell: Callable[[Any, str], Read], content: Any, source: str) -> Read | None:
        try:
            return tell(content, source)
        except UserError as fault:
            notes.append(f"not compared: {fault}")
            return None

    if contents.config is not None:
        content = known(_config, contents.config, "its own config")
        if content is not None:
            source = f"{checkpoint}'s own config"
            if (found := known(from_mmaction2, content["model"], source)) is not None:
                settings[source] = found
            recipe = known(mmaction2.trained, content, "its own config") or recipe
    elif contents.cfg is not None:
        recipe = known(facebook.trained, contents.cfg, "its own cfg") or recipe
    return Own(settings, recipe, notes)


def _config(text: str, source: str) -> dict[str, Any]:
    content = read_text(text, Path(source), NAMES)
    if not isinstance(content.get("model"), dict):
        raise UserError(f"{source}: has no model")
    return content
