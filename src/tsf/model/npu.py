"""The optimised TimeSformer, laid out for an Ascend NPU's matrix unit: the same function.

An NPU's Cube unit multiplies float16 in blocks of 16 x 16 x 16: M, K and N are rounded up to 16
(CANN's manual, Mmad: hiascend.com, document/detail/en/canncommercial/850/API/ascendcopapi/
atlasascendc_api_07_0249.html). A tensor that ends within a block is converted to a block layout and
back (TransData) by each operator that cuts or joins it. So this module takes the weights and the
rewrites of model.optimised, and changes where the values lie:

a. the rows of a frame, its patches, then a copy of the class token, are filled up to a multiple of
   16 (197 -> 208) once, and stay so through every block, where nothing of them is cut or joined
b. the rows that fill up are no keys: a constant is added to their scores
c. every Linear and LayerNorm has the rows of all frames and views as one axis: MatMuls of 2 axes
d. attention has views, frames and heads as one axis: MatMuls of 3 axes
e. temporal attention takes several (patch, head) pairs of few frames at a time, 16 rows for 8
   frames; the same constant keeps the pairs apart
f. the patches are projected by a convolution, so that no Transpose has more than 4 axes: in
   model.optimised the one that cuts out the patches has 7

That a and c speed up a ViT on 310P3 is known from other models; nobody has measured this one. What
they cost in multiply-adds is in model.rewrites.

Shapes: B views (of all videos), T frames, P patches a frame, S rows a frame, D width, H heads,
d = D / H, L rows that temporal attention takes at a time.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsf.model import optimised
from tsf.model.architecture import Architecture

BLOCK = 16  # rows and columns of a block of the Cube unit in float16
# Added to the scores of keys that do not count. Half of what float16 holds, so neither it nor its
# sum with a score overflows there. exp is 0 below -104 in float32 and below -18 in float16: such a
# key's weight is 0, and not only small, unless its score is over the best other one by 32,600.
EXCLUDED = -32768.0


def padded(tokens: int) -> int:
    """The next multiple of BLOCK."""
    return -(-tokens // BLOCK) * BLOCK


def items_at_a_time(frames: int) -> int:
    """How many (patch, head) pairs temporal attention takes at a time.

    As many as have at most BLOCK rows, and a power of two, as these divide the padded rows.
    """
    items = 1
    while 2 * items * frames <= BLOCK:
        items *= 2
    return items


def key_mask(tokens: int) -> Tensor:
    """b: what is added to the scores of the keys of one frame, (1, 1, S): 0, or EXCLUDED.

    tokens: how many of the S rows are tokens.
    """
    mask = torch.zeros(1, 1, padded(tokens), dtype=torch.float64)
    mask[..., tokens:] = EXCLUDED
    return mask


def item_mask(items: int, frames: int) -> Tensor:
    """e: what is added to the scores between `items` of `frames` rows each, (1, L, L).

    0 within an item, EXCLUDED between two.
    """
    same = torch.block_diag(*[torch.ones(frames, frames, dtype=torch.float64)] * items)
    return ((1 - same) * EXCLUDED)[None]


class Layout(nn.Module):
    """Where the tokens of a frame are in its S rows, and the constants that keep the rest out."""

    def __init__(self, shape: Architecture):
        super().__init__()
        self.shape, self.token = shape, shape.patches
        self.rows = padded(shape.patches + 1)
        number = torch.arange(self.rows)[:, None]  # (S, 1)
        self.patches = constant((number < self.token).double())
        self.class_token = constant((number == self.token).double())
        self.key_mask = constant(key_mask(shape.patches + 1))
        items = items_at_a_time(shape.frames)
        self.length = items * shape.frames  # L
        self.item_mask = constant(item_mask(items, shape.frames)) if items > 1 else None

    def change_patches(self, change: Tensor) -> Tensor:  # (B * T * S, D)
        """The change, but 0 for the class tokens and the rows that fill up.

        A product, as a slice would end within a block.
        """
        change = change.reshape(-1, self.rows, self.shape.width) * self.patches  # (B * T, S, D)
        return change.reshape(-1, self.shape.width)

    def change_all(self, change: Tensor) -> Tensor:  # (B * T * S, D)
        """The change, the class tokens' copies all by the mean of theirs, and 0 to fill up."""
        change = change.reshape(-1, self.shape.frames, self.rows, self.shape.width)  # (B, T, S, D)
        token = change[:, :, self.token : self.token + 1].mean(1, keepdim=True)  # (B, 1, 1, D)
        change = change * self.patches + token * self.class_token  # (B, T, S, D)
        return change.reshape(-1, self.shape.width)


