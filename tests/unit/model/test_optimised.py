"""The optimised model as a whole: mmaction2's logits, fewer operations, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from exported import check_form, without_ends
from refusals import refusal
from runs import ROOT
from timesformers import FULL, SMALL, random_state, recipe_for

from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError
from tsf.model import export, export_optimised, npu, optimised, rewrites, simplify
from tsf.model.architecture import Architecture
from tsf.model.macs import macs
from tsf.model.recogniser import empty_recogniser, reference_logits
from tsf.recipe.record import to_json

PIXELS = ((127.5,) * 3, (127.5,) * 3)  # mean and std


def command_line(monkeypatch, module, *arguments):
    monkeypatch.setattr("sys.argv", ["tsf", *map(str, arguments)])
    module.main()


def run(path, clips):
    """clips: (batch, 3, 3, 8, 224, 224). Returns (batch * 3, classes)."""
    return load_engine(DEFAULTS["onnxruntime"], path, threads=2).run(clips.numpy())


def exported(
    shape, state, path, recipe, pixels=None, batch=1, build=optimised.OptimisedTimeSformer
):
    small = build(shape, state, pixels).float()
    export_optimised.export(small, (batch, *recipe.shape), path)
    return path


# ---- the function ----


def test_logits_are_mmaction2s_in_float64(plain, rewritten, clips):
    with torch.inference_mode():
        found = rewritten(clips.double())
    expected = reference_logits(plain, clips.double())
    assert found.dtype == expected.dtype == torch.float64
    assert (found - expected).abs().max() <= 1e-10
    assert expected.std() > 1  # the model says something


def test_logits_are_mmaction2s_in_onnx_on_every_video(recogniser, tsf_opt_onnx, bins, recipe):
    engine = load_engine(DEFAULTS["onnxruntime"], tsf_opt_onnx, threads=2)
    assert len(bins) == 40
    for path in bins:
        clip = np.fromfile(path, "<f4").reshape(1, *recipe.shape)
        expected = reference_logits(recogniser, torch.from_numpy(clip)).numpy()
        found = engine.run(clip)
        assert np.abs(found - expected).max() <= 1e-4
        assert (found.argmax(1) == expected.argmax(1)).all()


def test_bytes_give_the_logits_of_their_normalised_values(
    plain, shape, state, folder, clips, pixels, recipe
):
    pixels = torch.from_numpy(pixels)
    path = exported(shape, state, folder / "tsf_opt_u8.onnx", recipe, PIXELS)
    found = np.concatenate([run(path, clip[None]) for clip in pixels])
    assert np.abs(found - reference_logits(plain, clips.double()).numpy()).max() <= 1e-4
    exact = optimised.OptimisedTimeSformer(shape, state, PIXELS)
    with torch.inference_mode():
        difference = exact(pixels) - reference_logits(plain, (pixels.double() - 127.5) / 127.5)
    assert difference.abs().max() <= 1e-10


def test_a_batch_gives_what_its_videos_give(shape, state, folder, tsf_opt_onnx, clips, recipe):
    found = run(exported(shape, state, folder / "tsf_bs3_opt.onnx", recipe, batch=3), clips)
    single = np.concatenate([run(tsf_opt_onnx, clip[None]) for clip in clips])
    assert found.shape == single.shape == (9, 8)
    assert np.abs(found - single).max() <= 1e-5


SHAPES = {
    "the least": Architecture("divided_space_time", 1, 8, 8, 64, 1, 1, 1),
    "16 frames, 5 classes": replace(SMALL, frames=16),
    "patch 8, 2 heads": replace(SMALL, patch=8, width=128, heads=2, blocks=3),
    "patch 32, heads of 24": replace(SMALL, side=96, patch=32, width=96, heads=4, frames=3),
    "448 pixels, 174 classes": replace(SMALL, side=448, patch=32, frames=2, classes=174),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("views", [1, 3, 4])
def test_the_rewrites_are_exact_at_every_shape(mmaction2, generator, name, views):
    shape = SHAPES[name]
    recogniser = empty_recogniser(mmaction2, shape)
    recogniser.load_state_dict(random_state(recogniser))
    size = (2, views, 3, shape.frames, shape.side, shape.side)
    pixels = torch.randint(0, 256, size, generator=generator, dtype=torch.uint8)
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    channels = [torch.tensor(v, dtype=torch.float64).reshape(3, 1, 1, 1) for v in (mean, std)]
    clips = (pixels.double() - channels[0]) / channels[1]
    expected = reference_logits(recogniser.double(), clips)
    with torch.inference_mode():
        found = optimised.OptimisedTimeSformer(shape, recogniser.state_dict())(clips)
        of_pixels = optimised.OptimisedTimeSformer(shape, recogniser.state_dict(), (mean, std))
        from_bytes = of_pixels(pixels)
    assert found.shape == (2 * views, shape.classes) and expected.abs().max() > 0.1
    assert (found - expected).abs().max() <= 1e-10
    assert (from_bytes - expected).abs().max() <= 1e-10


def test_models_of_another_shape_in_onnx(mmaction2, generator, tmp_path):
    """16 frames, 5 classes, two clips of three crops a video."""
    shape = replace(SMALL, frames=16)
    recipe = recipe_for(shape)
    recipe = replace(recipe, sampling=replace(recipe.sampling, num_clips=2))
    assert recipe.views == 6
    recogniser = empty_recogniser(mmaction2, shape)
    recogniser.load_state_dict(random_state(recogniser))
    paths = [tmp_path / f"{name}.onnx" for name in ("tsf", "tsf_sim", "tsf_opt", "tsf_npu")]
    export.export(mmaction2, recogniser, (1, *recipe.shape), paths[0])
    simplify.simplify(*paths[:2])
    exported(shape, recogniser.state_dict(), paths[2], recipe)
    exported(shape, recogniser.state_dict(), paths[3], recipe, build=npu.NpuTimeSformer)
    assert macs(paths[1]) == 6 * plain_macs(shape)
    assert macs(paths[2]) == 6 * (plain_macs(shape) - saved_macs(shape))
    names = ("plain", "optimised", "npu")
    found = rewrites.count(shape, recipe.views, *paths[1:])
    assert found == {name: macs(path) // 6 for name, path in zip(names, paths[1:], strict=True)}
    del recogniser.forward  # the exporter's
    clips = torch.randn((1, *recipe.shape), generator=generator)
    expected = reference_logits(recogniser, clips).numpy()
    assert expected.shape == (6, 5) and expected.std() > 0.1
    for path in paths:
        assert np.abs(run(path, clips) - expected).max() <= 1e-4


def test_the_step_normalises_by_the_recipe(
    mmaction2, settings, recipe, shape, state, pixels, folder, monkeypatch
):
    recipe = replace(recipe, mean=(100.0, 110.0, 120.0), std=(50.0, 60.0, 70.0))
    path = folder / "by_recipe_u8.onnx"
    options = ["--mmaction2", mmaction2, "--settings", json.dumps(settings), "--classes", 8]
    options += ["--checkpoint", ROOT / "models/tsf_sample.pth", "--recipe", to_json(recipe)]
    command_line(monkeypatch, export_optimised, *options, "--uint8", "--output", path)
    mean, std = (np.float32(v).reshape(3, 1, 1, 1) for v in (recipe.mean, recipe.std))
    clip = torch.from_numpy((pixels[:1] - mean) / std)
    with torch.inference_mode():
        expected = optimised.OptimisedTimeSformer(shape, state)(clip.double()).numpy()
    found = run(path, torch.from_numpy(pixels[:1]))
    assert np.abs(found - expected).max() <= 1e-4
    with pytest.raises(UserError, match="never bytes"):
        options[-1] = to_json(replace(recipe, preprocessing="facebook"))
        command_line(monkeypatch, export_optimised, *options, "--uint8", "--output", path)


# ---- the graph ----


def test_it_is_one_file_at_opset_11_with_the_same_ends(tsf_opt_onnx, tsf_sim_onnx):
    check_form(tsf_opt_onnx, tsf_sim_onnx)


def test_no_shape_in_the_graph_holds_the_batch(shape, state, folder, tsf_opt_onnx, recipe):
    """Only its ends tell a model for three videos from that for one."""
    path = exported(shape, state, folder / "three.onnx", recipe, batch=3)
    assert without_ends(path) == without_ends(tsf_opt_onnx)


def plain_macs(s: Architecture) -> int:
    """Multiply-adds of a view, mmaction2's model."""
    patches, copies = s.frames * s.patches, s.frames * (1 + s.patches)
    temporal = 5 * patches * s.width**2 + 2 * patches * s.frames * s.width
    spatial = 4 * copies * s.width**2 + 2 * copies * (1 + s.patches) * s.width
    mlp = 2 * s.tokens * s.width * s.hidden
    pixels = s.channels * s.patch**2
    return patches * pixels * s.width + s.blocks * (temporal + spatial + mlp) + s.width * s.classes


