"""The model laid out for an NPU: mmaction2's logits, whole blocks, no Transpose of 5 axes."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from exported import check_form, without_ends
from timesformers import SMALL, random_state
from torch.nn import functional

from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError
from tsf.model import export_optimised, npu, optimised, simplify
from tsf.model.architecture import Architecture
from tsf.model.recogniser import empty_recogniser, reference_logits

EXACT = 1e-12
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def run(path, clips):
    """clips: (batch, 3, 3, 8, 224, 224). Returns (batch * 3, classes)."""
    return load_engine(DEFAULTS["onnxruntime"], path, threads=2).run(clips.numpy())


def shapes_of(path):
    """The shape of every value in a model, by name."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    found = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    return graph, found | {tensor.name: list(tensor.dims) for tensor in graph.initializer}


# ---- the function ----

SHAPES = {
    "the least": Architecture("divided_space_time", 1, 8, 8, 64, 1, 1, 1),
    "8 frames, 15 rows to fill up": replace(SMALL, side=60, patch=15),  # 16 + 1 tokens
    "2 frames, 1 block": replace(SMALL, side=60, patch=4, frames=2, blocks=1),
    "16 frames, 5 classes": replace(SMALL, frames=16),
    "96 frames": replace(SMALL, frames=96),
    "3 frames, heads of 24": replace(SMALL, side=96, patch=32, width=96, heads=4, frames=3),
    "12 frames": replace(SMALL, frames=12),
    "5 frames, 2 heads": replace(SMALL, patch=8, width=128, heads=2, blocks=3, frames=5),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("views", [1, 3])
def test_the_layout_is_exact_at_every_shape(mmaction2, generator, name, views):
    shape = SHAPES[name]
    recogniser = empty_recogniser(mmaction2, shape)
    recogniser.load_state_dict(random_state(recogniser))
    size = (2, views, 3, shape.frames, shape.side, shape.side)
    pixels = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
    channels = [torch.tensor(v, dtype=torch.float64).reshape(3, 1, 1, 1) for v in (MEAN, STD)]
    clips = (pixels.double() - channels[0]) / channels[1]
    expected = reference_logits(recogniser.double(), clips)
    with torch.inference_mode():
        found = npu.NpuTimeSformer(shape, recogniser.state_dict())(clips)
        from_bytes = npu.NpuTimeSformer(shape, recogniser.state_dict(), (MEAN, STD))(pixels)
    assert found.shape == (2 * views, shape.classes) and expected.abs().max() > 0.1
    scale = 1 + expected.abs().max()
    assert (found - expected).abs().max() <= EXACT * scale
    assert torch.equal(from_bytes, found)


def test_the_trained_model_in_float64(plain, shape, state, clips):
    laid_out = npu.NpuTimeSformer(shape, state)
    with torch.inference_mode():
        found = laid_out(clips.double())
    assert (found - reference_logits(plain, clips.double())).abs().max() <= 1e-10


@pytest.mark.parametrize("simplified", [False, True])
def test_logits_are_mmaction2s_in_onnx(recogniser, tsf_npu_onnx, clips, folder, simplified):
    path = tsf_npu_onnx
    if simplified:
        path = folder / "tsf_npu_sim.onnx"
        simplify.simplify(tsf_npu_onnx, path)
    expected = reference_logits(recogniser, clips).numpy()
    found = np.concatenate([run(path, clip[None]) for clip in clips])
    assert np.abs(found - expected).max() <= 1e-4 and expected.std() > 1


def test_bytes_and_a_batch_in_onnx(shape, state, tsf_npu_onnx, clips, pixels, recipe, folder):
    laid_out = npu.NpuTimeSformer(shape, state, ((127.5,) * 3, (127.5,) * 3)).float()
    path = folder / "tsf_bs3_npu_u8.onnx"
    export_optimised.export(laid_out, (3, *recipe.shape), path)
    engine = load_engine(DEFAULTS["onnxruntime"], path, threads=2)
    assert (engine.dtype, engine.batch) == ("uint8", 3)
    expected = np.concatenate([run(tsf_npu_onnx, clip[None]) for clip in clips])
    assert np.abs(engine.run(pixels) - expected).max() <= 1e-5


# ---- what is excluded ----


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("size", [1, 60, 15_000])
def test_an_excluded_key_has_no_weight_at_all(generator, dtype, size):
    """Not a small one: in either type, for scores of any size that float16 is at home in."""
    scores = size * (2 * torch.rand((5, 7, 208), generator=generator) - 1)
    scores[..., 197:] = size  # the worst: the best score of all is an excluded one
    masked = scores.to(dtype) + npu.key_mask(197).to(dtype)
    weights = masked.softmax(-1)
    assert masked.isfinite().all() and (weights[..., 197:] == 0).all()
    alone = scores[..., :197].to(dtype).softmax(-1)  # in another order of adding up
    assert (weights[..., :197] - alone).abs().max() <= 1e-6
    items = (size * torch.rand((5, 16, 16), generator=generator)).to(dtype)
    weights = (items + npu.item_mask(2, 8).to(dtype)).softmax(-1)
    assert (weights[:, :8, 8:] == 0).all() and (weights[:, 8:, :8] == 0).all()
    assert (weights[:, 8:, 8:] - items[:, 8:, 8:].softmax(-1)).abs().max() <= 1e-6


def test_the_masks():
    assert torch.tensor(npu.EXCLUDED).half() == npu.EXCLUDED == -(2**15)
    assert (npu.key_mask(197) == 0).sum() == 197 and npu.key_mask(197).shape == (1, 1, 208)
    assert (npu.key_mask(256) == 0).all()
    expected = np.kron(np.eye(4), np.ones((4, 4)))
    assert ((npu.item_mask(4, 4)[0].numpy() == 0) == expected).all()


@pytest.mark.parametrize(("tokens", "rows"), [(1, 16), (16, 16), (17, 32), (197, 208), (785, 800)])
def test_rows_of_a_frame(tokens, rows):
    assert npu.padded(tokens) == rows


@pytest.mark.parametrize(
    ("frames", "items"), [(1, 16), (2, 8), (3, 4), (4, 4), (5, 2), (8, 2), (9, 1), (16, 1), (96, 1)]
)
def test_pairs_at_a_time(frames, items):
    assert npu.items_at_a_time(frames) == items


def test_what_fills_up_is_no_row_of_zeros(shape, state):
    """Whose LayerNorm divides by little more than nothing."""
    embedding = npu.NpuTimeSformer(shape, state).embedding[:, shape.patches :]
    assert (embedding == embedding[0, 0]).all() and embedding[0, 0].std() > 0


def test_what_fills_up_stays_out_of_the_tokens(shape, state, generator):
    """Whatever is in those rows, every token is the same."""
    laid_out = npu.NpuTimeSformer(shape, state)
    rows = laid_out.layout.rows
    x = torch.randn((shape.frames * rows, shape.width), generator=generator, dtype=torch.float64)
    x = x.reshape(shape.frames, rows, shape.width)
    x[:, shape.patches] = x[0, shape.patches]
    other = x.clone()
    other[:, shape.patches + 1 :] = 1000
    with torch.inference_mode():
        found = [
            block(part.reshape(-1, shape.width))
            for block in laid_out.blocks[:1]
            for part in (x, other)
        ]
    one, two = (f.reshape(shape.frames, rows, -1)[:, : shape.patches + 1] for f in found)
    assert torch.equal(one, two)
    token = one[:, shape.patches]
    assert (token - token[0]).abs().max() <= EXACT


# ---- in float16, as an NPU computes ----


def test_in_float16_the_logits_are_near_and_finite(plain, shape, state, clips):
    """Every value rounded to float16: nothing of what the layout adds overflows there."""
    with torch.inference_mode():
        found = npu.NpuTimeSformer(shape, state).half()(clips[:1].half()).double()
    expected = reference_logits(plain, clips[:1].double())
    assert (found - expected).norm() / expected.norm() <= 1e-3


def test_folded_into_the_convolution_bytes_lose_digits_in_float16(shape, state, pixels):
    """The products in float32, as the Cube unit adds them up; all else rounded to float16."""
    weight = state["backbone.patch_embed.projection.weight"].double()
    images = torch.from_numpy(pixels[0]).transpose(1, 2).reshape(-1, 3, 224, 224).double()

    def half(x):
        return x.half().double()

    def embedded(images, weight):
        return half(functional.conv2d(half(images), half(weight), stride=shape.patch))

    normalised = (images - 127.5) / 127.5
    expected = functional.conv2d(normalised, weight, stride=shape.patch)
    shift = functional.conv2d(
        torch.full_like(images[:1], -127.5), weight / 127.5, stride=shape.patch
    )
    in_graph = embedded(normalised, weight)
    folded = half(embedded(images, weight / 127.5) + half(shift))
    error = [((found - expected).norm() / expected.norm()).item() for found in (in_graph, folded)]
    assert error[0] < 0.7 * error[1]


# ---- the graph ----


def test_no_transpose_has_five_axes(tsf_npu_onnx, tsf_opt_onnx):
    def axes(path):
        nodes = onnx.load(path, load_external_data=False).graph.node
        return [len(n.attribute[0].ints) for n in nodes if n.op_type == "Transpose"]

    assert max(axes(tsf_npu_onnx)) == 4
    assert sum(n > 4 for n in axes(tsf_opt_onnx)) == 1  # that which cuts out the patches


def test_matmuls_have_two_or_three_axes_and_rows_in_whole_blocks(tsf_npu_onnx, shape):
    graph, shapes = shapes_of(tsf_npu_onnx)
    found = {2: 0, 3: 0}
    for node in graph.node:
        if node.op_type in ("MatMul", "Gemm"):
            first, second, result = (shapes[n] for n in (*node.input[:2], node.output[0]))
            assert len(first) == len(second) == len(result), node
            found[len(result)] += 1
            views = 3
            # all but those of the class token alone have whole blocks of rows
            assert result[-2] % 16 == 0 or result[-2] in (views, shape.heads), (node.name, result)
    # a Gemm or MatMul for every Linear, two MatMuls for every attention, and two more in the last
    blocks = shape.blocks
    linears = blocks * 4 + (blocks - 1) * 4 + 2 + blocks * 2 + 1
    assert found == {2: linears, 3: 2 * 2 * blocks + 2}
    softmax = [shapes[n.output[0]] for n in graph.node if n.op_type == "Softmax"]
    assert {s[-1] for s in softmax} == {16, npu.padded(1 + shape.patches)}


def test_in_every_block_nothing_is_cut_or_joined_but_the_class_tokens(tsf_npu_onnx, shape):
    graph, shapes = shapes_of(tsf_npu_onnx)
    count = dict.fromkeys(("Concat", "Slice", "Gather", "Pad", "Split", "Where", "Expand"), 0)
    for node in graph.node:
        if node.op_type in count:
            count[node.op_type] += 1
            if node.op_type in ("Slice", "Gather"):
                assert shapes[node.output[0]][-2] in (1, 3)
    # a mean of the class tokens in every block but the last, which takes that of one frame, twice
    expected = {"Slice": shape.blocks - 1, "Gather": 2, "Pad": 1}
    assert count == dict.fromkeys(count, 0) | expected


def test_it_is_one_file_at_opset_11_with_the_same_ends(tsf_npu_onnx, tsf_sim_onnx):
    check_form(tsf_npu_onnx, tsf_sim_onnx)


def test_no_shape_in_the_graph_holds_the_batch(shape, state, folder, tsf_npu_onnx, recipe):
    path = folder / "npu_three.onnx"
    export_optimised.export(npu.NpuTimeSformer(shape, state).float(), (3, *recipe.shape), path)
    assert without_ends(path) == without_ends(tsf_npu_onnx)


def test_every_weight_is_used_once(shape, state):
    laid_out, small = npu.NpuTimeSformer(shape, state), optimised.OptimisedTimeSformer(shape, state)
    masks = {"layout.patches", "layout.class_token", "layout.key_mask", "layout.item_mask"}
    found = {n: p for n, p in laid_out.named_parameters() if n not in masks}
    assert masks < {n for n, _ in laid_out.named_parameters()}
    filled = shape.frames * npu.padded(1 + shape.patches) - shape.tokens  # rows of the embedding
    values = sum(p.numel() for p in small.parameters()) + filled * shape.width
    assert sum(p.numel() for p in found.values()) == values


@pytest.mark.parametrize("attention", ["joint_space_time", "space_only"])
def test_other_attention_is_refused(shape, state, attention):
    with pytest.raises(UserError, match=attention):
        npu.NpuTimeSformer(replace(shape, attention=attention), state)


# ---- the full-size model ----
