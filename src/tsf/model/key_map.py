"""The names of a TimeSformer's tensors: Facebook's and Hugging Face's become mmaction2's.

The three implementations have the same tensors in the same layout, so that the map is a renaming.
It is strict: every tensor is used once, none is missing and none is left over.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from tsf.errors import UserError

DIVIDED, JOINT, SPACE = "divided_space_time", "joint_space_time", "space_only"
FORM_NAMES = {"mmaction2": "mmaction2", "facebook": "Facebook", "huggingface": "Hugging Face"}


class Row(NamedTuple):
    """One tensor; `{n}` in a name is the block's number.

    shape: numbers, and the sizes of tsf.model.architecture by letter: D width, P patches a frame,
    T frames, S side of a patch, C classes.
    """

    mmaction2: str
    facebook: str
    huggingface: str
    shape: tuple[int | str, ...]


def _affine(
    mmaction2: str, facebook: str, huggingface: str, *shape: int | str, separator: str = "."
) -> list[Row]:
    """The weight, of this shape, and the bias of a Linear, a convolution or a LayerNorm."""
    return [
        Row(f"{mmaction2}{separator}{kind}", f"{facebook}.{kind}", f"{huggingface}.{kind}", size)
        for kind, size in (("weight", shape), ("bias", shape[:1]))
    ]


def _attention(mmaction2: str, facebook: str, huggingface: str) -> list[Row]:
    """Rows of in_proj are the query's, the key's, then the value's, and in each head by head."""
    hf = huggingface
    return [
        *_affine(
            f"{mmaction2}.in_proj", f"{facebook}.qkv", f"{hf}.attention.qkv", "3D", "D",
            separator="_",
        ),
        *_affine(f"{mmaction2}.out_proj", f"{facebook}.proj", f"{hf}.output.dense", "D", "D"),
    ]  # fmt: skip


_TIME = Row(
    "backbone.time_embed", "time_embed", "timesformer.embeddings.time_embeddings", (1, "T", "D")
)
_MODEL = [
    Row("backbone.cls_token", "cls_token", "timesformer.embeddings.cls_token", (1, 1, "D")),
    Row(
        "backbone.pos_embed",
        "pos_embed",
        "timesformer.embeddings.position_embeddings",
        (1, "1+P", "D"),
    ),
    *_affine(
        "backbone.patch_embed.projection",
        "patch_embed.proj",
        "timesformer.embeddings.patch_embeddings.projection",
        *("D", 3, "S", "S"),
    ),
    *_affine("backbone.norm", "norm", "timesformer.layernorm", "D"),
    *_affine("cls_head.fc_cls", "head", "classifier", "C", "D"),
]
# a block in mmaction2, Facebook's and Hugging Face's names
_MM = "backbone.transformer_layers.layers.{n}"
_FB = "blocks.{n}"
_HF = "timesformer.encoder.layer.{n}"
_TEMPORAL = [
    *_affine(f"{_MM}.attentions.0.norm", f"{_FB}.temporal_norm1", f"{_HF}.temporal_layernorm", "D"),
    *_attention(f"{_MM}.attentions.0.attn", f"{_FB}.temporal_attn", f"{_HF}.temporal_attention"),
    *_affine(
        f"{_MM}.attentions.0.temporal_fc", f"{_FB}.temporal_fc", f"{_HF}.temporal_dense", "D", "D"
    ),
]


def _spatial(norm: str, attention: str, mlp_norm: str) -> list[Row]:
    """A block without its temporal part; given are the names in mmaction2 that differ."""
    return [
        *_affine(f"{_MM}.{norm}", f"{_FB}.norm1", f"{_HF}.layernorm_before", "D"),
        *_attention(f"{_MM}.{attention}.attn", f"{_FB}.attn", f"{_HF}.attention"),
        *_affine(f"{_MM}.{mlp_norm}", f"{_FB}.norm2", f"{_HF}.layernorm_after", "D"),
        *_affine(
            f"{_MM}.ffns.0.layers.0.0", f"{_FB}.mlp.fc1", f"{_HF}.intermediate.dense", "4D", "D"
        ),
        *_affine(f"{_MM}.ffns.0.layers.1", f"{_FB}.mlp.fc2", f"{_HF}.output.dense", "D", "4D"),
    ]


