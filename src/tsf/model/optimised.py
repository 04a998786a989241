"""TimeSformer with divided space-time attention: the same function, with fewer operations.

mmaction2's model (mmaction/models/backbones/timesformer.py, common/transformer.py) at inference,
built from the same checkpoint. Constants are folded into the weights, in float64 and rounded once,
and values that nothing reads are not computed:

1. temporal attention's out_proj and the temporal_fc behind it are one Linear
2. the last block asks its spatial attention and MLP for the class token alone: the head reads
   nothing else
3. there the tokens get no key and value projection: the query goes through the key weights
   instead, and the value weights are applied to the weighted mean of the tokens
4. softmax ignores what the key bias adds to a row; the value bias passes through the weighted
   mean, so it moves into the output bias
5. the scale of the scores moves into the query weights
6. gamma and beta of every LayerNorm move into the Linear behind it
7. for uint8 pixels, the normalisation moves into the patch projection
8. class token, position and time embedding and the projection's bias are one constant; the tokens
   stay in the order class token, then frame by frame, and every permute is one that splits heads

Shapes: B views (of all videos), T frames, P patches a frame, D width, H heads, d = D / H.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsf.errors import UserError
from tsf.model.architecture import EPS, Architecture
from tsf.model.key_map import DIVIDED


class Affine(NamedTuple):
    """y = weight x + bias; weight: (out, in), bias: (out,)."""

    weight: Tensor
    bias: Tensor


def merge(first: Affine, then: Affine) -> Affine:
    """Rewrite 1: two Linears in a row are one. W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)."""
    return Affine(then.weight @ first.weight, then.weight @ first.bias + then.bias)


def fold_value_bias(out: Affine, value_bias: Tensor) -> Affine:
    """Rewrite 4: the weights of a mean sum to one, so mean(v + b) = mean(v) + b.

    The output Linear takes the value bias, (D,), into its own.
    """
    return Affine(out.weight, out.bias + out.weight @ value_bias)


def fold_scale(query: Affine, heads: int) -> Affine:
    """Rewrite 5: (q / sqrt(d)) k = ((W / sqrt(d)) x + b / sqrt(d)) k."""
    scale = (query.weight.shape[0] // heads) ** -0.5
    return Affine(query.weight * scale, query.bias * scale)


def fold_norm(linear: Affine, norm: Affine) -> Affine:
    """Rewrite 6: W (gamma * n + beta) + b = (W gamma) n + (W beta + b).

    norm: gamma and beta, (in,) each; n: the normalised input, without them.
    """
    return Affine(linear.weight * norm.weight, linear.weight @ norm.bias + linear.bias)


def fold_pixels(patch: Affine, mean: Sequence[float], std: Sequence[float]) -> Affine:
    """Rewrite 7: W ((x - mean) / std) + b = (W / std) x + (b - (W / std) mean).

    patch.weight: (out, channels * pixels), channel by channel; mean, std: one a channel.
    """
    pixels = patch.weight.shape[1] // len(mean)
    means, stds = (patch.weight.new_tensor(v).repeat_interleave(pixels) for v in (mean, std))
    weight = patch.weight / stds
    return Affine(weight, patch.bias - weight @ means)


def fold_embedding(
    class_token: Tensor, position: Tensor, time: Tensor, patch_bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Rewrite 8: what is added to the class token and to the projected patches, as constants.

    class_token: (1, 1, D); position: (1, 1 + P, D), the class token's first; time: (1, T, D);
    patch_bias: (D,). Returns the class token, (1, 1, D), and the patches' constant, (T, P, D).
    """
    patches = position[0, 1:] + time[0, :, None] + patch_bias  # (T, P, D)
    return class_token + position[:, :1], patches


def require_divided(architecture: Architecture) -> None:
    """Raises UserError for attention that these rewrites do not fit."""
    if architecture.attention != DIVIDED:
        raise UserError(
            f"the checkpoint has {architecture.attention!r} attention, but the optimised model "
            f"exists for {DIVIDED!r} only; for others use tsf_sim in engines, and set "
            "parity: {models: [tsf, tsf_sim]}"
        )


