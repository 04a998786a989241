"""mmaction2's own recogniser with the weights of a checkpoint: the reference."""

import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from tsf.model.architecture import EPS, Architecture, Model

TOOLS = "mmaction/.mim/tools"


class Recogniser(torch.nn.Module):
    """The parts of mmaction2's Recognizer3D that are used here: a type, never instantiated."""

    backbone: Any
    cls_head: Any
    forward_dummy: Callable[[torch.Tensor], tuple[torch.Tensor]]


def import_upstream(mmaction2: Path) -> None:
    """Let `import mmaction` and `import mmcv` find the patched sources."""
    if (folder := str(mmaction2.resolve())) not in sys.path:
        sys.path.insert(0, folder)


def load_tool(mmaction2: Path, name: str) -> ModuleType:
    """A command line of mmaction2 as a module. name: its path below mmaction2's tools/."""
    loader = SourceFileLoader(Path(name).stem, str(mmaction2 / TOOLS / name))
    tool = ModuleType(loader.name)
    loader.exec_module(tool)
    return tool


def recogniser_settings(architecture: Architecture) -> dict:
    """mmaction2's settings of `model`. The names are those of mmaction2 0.24's builder."""
    a = architecture
    return {
        "type": "Recognizer3D",
        "backbone": {
            "type": "TimeSformer",
            "num_frames": a.frames,
            "img_size": a.side,
            "patch_size": a.patch,
            "embed_dims": a.width,
            "num_heads": a.heads,
            "num_transformer_layers": a.blocks,
            "in_channels": a.channels,
            "attention_type": a.attention,
            "norm_cfg": {"type": "LN", "eps": EPS},
        },
        "cls_head": {
            "type": "TimeSformerHead",
            "num_classes": a.classes,
            "in_channels": a.width,
        },
        # for the recogniser called as a whole; the logits do not depend on it
        "test_cfg": {"average_clips": "prob"},
    }


def empty_recogniser(mmaction2: Path, architecture: Architecture) -> Recogniser:
    """mmaction2's recogniser in eval mode, its weights not loaded.

    mmaction2: the folder that tsf.model.upstream makes.
    """
    import_upstream(mmaction2)
    from mmaction.models import build_model
    from mmcv import ConfigDict

    recogniser: Recogniser = build_model(ConfigDict(recogniser_settings(architecture)))
    return recogniser.eval()


def build_recogniser(mmaction2: Path, model: Model) -> Recogniser:
    """The recogniser with every weight of the checkpoint, none missing, none left over."""
    recogniser = empty_recogniser(mmaction2, model.architecture)
    recogniser.load_state_dict(model.weights, strict=True)
    return recogniser


def reference_logits(recogniser: Recogniser, clips: torch.Tensor) -> torch.Tensor:
    """The recogniser's raw scores of each view.

    clips: (batch, views, 3, T, y, x) float32. Returns (batch * views, classes) float32.
    """
    with torch.inference_mode():
        return recogniser.forward_dummy(clips)[0]
