"""A checkpoint and what is said about it: the model's architecture and its weights.

Here the reference, tsf.model.recogniser, and tsf.model.optimised start, whatever the form.
"""

import argparse
from pathlib import Path

from tsf.errors import UserError
from tsf.model.architecture import Architecture, Model, fit_recipe, from_weights
from tsf.model.containers import open_checkpoint
from tsf.model.key_map import FORM_NAMES, to_mmaction2
from tsf.model.settings import from_hugging_face, from_mmaction2, read_hugging_face
from tsf.model.settings_argument import SETTINGS, add_settings_arguments, read_settings
from tsf.recipe.literal import read_text
from tsf.recipe.record import ClipRecipe, add_recipe_argument


def load(
    checkpoint: Path, settings: Architecture | None, recipe: ClipRecipe, classes: int
) -> Model:
    """The model of a checkpoint of any form that tsf.model.containers opens.

    settings: what it has to be, and the only source of the number of heads beside Hugging Face's
    config.json and the config that a file of mmaction2's holds; None: the weights alone tell, and
    heads are 64 wide. Raises UserError if anything does not fit: names, shapes, settings, the
    recipe, the number of classes.
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
    notes = list(contents.notes)
    if contents.config is not None:
        source = f"{checkpoint}'s own config"
        try:
            declared[source] = _own_settings(contents.config, source)
        except UserError as fault:  # which trained it with a setting that is not known here
            notes.append(f"not compared: {fault}")
    found = from_weights(named, recipe, declared, checkpoint)
    fit_recipe(found, recipe, classes, checkpoint)
    heads = f"{found.heads} heads" + ("" if declared else " of 64, which the weights do not tell")
    notes = [
        f"{FORM_NAMES[named.form]}'s names; {found.attention}, {found.frames} frames, "
        f"{found.side} pixels in patches of {found.patch}, width {found.width}, {heads}, "
        f"{found.blocks} blocks, {found.classes} classes",
        *notes,
    ]
    return Model(found, named.weights, notes)


def _own_settings(text: str, source: str) -> Architecture:
    """What the text of an mmaction2 config says of its model. Raises UserError."""
    model = read_text(text, Path(source)).get("model")
    if not isinstance(model, dict):
        raise UserError(f"{source}: has no model")
    return from_mmaction2(model, source)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """What `load_model` takes, beside `--recipe`."""
    add_settings_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a file or a folder")
    parser.add_argument("--classes", type=int, required=True, help="that the model tells apart")


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every export of the model."""
    add_model_arguments(parser)
    add_recipe_argument(parser, ClipRecipe)
    parser.add_argument("--batch", type=int, default=1, help="videos a run")
    parser.add_argument("--output", type=Path, required=True, help="model to write")


def load_model(args: argparse.Namespace) -> Model:
    """The model that a command line names; says what it is."""
    settings = read_settings(args.settings, args.mmaction2)
    model = load(args.checkpoint, settings, args.recipe, args.classes)
    for note in model.notes:
        print(f"{args.checkpoint}: {note}")
    return model