class Weights:
    """A state dict in float64, of which every tensor must be taken, and once."""

    def __init__(self, state: dict[str, Tensor]):
        self.state = dict(state)

    def take(self, name: str, *shape: int) -> Tensor:
        """Raises UserError for a tensor that is missing or of another shape."""
        if name not in self.state:
            raise UserError(f"the checkpoint has no {name}")
        tensor = self.state.pop(name)
        if tensor.shape != shape:
            raise UserError(
                f"the checkpoint's {name} is {tuple(tensor.shape)}, by the others it is {shape}"
            )
        return tensor.double()

    def affine(self, name: str, out: int, *inputs: int) -> Affine:
        """A Linear's or convolution's, or with no inputs a LayerNorm's, weight and bias."""
        return Affine(self.take(f"{name}.weight", out, *inputs), self.take(f"{name}.bias", out))

    def finish(self) -> None:
        """Raises UserError if a tensor was not taken."""
        if self.state:
            names = ", ".join(sorted(self.state)[:3])
            raise UserError(
                f"the checkpoint has {len(self.state)} tensors that the model has not: {names}"
            )


def linear(affine: Affine, bias: bool = True) -> nn.Linear:
    """A Linear in the weights' precision; without the bias where it is folded elsewhere."""
    module = nn.utils.skip_init(nn.Linear, *affine.weight.shape[::-1], bias, dtype=torch.float64)
    module.weight = nn.Parameter(affine.weight.contiguous(), requires_grad=False)
    if bias:
        module.bias = nn.Parameter(affine.bias, requires_grad=False)
    return module


class Normalise(nn.Module):
    """LayerNorm without gamma and beta, which live in the Linear behind it."""

    def __init__(self, shape: Architecture):
        super().__init__()
        self.width = shape.width

    def forward(self, x: Tensor) -> Tensor:  # (..., D)
        return functional.layer_norm(x, (self.width,), eps=EPS)  # (..., D)


class Attention(nn.Module):
    """The four Linears of a self-attention behind its LayerNorm, rewrites 4 to 6 applied.

    Each kind splits the heads into four axes, not five: OpenVINO then runs the attention as one
    fused kernel. tokens: how many tokens of a frame take part.
    """

    def __init__(self, shape: Architecture, weights: Weights, name: str, tokens: int):
        super().__init__()
        width = shape.width
        norm = weights.affine(f"{name}.norm", width)
        weight = weights.take(f"{name}.attn.in_proj_weight", 3 * width, width)
        bias = weights.take(f"{name}.attn.in_proj_bias", 3 * width)
        query, key, value = (
            fold_norm(Affine(*part), norm)
            for part in zip(weight.chunk(3), bias.chunk(3), strict=True)
        )
        out = fold_value_bias(weights.affine(f"{name}.attn.out_proj", width, width), value.bias)
        self.shape, self.tokens = shape, tokens
        self.normalise = Normalise(shape)
        self.query = linear(fold_scale(query, shape.heads))
        self.key = linear(key, bias=False)
        self.value = linear(value, bias=False)
        self.out = linear(out)

    def rows(self, x: Tensor) -> Tensor:  # frame by frame, token by token, head by head
        return x.reshape(-1, self.shape.frames * self.tokens, self.shape.width)


