"""A checkpoint and what is said about it: the model's architecture and its weights.

Here the reference, tsf.model.recogniser, and tsf.model.optimised start, whatever the form.
"""

import argparse
from pathlib import Path

from tsf.errors import UserError
from tsf.model import own_config
from tsf.model.architecture import Architecture, Model, fit_recipe, from_weights
from tsf.model.containers import open_checkpoint
from tsf.model.key_map import FORM_NAMES, to_mmaction2
from tsf.model.settings import from_hugging_face, read_hugging_face
from tsf.model.settings_argument import SETTINGS, add_settings_arguments, read_settings
from tsf.recipe.record import ClipRecipe, add_recipe_argument, read_origin
from tsf.recipe.trained import compare


def load(
    checkpoint: Path,
    settings: Architecture | None,
    recipe: ClipRecipe,
    classes: int,
    origin: dict[str, str] | None = None,
) -> Model:
    """The model of a checkpoint of any form that tsf.model.containers opens.

    settings: what it has to be, and the only source of the number of heads beside Hugging Face's
    config.json and the config that a file of mmaction2's holds; None: the weights alone tell, and
    heads are 64 wide. origin: where the recipe's values are from, for tsf.recipe.trained.
    Raises UserError if anything does not fit: names, shapes, settings, the recipe, the number of
    classes, the config that the file holds.
    """
    contents = open_checkpoint(checkpoint)
    named = to_mmaction2(contents.weights, checkpoint)
    declared = {} if settings is None else {SETTINGS: settings}
    if named.form == "huggingface":
        folder = checkpoint if checkpoint.is_dir() else checkpoint.parent
        if (config := read_hugging_face(folder)) is not None:
            source = str(folder / "config.json")
            if folder != checkpoint:
                # what the file alone says might contradict it, and its changes would not be seen
                raise UserError(f"{checkpoint}: lies beside {source}; name the folder, {folder}")
            declared[source] = from_hugging_face(config, source)
    own = own_config.read(contents, checkpoint)
    declared |= own.settings
    found = from_weights(named, recipe, declared, checkpoint)
    fit_recipe(found, recipe, classes, checkpoint)
    differing = compare(recipe, origin or {}, own.recipe, checkpoint)
    heads = f"{found.heads} heads" + ("" if declared else " of 64, which the weights do not tell")
    notes = [
        f"{FORM_NAMES[named.form]}'s names; {found.attention}, {found.frames} frames, "
        f"{found.side} pixels in patches of {found.patch}, width {found.width}, {heads}, "
        f"{found.blocks} blocks, {found.classes} classes",
        *contents.notes,
        *own.notes,
        *differing,
    ]
    return Model(found, named.weights, notes)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """What `load_model` takes, beside `--recipe`."""
    add_settings_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a file or a folder")
    parser.add_argument("--classes", type=int, required=True, help="that the model tells apart")
    parser.add_argument(
        "--origin",
        type=read_origin,
        metavar="JSON",
        help="results/recipe.json, or its origin: which of the recipe's values the user chose",
    )


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every export of the model."""
    add_model_arguments(parser)
    add_recipe_argument(parser, ClipRecipe)
    parser.add_argument("--batch", type=int, default=1, help="videos a run")
    parser.add_argument("--output", type=Path, required=True, help="model to write")


def load_model(args: argparse.Namespace) -> Model:
    """The model that a command line names; says what it is."""
    settings = read_settings(args.settings, args.mmaction2)
    model = load(args.checkpoint, settings, args.recipe, args.classes, args.origin)
    for note in model.notes:
        print(f"{args.checkpoint}: {note}")
    return model
