"""`--settings`: what a command line says of the model."""

import argparse
import json
import os
from pathlib import Path

from tsf.errors import UserError
from tsf.model.architecture import Architecture
from tsf.model.recogniser import import_upstream
from tsf.model.settings import from_mmaction2

CONFIGS = "mmaction/.mim/configs/recognition/timesformer"
SETTINGS = "model.config"  # as messages call the settings that are given


def add_settings_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mmaction2", type=Path, required=True, help="patched sources")
    parser.add_argument(
        "--settings",
        default="null",
        metavar="JSON",
        help="mmaction2's settings of `model`: JSON, a file of it, or the name of one of "
        "mmaction2's configs; null: the checkpoint tells",
    )


def read_settings(text: str, mmaction2: Path) -> Architecture | None:
    """What `--settings` describes; None for null. Raises UserError."""
    if text == "null":
        return None
    configs = {path.stem: path for path in sorted((mmaction2 / CONFIGS).glob("*.py"))}
    if text in configs:
        return from_mmaction2(_upstream_settings(mmaction2, configs[text]), text)
    if text.startswith("{"):
        source, content = SETTINGS, text
    elif os.path.isfile(text):
        source, content = text, Path(text).read_text(encoding="utf-8")
    else:
        raise UserError(
            f"{SETTINGS} {text!r}: neither JSON, nor a file, nor one of mmaction2's configs: "
            f"{', '.join(configs)}"
        )
    try:
        settings = json.loads(content)
    except ValueError as error:
        raise UserError(f"{source}: no JSON ({error})") from None
    if not isinstance(settings, dict):
        raise UserError(f"{source}: no JSON object of mmaction2's settings of `model`")
    return from_mmaction2(settings, source)


def _upstream_settings(mmaction2: Path, path: Path) -> dict:
    """`model` of one of mmaction2's own configs. mmcv runs the file, whose archive was checked."""
    import_upstream(mmaction2)
    from mmcv import Config

    model: dict = Config.fromfile(str(path)).model.to_dict()
    return model
