"""Every rewrite of the optimised model against the plain form, in float64."""

import pytest
import torch
from torch.nn import functional

from tsf.model import optimised
from tsf.model.optimised import Affine

WIDTH, HEADS, ROWS = 96, 4, 11
EXACT = 1e-12  # float64 of sums of some 100 terms


def random(generator, *shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def affine(generator, out=WIDTH, inputs=WIDTH):
    return Affine(random(generator, out, inputs) * inputs**-0.5, random(generator, out))


def apply(linear, x):
    return functional.linear(x, *linear)


def same(found, expected):
    assert found.dtype == expected.dtype == torch.float64
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= EXACT * (1 + expected.abs().max())


def attend(q, k, v):
    """Plain attention of one head. q: (queries, d), k and v: (keys, d). Returns (queries, d)."""
    return (q @ k.T).softmax(-1) @ v


def test_1_two_linears_are_one(generator):
    x, first, then = random(generator, ROWS, WIDTH), affine(generator), affine(generator)
    same(apply(optimised.merge(first, then), x), apply(then, apply(first, x)))


def test_4_the_key_bias_says_nothing(generator):
    q, k, v = (random(generator, ROWS, WIDTH) for _ in range(3))
    same(attend(q, k, v), attend(q, k + random(generator, WIDTH), v))


def test_4_the_value_bias_moves_into_the_output(generator):
    q, k, v = (random(generator, ROWS, WIDTH) for _ in range(3))
    out, bias = affine(generator), random(generator, WIDTH)
    folded = optimised.fold_value_bias(out, bias)
    same(apply(folded, attend(q, k, v)), apply(out, attend(q, k, v + bias)))


@pytest.mark.parametrize("heads", [1, 4, 12])
def test_5_the_scale_moves_into_the_query(generator, heads):
    x, key, query = random(generator, ROWS, WIDTH), random(generator, WIDTH), affine(generator)
    expected = apply(query, x) @ key / (WIDTH // heads) ** 0.5
    same(apply(optimised.fold_scale(query, heads), x) @ key, expected)


def test_5_is_exact_to_the_bit_at_64_wide_heads(generator):
    query = Affine(random(generator, 128, 128).float(), random(generator, 128).float())
    folded = optimised.fold_scale(query, 2)
    assert torch.equal(folded.weight * 8, query.weight) and torch.equal(folded.bias * 8, query.bias)


def test_6_gamma_and_beta_move_into_the_next_linear(generator):
    x, linear = 3 + 2 * random(generator, ROWS, WIDTH), affine(generator, out=7)
    norm = Affine(random(generator, WIDTH), random(generator, WIDTH))
    expected = apply(linear, functional.layer_norm(x, (WIDTH,), *norm, eps=1e-6))
    plain = functional.layer_norm(x, (WIDTH,), eps=1e-6)
    same(apply(optimised.fold_norm(linear, norm), plain), expected)


def test_7_normalisation_moves_into_the_projection(generator):
    """Every channel by its own mean and std, channels outermost as the convolution has them."""
    pixels = torch.arange(768, dtype=torch.float64) % 256  # three times every value of a byte
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    patch = affine(generator, inputs=768)
    normalised = [(part - m) / s for part, m, s in zip(pixels.chunk(3), mean, std, strict=True)]
    expected = apply(patch, torch.cat(normalised))
    same(apply(optimised.fold_pixels(patch, mean, std), pixels), expected)


def test_8_the_embedding_is_one_constant(plain, rewritten, clips, shape):
    backbone, imgs = plain.backbone, clips[0].double()  # (3, 3, 8, 224, 224)
    patches = backbone.patch_embed(imgs)  # (B * T, P, D)
    patches = patches.reshape(-1, shape.frames, shape.patches, shape.width)
    token = (backbone.cls_token + backbone.pos_embed[:, :1]).expand(len(imgs), -1, -1)
    patches = patches + backbone.pos_embed[:, 1:] + backbone.time_embed[0, :, None]
    first = {}
    hook = rewritten.blocks[0].register_forward_pre_hook(
        lambda _, inputs: first.update(x=inputs[0])
    )
    with torch.inference_mode():
        rewritten(imgs[None])
    hook.remove()
    same(first["x"], torch.cat([token, patches.flatten(1, 2)], 1))


# ---- the parts, with the trained weights, against mmaction2's own ----


def by_patch(x, shape):
    """The tokens as mmaction2 orders them, patch by patch, from frame by frame."""
    patches = x[:, 1:].reshape(-1, shape.frames, shape.patches, shape.width).transpose(1, 2)
    return torch.cat([x[:, :1], patches.flatten(1, 2)], 1)


@pytest.fixture
def tokens(generator, shape):
    """A state of the model, two views, frame by frame."""
    return random(generator, 2, shape.tokens, shape.width)


def layer(plain, number):
    return plain.backbone.transformer_layers.layers[number]


def test_temporal_attention_is_mmaction2s(plain, rewritten, shape, tokens):
    with torch.inference_mode():
        expected = layer(plain, 1).attentions[0](by_patch(tokens, shape))
        change = rewritten.blocks[1].temporal(tokens[:, 1:])
    found = torch.cat([tokens[:, :1], tokens[:, 1:] + change], 1)
    same(by_patch(found, shape), expected)


def test_an_mlp_is_mmaction2s(plain, rewritten, tokens):
    with torch.inference_mode():
        expected = layer(plain, 1).ffns[0](tokens)
        same(tokens + rewritten.blocks[1].mlp(tokens), expected)


def test_a_block_is_mmaction2s(plain, rewritten, shape, tokens):
    with torch.inference_mode():
        expected = layer(plain, 0)(by_patch(tokens, shape), None, None)
        same(by_patch(rewritten.blocks[0](tokens), shape), expected)


def test_2_the_last_block_gives_the_class_token(plain, rewritten, shape, tokens):
    with torch.inference_mode():
        expected = layer(plain, 2)(by_patch(tokens, shape), None, None)[:, :1]
        same(rewritten.blocks[2](tokens), expected)


def test_3_the_class_token_needs_no_projected_tokens(rewritten, shape, state, tokens):
    """The last block's spatial attention, with and without key and value projections."""
    block = rewritten.blocks[2]
    name = "backbone.transformer_layers.layers.2.attentions.1"
    projecting = optimised.SpatialAttention(shape, optimised.Weights(state), name)
    frames = block.across_frames(tokens[:, :1], tokens[:, 1:])  # (B, T * (1 + P), D)
    with torch.inference_mode():
        change = projecting(frames).reshape(-1, shape.frames, 1 + shape.patches, shape.width)
        same(block.spatial(frames), change[:, :, 0].mean(1, keepdim=True))