_PLAIN_BLOCK = _spatial("norms.0", "attentions.0", "norms.1")
_MODEL_ROWS = {DIVIDED: [*_MODEL, _TIME], JOINT: [*_MODEL, _TIME], SPACE: _MODEL}
_BLOCK_ROWS = {
    DIVIDED: [*_TEMPORAL, *_spatial("attentions.1.norm", "attentions.1", "ffns.0.norm")],
    JOINT: _PLAIN_BLOCK,
    SPACE: _PLAIN_BLOCK,
}
_BLOCK_NAMES = {"mmaction2": _MM, "facebook": _FB, "huggingface": _HF}
# what only this form's names begin with
_BEGINNINGS = {"mmaction2": "backbone.", "facebook": "blocks.", "huggingface": "timesformer."}
# models without their head, in the form in which they are saved alone
_HEADLESS = {
    "encoder.layer.": "Hugging Face's bare TimesformerModel",
    "transformer_layers.layers.": "mmaction2's bare backbone",
}


class Named(NamedTuple):
    """A state dict under mmaction2's names, and what the names tell."""

    weights: dict[str, Tensor]
    attention: str  # DIVIDED, JOINT or SPACE
    blocks: int
    form: str  # of FORM_NAMES
    own_names: dict[str, str]  # a tensor's name in the file, by mmaction2's


def rows(attention: str, blocks: int) -> Iterator[Row]:
    """Every tensor of a model with this attention and so many blocks."""
    yield from _MODEL_ROWS[attention]
    for number in range(blocks):
        for row in _BLOCK_ROWS[attention]:
            mmaction2, facebook, huggingface = (name.format(n=number) for name in row[:3])
            yield Row(mmaction2, facebook, huggingface, row.shape)


def to_mmaction2(weights: dict[str, Tensor], where: Path) -> Named:
    """Rename a state dict of any form. Raises UserError if it is not one TimeSformer, whole."""
    form = _form(weights, where)
    attention = _attention_type(weights, form)
    block = re.compile(re.escape(_BLOCK_NAMES[form]).replace(r"\{n\}", r"(\d+)\."))
    blocks = len({found[1] for name in weights if (found := block.match(name))})
    if not blocks:
        raise UserError(f"{where}: has no block of a TimeSformer, but {_some(list(weights))}")
    own_names = {row.mmaction2: getattr(row, form) for row in rows(attention, blocks)}
    missing = [name for name in own_names.values() if name not in weights]
    left = sorted(weights.keys() - own_names.values())
    model = f"a TimeSformer with {attention} attention and {blocks} blocks"
    if missing:
        more = f", and holds {_some(left)} that it has no place for" if left else ""
        raise UserError(f"{where}: for {model} it lacks {_some(missing)}{more}")
    if left:
        raise UserError(f"{where}: {model} has no place for {_some(left)}")
    renamed = {name: weights[own] for name, own in own_names.items()}
    return Named(renamed, attention, blocks, form, own_names)


def _form(weights: dict[str, Tensor], where: Path) -> str:
    for form, beginning in _BEGINNINGS.items():
        if any(name.startswith(beginning) for name in weights):
            return form
    for beginning, model in _HEADLESS.items():
        if any(name.startswith(beginning) for name in weights):
            raise UserError(f"{where}: {model}, which has no classifier and so no classes to tell")
    raise UserError(
        f"{where}: no TimeSformer in the names of {', '.join(FORM_NAMES.values())}; "
        f"holds {_some(list(weights))}"
    )


def _attention_type(weights: dict[str, Tensor], form: str) -> str:
    temporal_fc = getattr(_TEMPORAL[-1], form).split("{n}")[1]
    if any(name.endswith(temporal_fc) for name in weights):
        return DIVIDED
    return JOINT if getattr(_TIME, form) in weights else SPACE


def _some(names: list[str]) -> str:
    """The first names, and how many there are."""
    tensors = "tensor" if len(names) == 1 else "tensors"
    return f"{len(names)} {tensors} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