class TemporalAttention(Attention):
    """A patch attends to itself in every frame."""

    def __init__(self, shape: Architecture, weights: Weights, name: str):
        super().__init__(shape, weights, name, shape.patches)
        out = Affine(self.out.weight, self.out.bias)
        then = weights.affine(f"{name}.temporal_fc", shape.width, shape.width)
        self.out = linear(merge(out, then))

    def forward(self, x: Tensor) -> Tensor:  # (B, T * P, D), frame by frame
        n = self.normalise(x)  # (B, T * P, D)
        q = self.heads(self.query(n))  # (B, P * H, T, d)
        k = self.heads(self.key(n))  # (B, P * H, T, d)
        v = self.heads(self.value(n))  # (B, P * H, T, d)
        mean = (q @ k.transpose(2, 3)).softmax(-1) @ v  # (B, P * H, T, d)
        return self.out(self.rows(mean.transpose(1, 2)))  # (B, T * P, D)

    def heads(self, x: Tensor) -> Tensor:  # (B, T * P, D)
        s = self.shape
        x = x.reshape(-1, s.frames, s.patches * s.heads, s.width // s.heads)  # (B, T, P * H, d)
        return x.transpose(1, 2)  # (B, P * H, T, d)


class SpatialAttention(Attention):
    """The tokens of a frame, a copy of the class token and its patches, attend to each other."""

    def __init__(self, shape: Architecture, weights: Weights, name: str):
        super().__init__(shape, weights, name, 1 + shape.patches)

    def forward(self, x: Tensor) -> Tensor:  # (B, T * (1 + P), D), frame by frame
        n = self.normalise(x)  # (B, T * (1 + P), D)
        q = self.heads(self.query(n))  # (B * T, H, 1 + P, d)
        k = self.heads(self.key(n))  # (B * T, H, 1 + P, d)
        v = self.heads(self.value(n))  # (B * T, H, 1 + P, d)
        mean = (q @ k.transpose(2, 3)).softmax(-1) @ v  # (B * T, H, 1 + P, d)
        return self.out(self.rows(mean.transpose(1, 2)))  # (B, T * (1 + P), D)

    def heads(self, x: Tensor) -> Tensor:  # (B, T * (1 + P), D)
        s = self.shape
        x = x.reshape(-1, self.tokens, s.heads, s.width // s.heads)  # (B * T, 1 + P, H, d)
        return x.transpose(1, 2)  # (B * T, H, 1 + P, d)


class ClassTokenAttention(Attention):
    """Rewrites 2 and 3: spatial attention for the class token alone, then the mean over frames.

    A head's scores are q . (W_k n) = (q W_k) . n, and its output sum(w W_v n) = W_v sum(w n):
    projections of one row instead of all. The mean over frames goes before W_v and out_proj too.
    """

    def __init__(self, shape: Architecture, weights: Weights, name: str):
        super().__init__(shape, weights, name, 1 + shape.patches)
        per_head = (shape.heads, shape.width // shape.heads, shape.width)
        key = self.key.weight.reshape(per_head)  # (H, d, D)
        value = self.value.weight.reshape(per_head).transpose(1, 2)  # (H, D, d)
        del self.key, self.value
        self.head_keys = nn.Parameter(key.contiguous(), requires_grad=False)
        self.head_values = nn.Parameter(value.contiguous(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:  # (B, T * (1 + P), D), frame by frame
        s = self.shape
        n = self.normalise(x)  # (B, T * (1 + P), D)
        q = self.query(n[:, :1])  # (B, 1, D): the copies in the other frames are the same
        q = q.reshape(-1, s.heads, 1, s.width // s.heads)  # (B, H, 1, d)
        q = (q @ self.head_keys).transpose(1, 2)  # (B, 1, H, D)
        n = n.reshape(-1, s.frames, self.tokens, s.width)  # (B, T, 1 + P, D)
        mean = (q @ n.transpose(2, 3)).softmax(-1) @ n  # (B, T, H, D)
        mean = mean.mean(1).unsqueeze(2)  # (B, H, 1, D)
        mean = (mean @ self.head_values).reshape(-1, 1, s.width)  # (B, 1, D)
        return self.out(mean)  # (B, 1, D)


class MLP(nn.Module):
    """Two Linears with a Gelu (the exact one, by erf) between, behind their LayerNorm."""

    def __init__(self, shape: Architecture, weights: Weights, name: str):
        super().__init__()
        norm = weights.affine(f"{name}.norm", shape.width)
        first = weights.affine(f"{name}.layers.0.0", shape.hidden, shape.width)
        self.normalise = Normalise(shape)
        self.first = linear(fold_norm(first, norm))
        self.second = linear(weights.affine(f"{name}.layers.1", shape.width, shape.hidden))

    def forward(self, x: Tensor) -> Tensor:  # (B, rows, D)
        return self.second(functional.gelu(self.first(self.normalise(x))))  # (B, rows, D)


class Block(nn.Module):
    """Temporal attention, spatial attention, MLP, each added to the state."""

    def __init__(self, shape: Architecture, weights: Weights, number: int):
        super().__init__()
        name = f"backbone.transformer_layers.layers.{number}"
        last = number == shape.blocks - 1
        spatial = ClassTokenAttention if last else SpatialAttention
        self.shape, self.last = shape, last
        self.temporal = TemporalAttention(shape, weights, f"{name}.attentions.0")
        self.spatial = spatial(shape, weights, f"{name}.attentions.1")
        self.mlp = MLP(shape, weights, f"{name}.ffns.0")

    def forward(self, x: Tensor) -> Tensor:  # (B, 1 + T * P, D)
        s = self.shape
        token, patches = x[:, :1], x[:, 1:]  # (B, 1, D), (B, T * P, D)
        patches = patches + self.temporal(patches)  # (B, T * P, D)
        x = self.across_frames(token, patches)  # (B, T * (1 + P), D)
        if self.last:
            token = token + self.spatial(x)  # (B, 1, D)
            return token + self.mlp(token)  # (B, 1, D)
        change = self.spatial(x).reshape(-1, s.frames, 1 + s.patches, s.width)  # (B, T, 1 + P, D)
        token = token + change[:, :, 0].mean(1, keepdim=True)  # (B, 1, D)
        patches = patches + change[:, :, 1:].reshape(-1, s.tokens - 1, s.width)  # (B, T * P, D)
        x = torch.cat([token, patches], 1)  # (B, 1 + T * P, D)
        return x + self.mlp(x)  # (B, 1 + T * P, D)

    def across_frames(self, token: Tensor, patches: Tensor) -> Tensor:
        """The tokens of every frame, led by a copy of the class token: (B, T * (1 + P), D)."""
        s = self.shape
        copies = torch.cat([token] * s.frames, 1).unsqueeze(2)  # (B, T, 1, D)
        patches = patches.reshape(-1, s.frames, s.patches, s.width)  # (B, T, P, D)
        tokens = torch.cat([copies, patches], 2)  # (B, T, 1 + P, D)
        return tokens.reshape(-1, s.frames * (1 + s.patches), s.width)


class OptimisedTimeSformer(nn.Module):
    """imgs (batch, views, channels, T, y, x) -> logits (batch * views, classes), no softmax.

    imgs: normalised float32 or, if `pixels` is given, uint8. Built in float64; `.float()` rounds
    it, once.
    """

    def __init__(
        self,
        shape: Architecture,
        state: dict[str, Tensor],
        pixels: tuple[Sequence[float], Sequence[float]] | None = None,
    ):
        """state: the state dict of mmaction2's recogniser. pixels: mean and std of each channel.

        Raises UserError for other attention, or a state dict that does not fit.
        """
        super().__init__()
        require_divided(shape)
        weights = Weights(state)
        width, side = shape.width, shape.patch
        projection = weights.affine(
            "backbone.patch_embed.projection", width, shape.channels, side, side
        )
        patch = Affine(projection.weight.flatten(1), projection.bias)
        patch = fold_pixels(patch, *pixels) if pixels else patch
        token, embedding = fold_embedding(
            weights.take("backbone.cls_token", 1, 1, width),
            weights.take("backbone.pos_embed", 1, 1 + shape.patches, width),
            weights.take("backbone.time_embed", 1, shape.frames, width),
            patch.bias,
        )
        norm = weights.affine("backbone.norm", width)
        head = weights.affine("cls_head.fc_cls", shape.classes, width)
        self.shape, self.uint8 = shape, pixels is not None
        self.patch = linear(patch, bias=False)
        # the first row is the class token, added to a row of zeros
        constant = torch.cat([token[0], embedding.flatten(0, 1)])  # (1 + T * P, D)
        self.embedding = nn.Parameter(constant, requires_grad=False)
        self.blocks = nn.Sequential(*(Block(shape, weights, n) for n in range(shape.blocks)))
        self.normalise = Normalise(shape)
        self.head = linear(fold_norm(head, norm))
        weights.finish()

    def forward(self, imgs: Tensor) -> Tensor:  # (batch, views, channels, T, y, x)
        s = self.shape
        x = imgs.reshape(-1, s.channels, s.frames, s.grid, s.patch, s.grid, s.patch)
        x = x.permute(0, 2, 3, 5, 1, 4, 6)  # (B, T, grid, grid, channels, patch, patch)
        x = x.reshape(-1, s.tokens - 1, s.channels * s.patch**2)  # (B, T * P, pixels of a patch)
        x = self.patch(x.to(self.patch.weight.dtype) if self.uint8 else x)  # (B, T * P, D)
        # zeros for the class token, made from x so that the graph does not fix the batch
        zeros = x[:, :1] - x[:, :1]  # (B, 1, D)
        x = torch.cat([zeros, x], 1) + self.embedding  # (B, 1 + T * P, D)
        x = self.blocks(x)  # (B, 1, D): the last block gives the class token alone
        return self.head(self.normalise(x[:, 0]))  # (B, classes)
