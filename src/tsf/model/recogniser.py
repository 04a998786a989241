"""mmaction2's own recogniser, built from its config and a checkpoint: the reference."""

import argparse
import pickle
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from tsf.errors import UserError, on_one_line

CONFIGS = "mmaction/.mim/configs/recognition/timesformer"
TOOLS = "mmaction/.mim/tools"


class Recogniser(torch.nn.Module):
    """The parts of mmaction2's Recognizer3D that are used here: a type, never instantiated."""

    backbone: Any
    cls_head: Any
    forward_dummy: Callable[[torch.Tensor], tuple[torch.Tensor]]


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `recogniser_from_config`."""
    parser.add_argument("--mmaction2", type=Path, required=True, help="patched sources")
    parser.add_argument("--config", required=True, help="mmaction2 config: a path or a name")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `build_recogniser`."""
    add_config_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True)


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of every export of the model."""
    add_model_arguments(parser)
    parser.add_argument("--batch", type=int, default=1, help="videos a run")
    parser.add_argument("--output", type=Path, required=True, help="model to write")


def load_weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The state dict of an mmaction2 checkpoint, read without running code from the file.

    Raises UserError for a file that is missing, truncated, holds anything but plain data, or
    has no state dict.
    """
    if not checkpoint.is_file():
        raise UserError(f"{checkpoint}: no such checkpoint; see model.checkpoint in the config")
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{checkpoint}: not a checkpoint that PyTorch can load ({reason})"
        ) from None
    weights = content.get("state_dict", content) if isinstance(content, dict) else {}
    if not weights or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise UserError(f"{checkpoint}: holds no state dict of tensors")
    # after training on several GPUs the names begin with that of DistributedDataParallel's module
    return {name.removeprefix("module."): value for name, value in weights.items()}


def load_tool(mmaction2: Path, name: str) -> ModuleType:
    """A command line of mmaction2 as a module. name: its path below mmaction2's tools/."""
    loader = SourceFileLoader(Path(name).stem, str(mmaction2 / TOOLS / name))
    tool = ModuleType(loader.name)
    loader.exec_module(tool)
    return tool


def recogniser_from_config(mmaction2: Path, config: str, **backbone: object) -> Recogniser:
    """mmaction2's recogniser in eval mode, its weights not loaded.

    mmaction2: the folder that tsf.model.upstream makes. config: the path of an mmaction2 config, or
    the name of one of mmaction2's TimeSformer configs. backbone: settings that replace the
    config's. Raises UserError.
    """
    path = Path(config)
    if not path.is_file():
        path = mmaction2 / CONFIGS / f"{config}.py"
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in (mmaction2 / CONFIGS).glob("*.py")))
        raise UserError(
            f"model.config {config!r}: neither a file nor a config of mmaction2: {names}"
        )

    sys.path.insert(0, str(mmaction2.resolve()))
    from mmaction.models import build_model
    from mmcv import Config

    settings = Config.fromfile(str(path))
    # the checkpoint holds every weight
    settings.model.backbone.update(pretrained=None, **backbone)
    model: Recogniser = build_model(
        settings.model, train_cfg=None, test_cfg=settings.get("test_cfg")
    )
    return model.eval()


def build_recogniser(mmaction2: Path, config: str, checkpoint: Path) -> Recogniser:
    """The recogniser with every weight from the checkpoint, none missing, none left over."""
    weights = load_weights(checkpoint)
    model = recogniser_from_config(mmaction2, config)
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise UserError(f"{checkpoint}: does not fit {config}: {on_one_line(error)}") from None
    return model


def reference_logits(model: Recogniser, clips: torch.Tensor) -> torch.Tensor:
    """The recogniser's raw scores of each view.

    clips: (batch, 3, 3, 8, 224, 224) float32. Returns (batch * 3, classes) float32.
    """
    with torch.inference_mode():
        return model.forward_dummy(clips)[0]