def constant(value: Tensor) -> nn.Parameter:
    """A tensor of the model that `.float()` rounds with its weights."""
    return nn.Parameter(value, requires_grad=False)


class FillUp(torch.autograd.Function):
    """a: rows of 0 behind the patches of a frame, for the class token and what fills up.

    A function with an operator of its own: torch exports its `pad` as six nodes that compute where.
    """

    @staticmethod
    def forward(_: Any, x: Tensor, rows: int) -> Tensor:  # (B * T, P, D)
        return functional.pad(x, (0, 0, 0, rows - x.shape[1]))  # (B * T, S, D)

    @staticmethod
    def symbolic(graph: Any, x: Any, rows: int) -> Any:
        behind = [0, 0, 0, 0, rows - x.type().sizes()[1], 0]
        where = graph.op("Constant", value_t=torch.tensor(behind))
        return graph.op("Pad", x, where, mode_s="constant")


class TemporalAttention(nn.Module):
    """A patch attends to itself in every frame; e: L / T pairs of patch and head at a time."""

    def __init__(self, attention: optimised.TemporalAttention, layout: Layout):
        super().__init__()
        self.attention, self.layout = attention, layout

    def forward(self, x: Tensor) -> Tensor:  # (B * T * S, D)
        s, a = self.layout.shape, self.attention
        n = a.normalise(x)  # (B * T * S, D)
        q = self.items(a.query(n))  # (B * S * H * T / L, L, d)
        k = self.items(a.key(n))  # (B * S * H * T / L, L, d)
        v = self.items(a.value(n))  # (B * S * H * T / L, L, d)
        scores = q @ k.transpose(1, 2)  # (B * S * H * T / L, L, L)
        if self.layout.item_mask is not None:
            scores = scores + self.layout.item_mask
        mean = scores.softmax(-1) @ v  # (B * S * H * T / L, L, d)
        mean = mean.reshape(-1, self.layout.rows * s.heads, s.frames, s.width // s.heads)
        return a.out(mean.transpose(1, 2).reshape(-1, s.width))  # (B * T * S, D)

    def items(self, x: Tensor) -> Tensor:  # (B * T * S, D)
        s, rows = self.layout.shape, self.layout.rows
        x = x.reshape(-1, s.frames, rows * s.heads, s.width // s.heads)  # (B, T, S * H, d)
        return x.transpose(1, 2).reshape(-1, self.layout.length, s.width // s.heads)


class SpatialAttention(nn.Module):
    """The tokens of a frame attend to each other; d: views, frames and heads are one axis."""

    def __init__(self, attention: optimised.SpatialAttention, layout: Layout):
        super().__init__()
        self.attention, self.layout = attention, layout

    def forward(self, x: Tensor) -> Tensor:  # (B * T * S, D)
        s, a = self.layout.shape, self.attention
        n = a.normalise(x)  # (B * T * S, D)
        q = self.heads(a.query(n))  # (B * T * H, S, d)
        k = self.heads(a.key(n))  # (B * T * H, S, d)
        v = self.heads(a.value(n))  # (B * T * H, S, d)
        weights = (q @ k.transpose(1, 2) + self.layout.key_mask).softmax(-1)  # (B * T * H, S, S)
        mean = (weights @ v).reshape(-1, s.heads, self.layout.rows, s.width // s.heads)
        return a.out(mean.transpose(1, 2).reshape(-1, s.width))  # (B * T * S, D)

    def heads(self, x: Tensor) -> Tensor:  # (B * T * S, D)
        s, rows = self.layout.shape, self.layout.rows
        x = x.reshape(-1, rows, s.heads, s.width // s.heads)  # (B * T, S, H, d)
        return x.transpose(1, 2).reshape(-1, rows, s.width // s.heads)  # (B * T * H, S, d)


class ClassTokenAttention(nn.Module):
    """The last block's spatial attention, for the class token alone.

    d: a view's query is H rows of full width, its keys are the rows of all its frames; the softmax
    is over those of a frame, and the mean over the frames is a factor of the value weights.
    """

    def __init__(self, attention: optimised.ClassTokenAttention, layout: Layout):
        super().__init__()
        self.attention, self.layout = attention, layout
        self.head_values = constant(attention.head_values / layout.shape.frames)  # (H, D, d)
        del attention.head_values

    def forward(self, x: Tensor) -> Tensor:  # (B * T * S, D)
        s, a, rows = self.layout.shape, self.attention, self.layout.rows
        n = a.normalise(x).reshape(-1, s.frames * rows, s.width)  # (B, T * S, D)
        q = a.query(n[:, self.layout.token])  # (B, D): the copies in the other frames are the same
        q = q.reshape(-1, s.heads, s.width // s.heads).transpose(0, 1)  # (H, B, d)
        q = (q @ a.head_keys).transpose(0, 1)  # (B, H, D)
        scores = (q @ n.transpose(1, 2)).reshape(-1, s.heads * s.frames, rows)  # (B, H * T, S)
        weights = (scores + self.layout.key_mask).softmax(-1)  # (B, H * T, S)
        mean = weights.reshape(-1, s.heads, s.frames * rows) @ n  # (B, H, D)
        mean = mean.transpose(0, 1) @ self.head_values  # (H, B, d)
        return a.out(mean.transpose(0, 1).reshape(-1, s.width))  # (B, D)


class Block(nn.Module):
    """Temporal attention, spatial attention, MLP, each added to the state."""

    def __init__(self, block: Any, layout: Layout):  # an optimised.Block, out of an nn.Sequential
        super().__init__()
        self.layout, self.last = layout, block.last
        self.temporal = TemporalAttention(block.temporal, layout)
        if isinstance(block.spatial, optimised.ClassTokenAttention):
            self.spatial: nn.Module = ClassTokenAttention(block.spatial, layout)
        else:
            self.spatial = SpatialAttention(block.spatial, layout)
        self.mlp = block.mlp

    def forward(self, x: Tensor) -> Tensor:  # (B * T * S, D)
        s, layout = self.layout.shape, self.layout
        x = x + layout.change_patches(self.temporal(x))  # (B * T * S, D)
        if self.last:
            token = x.reshape(-1, s.frames * layout.rows, s.width)[:, layout.token]  # (B, D)
            token = token + self.spatial(x)  # (B, D)
            return token + self.mlp(token)  # (B, D)
        x = x + layout.change_all(self.spatial(x))  # (B * T * S, D)
        return x + self.mlp(x)  # (B * T * S, D)


class NpuTimeSformer(nn.Module):
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
        # without rewrite 7: a 127.5th of the weights would lie where float16 has few digits
        model = optimised.OptimisedTimeSformer(shape, state)
        self.shape, self.uint8 = shape, pixels is not None
        if pixels:
            mean, std = (torch.tensor(v, dtype=torch.float64).reshape(-1, 1, 1) for v in pixels)
            self.mean, self.std = constant(mean), constant(std)  # (channels, 1, 1)
        self.layout = Layout(shape)
        side = (shape.patch, shape.patch)
        self.patch = constant(model.patch.weight.reshape(shape.width, shape.channels, *side))
        token, patches = model.embedding.split([1, shape.tokens - 1])  # (1, D), (T * P, D)
        patches = patches.reshape(shape.frames, shape.patches, shape.width)  # (T, P, D)
        # What fills up begins as the class token too: the LayerNorm of zeros divides by the root of
        # 1e-6, which arithmetic without float16's smallest values takes for 0.
        tokens = token.expand(shape.frames, self.layout.rows - shape.patches, -1)
        self.embedding = constant(torch.cat([patches, tokens], 1))  # (T, S, D)
        self.blocks = nn.Sequential(*(Block(block, self.layout) for block in model.blocks))
        self.normalise, self.head = model.normalise, model.head

    def forward(self, imgs: Tensor) -> Tensor:  # (batch, views, channels, T, y, x)
        s = self.shape
        # a Cast first: every operator behind it has floats
        x = imgs.to(self.patch.dtype) if self.uint8 else imgs
        x = x.reshape(-1, s.channels, s.frames, s.side**2)  # (B, channels, T, y * x)
        x = x.transpose(1, 2)  # (B, T, channels, y * x)
        x = x.reshape(-1, s.channels, s.side, s.side)  # (B * T, channels, y, x)
        x = (x - self.mean) / self.std if self.uint8 else x
        x = functional.conv2d(x, self.patch, stride=s.patch)  # (B * T, D, grid, grid)
        x = x.reshape(-1, s.width, s.patches).transpose(1, 2)  # (B * T, P, D)
        x = FillUp.apply(x, self.layout.rows)  # (B * T, S, D)
        x = x.reshape(-1, s.frames, self.layout.rows, s.width) + self.embedding  # (B, T, S, D)
        x = self.blocks(x.reshape(-1, s.width))  # (B, D)
        return self.head(self.normalise(x))  # (B, classes)