def saved_macs(s: Architecture) -> int:
    """What the rewrites 1, 2 and 3 save of a view."""
    patches, copies = s.frames * s.patches, s.frames * (1 + s.patches)
    merged = s.blocks * patches * s.width**2
    spatial = 4 * copies * s.width**2 + 2 * copies * (1 + s.patches) * s.width
    mlp = 2 * (s.tokens - 1) * s.width * s.hidden
    # query, key, value and output of one row, and each head over the tokens at full width
    remaining = 4 * s.width**2 + 2 * s.heads * copies * s.width
    return merged + spatial + mlp - remaining


def test_macs_are_what_the_formula_says(shape, tsf_sim_onnx, tsf_opt_onnx):
    assert macs(tsf_sim_onnx) == 3 * plain_macs(shape)
    assert macs(tsf_opt_onnx) == 3 * (plain_macs(shape) - saved_macs(shape))


def test_the_formula_gives_the_papers_figure_at_full_size():
    assert round(plain_macs(FULL) / 1e9, 2) == 195.83
    assert round(100 * saved_macs(FULL) / plain_macs(FULL), 2) == 11.57


# ---- refusals ----


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cls_head.fc_cls.bias", None, "has no cls_head.fc_cls.bias"),
        ("backbone.transformer_layers.layers.2.ffns.0.norm.bias", None, "has no backbone"),
        (
            "backbone.extra",
            torch.zeros(1),
            "1 tensors that the model has not: backbone.extra",
        ),
        (
            "cls_head.fc_cls.weight",
            torch.zeros(400, 96),
            "(400, 96), by the others it is (8, 96",
        ),
        ("backbone.pos_embed", torch.zeros(1, 197, 96), "backbone.pos_embed is (1, 197, 96)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(shape, state, name, value, message):
    spoiled = {key: tensor for key, tensor in state.items() if key != name}
    if value is not None:
        spoiled[name] = value
    assert message in refusal(optimised.OptimisedTimeSformer, shape, spoiled)


def test_every_tensor_is_needed(shape, state):
    for name in state:
        rest = {key: tensor for key, tensor in state.items() if key != name}
        assert name in refusal(optimised.OptimisedTimeSformer, shape, rest)


@pytest.mark.parametrize("attention", ["joint_space_time", "space_only"])
def test_other_attention_is_refused(shape, state, attention):
    message = refusal(optimised.OptimisedTimeSformer, replace(shape, attention=attention), state)
    assert attention in message and "tsf_sim" in message
