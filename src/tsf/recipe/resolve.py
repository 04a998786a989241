"""Which recipe a model is run by, and where each of its values is from."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tsf.errors import UserError, run
from tsf.files import write_json
from tsf.recipe import huggingface, mmaction2, named
from tsf.recipe.fields import FIELDS, TRAINED, Stated, build, missing_line, shown
from tsf.recipe.literal import digest, read_config
from tsf.recipe.record import Recipe

NAMES = ", ".join(named.RECIPES)
WRITE_NAME = f"write recipe: {{name: ...}} in the config, one of {NAMES}"


@dataclass(frozen=True)
class Resolved:
    recipe: Recipe
    origin: dict[str, str]  # of each of FIELDS, in words
    # of the network, so that the exports are redone when it changes, and not with the recipe:
    digest: str  # of a Hugging Face folder's config.json
    settings: str  # mmaction2's `model` as JSON, the name of mmaction2's config, or null
    # which key of the config each of TRAINED is from, without a path, so that a moved file redoes
    # no export
    keys: dict[str, str]


def resolve(model: dict, recipe: dict | None) -> Resolved:
    """The recipe of the config's keys `model` and `recipe`.

    A field is taken from `recipe`, else from its `name`, else from the mmaction2 config
    model.config or the Hugging Face folder model.checkpoint. Nothing has a default: raises
    UserError for a field that none of them states, and for all that is not implemented.
    """
    if recipe is not None and not isinstance(recipe, dict):
        raise UserError(f"recipe is {recipe!r}, not name and fields")
    chosen = dict(recipe or {})
    name = chosen.pop("name", None)
    if name is not None and name not in tuple(named.RECIPES):  # it may be a list, not hashable
        raise UserError(f"recipe.name {name!r}: known are {NAMES}")
    for field in chosen:
        if field not in FIELDS:
            raise UserError(f"recipe.{field} is not known; known are name, {', '.join(FIELDS)}")
    files = _from_files(model, name)
    stated = files.stated
    if name is not None:
        # a Hugging Face folder leaves open what its own name adds
        instead = f", not {files.where}" if files.where and name != "huggingface" else ""
        stated.lay(named.stated(name, stated, chosen, instead))
    elif not chosen and not stated.fields.keys() - {"classes"}:
        raise UserError(f"no recipe: {files.silent}, {WRITE_NAME}")
    for field, value in chosen.items():
        other = field in stated.fields and stated.fields[field] != value
        instead = f", not {shown(stated.fields[field])}" if other else ""
        stated.add(f"recipe.{field}{instead}", **{field: value})
    stated.missing.setdefault("classes", f"{files.silent}, write recipe: {{classes: ...}}")
    missing = missing_line(stated, f"{files.silent}, {WRITE_NAME}")
    if missing:
        raise UserError(f"the recipe has {missing}")
    origin = {field: stated.origin[field] for field in FIELDS}
    file = "model.checkpoint" if model["config"] is None else "model.config"
    keys = {
        field: words.partition(",")[0] if (words := origin[field]).startswith("recipe.") else file
        for field in TRAINED
    }
    return Resolved(build(stated), origin, digest(files.network), files.settings, keys)


class Files(NamedTuple):
    """What the model's own files say."""

    stated: Stated
    where: str  # their name, "" if there are none
    silent: str  # why they state no more
    settings: str = "null"  # as in Resolved
    network: Any = None  # what Resolved.digest is of


def _from_files(model: dict, name: str | None) -> Files:
    """name: of a recipe that takes the place of what the files state of one."""
    config, checkpoint = model["config"], model["checkpoint"]
    if checkpoint is not None and Path(checkpoint).is_dir():
        if config is not None:
            raise UserError(
                f"model.checkpoint {checkpoint} is a Hugging Face folder, which has its own "
                "config; write model: {config: null}"
            )
        content = huggingface.read(Path(checkpoint), picture=name in (None, "huggingface"))
        stated = huggingface.stated(content, Path(checkpoint))
        network = content[huggingface.CONFIG]
        return Files(stated, checkpoint, f"{checkpoint} does not say", network=network)
    if config is None:
        return Files(Stated(), "", "model.config is null")
    if Path(config).is_file():
        content = read_config(Path(config), bool(model.get("run_config")))
        read = mmaction2.stated if name is None else mmaction2.network
        stated = read(content, config)
        try:
            settings = json.dumps(mmaction2.network_settings(content))
        except (TypeError, ValueError) as fault:
            raise UserError(
                f"{config}: model holds what no file of settings can ({fault})"
            ) from None
        return Files(stated, config, f"{config} has no test_pipeline", settings)
    if config in named.CONFIGS:
        stated = named.config_stated(config)
        stated = stated if name is None else _network_alone(stated)
        return Files(stated, config, "", config)
    raise UserError(
        f"model.config {config!r}: neither a file nor one of mmaction2's: "
        f"{', '.join(named.CONFIGS)}"
    )


def _network_alone(stated: Stated) -> Stated:
    """Without the recipe, in whose place a named one was chosen."""
    alone = Stated(network=stated.network)
    alone.add(stated.origin["classes"], classes=stated.fields["classes"])
    return alone


def refuse_unfit(resolved: Resolved, keep: str, dtype: str) -> None:
    """Raises UserError if the recipe does not go with the config's keys `keep` and `bin`.

    keep: all_frames, frames, bins or nothing. dtype: float32 or uint8.
    """
    clip, origin = resolved.recipe.clip, resolved.origin
    if dtype == "uint8" and not clip.has_uint8:
        raise UserError(
            f"bin: uint8 holds pixels that are not normalised yet, but preprocessing "
            f"{clip.preprocessing} ({origin['preprocessing']}) normalises first; write bin: float32"
        )
    if keep in ("all_frames", "frames") and clip.source == "video":
        raise UserError(
            f"keep: {keep} keeps raw frames, but there are none with source video "
            f"({origin['source']}); write keep: bins"
        )


def describe(resolved: Resolved) -> list[str]:
    """A line a field: its name, its value, where it is from."""
    values = _flat(asdict(resolved.recipe))
    return [f"{field} {shown(values[field])} ({resolved.origin[field]})" for field in FIELDS]


def _flat(content: dict) -> dict:
    flat: dict = {}
    for key, value in content.items():
        flat |= _flat(value) if isinstance(value, dict) else {key: value}
    return flat


def to_file(resolved: Resolved) -> dict:
    """The content of recipe.json: the record, and `origin`."""
    return asdict(resolved.recipe) | {"origin": resolved.origin}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", help="mmaction2 config: a path or a name")
    parser.add_argument("--checkpoint", help="its weights; or a Hugging Face folder")
    parser.add_argument("--run-config", action="store_true", help="run the config file as Python")
    parser.add_argument(
        "--recipe", type=json.loads, default={}, metavar="JSON", help="name, fields"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="JSON")
    args = parser.parse_args()
    model = {"config": args.config, "checkpoint": args.checkpoint, "run_config": args.run_config}
    resolved = resolve(model, args.recipe)
    write_json(args.output, to_file(resolved))
    print("\n".join(describe(resolved)))


if __name__ == "__main__":
    run(main)
