"""What settings say about a TimeSformer's architecture: mmaction2's `model`, Hugging Face's config.

Only settings that are known are taken: another one may change the function.
"""

from pathlib import Path
from typing import Any

from tsf.errors import UserError
from tsf.files import read_foreign_json
from tsf.model.architecture import CHANNELS, EPS, Architecture
from tsf.model.key_map import DIVIDED, JOINT, SPACE

# the names of an Architecture's fields in mmaction2's and in Hugging Face's settings
_NAMES = {
    "attention": ("attention_type", "attention_type"),
    "frames": ("num_frames", "num_frames"),
    "side": ("img_size", "image_size"),
    "patch": ("patch_size", "patch_size"),
    "width": ("embed_dims", "hidden_size"),
    "heads": ("num_heads", "num_attention_heads"),
    "blocks": ("num_transformer_layers", "num_hidden_layers"),
    "classes": ("num_classes", "id2label"),
}
_MMACTION2_DEFAULTS: dict[str, Any] = {
    "attention_type": DIVIDED,
    "embed_dims": 768,
    "num_heads": 12,
    "num_transformer_layers": 12,
}
_HUGGING_FACE_DEFAULTS: dict[str, Any] = {
    "attention_type": DIVIDED,
    "num_frames": 8,
    "image_size": 224,
    "patch_size": 16,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
}
# settings that the trained function does not depend on
_TRAINING_ONLY = {
    "backbone": {"type", "pretrained", "init_cfg", "dropout_ratio"},
    "cls_head": {
        *("type", "init_cfg", "init_std", "loss_cls", "dropout_ratio", "multi_class"),
        *("label_smooth_eps", "topk", "average_clips"),  # the views are fused elsewhere
    },
}
_TYPES = {"backbone": "TimeSformer", "cls_head": "TimeSformerHead"}


def from_mmaction2(settings: dict, source: str) -> Architecture:
    """What the settings `model` of an mmaction2 config, 0.x or 1.x, describe.

    source: where they are from. Raises UserError for settings that make another function, or that
    this workflow does not know.
    """
    _known_type(settings, "Recognizer3D", source)
    # train_cfg, test_cfg: the logits do not depend on them. data_preprocessor: 1.x's
    # normalisation, which the recipe has
    known = {"type", "backbone", "cls_head", "train_cfg", "test_cfg", "data_preprocessor"}
    _no_others(settings, known, "model", source)
    backbone, head = (_part(settings, part, source) for part in _TYPES)
    named = {names[0] for field, names in _NAMES.items() if field != "classes"}
    fixed = {"in_channels", "norm_cfg", "transformer_layers"}
    _no_others(backbone, named | fixed | _TRAINING_ONLY["backbone"], "backbone", source)
    _no_others(
        head, {"num_classes", "in_channels"} | _TRAINING_ONLY["cls_head"], "cls_head", source
    )
    if backbone.get("transformer_layers") is not None:
        raise UserError(f"{source}: backbone.transformer_layers has to be null, mmaction2's own")
    _equal(backbone.get("in_channels", CHANNELS), CHANNELS, "backbone.in_channels", source)
    norm = {"type": "LN", "eps": EPS} if backbone.get("norm_cfg") is None else backbone["norm_cfg"]
    if not isinstance(norm, dict):
        raise UserError(f"{source}: backbone.norm_cfg is {norm!r}")
    _no_others(norm, {"type", "eps", "requires_grad"}, "backbone.norm_cfg", source)
    _equal(norm.get("type"), "LN", "backbone.norm_cfg.type", source)
    _equal(norm.get("eps", 1e-5), EPS, "backbone.norm_cfg.eps", source)  # PyTorch's default
    settings = _MMACTION2_DEFAULTS | backbone | {"num_classes": head.get("num_classes")}
    found = _architecture(settings, 0, source)
    _equal(head.get("in_channels"), found.width, "cls_head.in_channels", source)
    return found


def _part(settings: dict[str, Any], part: str, source: str) -> dict[str, Any]:
    content = settings.get(part)
    if not isinstance(content, dict):
        raise UserError(f"{source}: model has no {part}")
    _known_type(content, _TYPES[part], source)
    return content


def from_hugging_face(config: dict, source: str) -> Architecture:
    """What the config.json of a Hugging Face folder describes. Raises UserError as above."""
    _equal(config.get("model_type"), "timesformer", "model_type", source)
    for name, value in {
        "hidden_act": "gelu",
        "layer_norm_eps": EPS,
        "num_channels": CHANNELS,
        "qkv_bias": True,
    }.items():
        _equal(config.get(name, value), value, name, source)
    classes = len(config["id2label"]) if config.get("id2label") else config.get("num_labels", 2)
    found = _architecture(_HUGGING_FACE_DEFAULTS | config | {"id2label": classes}, 1, source)
    _equal(config.get("intermediate_size", 3072), found.hidden, "intermediate_size", source)
    return found


def _architecture(settings: dict[str, Any], column: int, source: str) -> Architecture:
    """column: of _NAMES."""
    names = {field: both[column] for field, both in _NAMES.items()}
    attention = settings.get(names.pop("attention"))
    if attention not in (DIVIDED, JOINT, SPACE):
        raise UserError(f"{source}: attention_type {attention!r} is unknown")
    sizes = {field: _size(settings.get(name), name, source) for field, name in names.items()}
    if sizes["side"] % sizes["patch"]:
        raise UserError(
            f"{source}: {sizes['side']} pixels are no multiple of patches of {sizes['patch']}"
        )
    return Architecture(attention, **sizes)


def _size(value: Any, name: str, source: str) -> int:
    if isinstance(value, (list, tuple)) and len(value) == 2 and value[0] == value[1]:
        value = value[0]  # a square's height and width
    if type(value) is not int or value < 1:
        raise UserError(f"{source}: {name} is {value!r}, not one positive number")
    return value


def _known_type(settings: dict, expected: str, source: str) -> None:
    found = str(settings.get("type"))
    if found.rpartition(".")[2] != expected:  # 1.x may write a scope before it: mmaction.X
        raise UserError(f"{source}: type is {found!r}, and only {expected!r} is known")


def _no_others(settings: dict, known: set[str], part: str, source: str) -> None:
    others = sorted(map(str, settings.keys() - known))
    if others:
        raise UserError(
            f"{source}: {part} has settings that this workflow does not know: {', '.join(others)}"
        )


def _equal(found: Any, expected: Any, name: str, source: str) -> None:
    if found != expected:
        raise UserError(f"{source}: {name} is {found!r}, and has to be {expected!r}")


def read_hugging_face(folder: Path) -> dict | None:
    """The content of a folder's config.json, or None. Raises UserError if it is no JSON."""
    path = folder / "config.json"
    if not path.is_file():
        return None
    return read_foreign_json(path, "save the model again, with save_pretrained")
