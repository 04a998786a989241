"""One model whatever wrote its checkpoint; its architecture is that of its shapes."""

import argparse
import json
from dataclasses import replace

import pytest
import torch
import yaml
from refusals import refusal
from runs import ROOT
from timesformers import (
    DIVIDED,
    JOINT,
    SMALL,
    SPACE,
    config_json,
    facebook,
    facebook_cfg,
    hugging_face,
    random_state,
    recipe_for,
    write_facebook,
    write_hugging_face,
    write_mmaction2_0,
    write_mmaction2_1,
)

from tsf.model import export, own_config
from tsf.model.containers import Contents
from tsf.model.load import add_export_arguments, load, load_model
from tsf.model.recogniser import build_recogniser, empty_recogniser, recogniser_settings
from tsf.model.settings import from_mmaction2
from tsf.model.settings_argument import read_settings
from tsf.recipe.literal import read_config
from tsf.recipe.record import to_json
from tsf.recipe.resolve import resolve
from tsf.recipe.trained import compare

ARCHITECTURES = {
    "small": SMALL,
    "16 frames": replace(SMALL, frames=16),
    "448 pixels": replace(SMALL, side=448),
    "patch 8, width 128, 3 blocks": replace(SMALL, patch=8, width=128, heads=2, blocks=3),
    "174 classes": replace(SMALL, classes=174),
    "joint": replace(SMALL, attention=JOINT),
    "space only": replace(SMALL, attention=SPACE, frames=3),
}


def load_small(path, settings=None, architecture=SMALL):
    return load(path, settings, recipe_for(architecture), architecture.classes)


@pytest.fixture(scope="module")
def weights(mmaction2):
    """Of SMALL, in the names of mmaction2's own recogniser."""
    return random_state(empty_recogniser(mmaction2, SMALL))


@pytest.fixture
def saved(tmp_path):
    """Save a state dict; returns the file."""

    def save(weights):
        torch.save({"state_dict": weights}, tmp_path / "x.pth")
        return tmp_path / "x.pth"

    return save


# ---- every form ----


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_form_gives_the_same_model(mmaction2, tmp_path, name):
    architecture = ARCHITECTURES[name]
    recogniser = empty_recogniser(mmaction2, architecture)
    weights = random_state(recogniser)
    config = config_json(architecture)
    paths = [
        write_mmaction2_0(tmp_path, weights),
        write_mmaction2_1(tmp_path, weights),
        write_facebook(tmp_path, weights),
        write_hugging_face(tmp_path, weights, config),
        write_hugging_face(tmp_path, weights, config, safetensors=False),
    ]
    exported = set()
    for path in paths:
        model = load_small(path, architecture=architecture)
        assert model.architecture == architecture
        assert model.weights.keys() == weights.keys()
        assert all(torch.equal(model.weights[key], weights[key]) for key in weights)
        if name in ("small", "joint", "space only"):
            built = build_recogniser(mmaction2, model)
            shape = (1, *recipe_for(architecture).shape)
            export.export(mmaction2, built, shape, tmp_path / "tsf.onnx")
            exported.add((tmp_path / "tsf.onnx").read_bytes())
    assert len(exported) <= 1


def test_a_file_of_a_folder_is_refused_for_the_folder(tmp_path, weights):
    """Its config.json has the number of heads, and a change of it must show."""
    path = write_hugging_face(tmp_path, weights, config_json(SMALL, num_attention_heads=2))
    message = refusal(load_small, path / "model.safetensors")
    assert f"name the folder, {path}" in message
    (path / "config.json").unlink()
    assert "heads of 64, which" in load_small(path / "model.safetensors").notes[0]


def test_what_was_read_is_told(tmp_path, weights):
    half = {name: value.half() for name, value in weights.items()}
    model = load_small(write_facebook(tmp_path, half))
    assert model.notes == [
        "Facebook's names; divided_space_time, 8 frames, 64 pixels in patches of 16, width 64, "
        "1 heads of 64, which the weights do not tell, 2 blocks, 5 classes",
        "float16 weights, widened to float32",
    ]
    assert all(torch.equal(model.weights[name], half[name].float()) for name in weights)


# ---- names ----


def without(weights, *ends):
    return {name: value for name, value in weights.items() if not name.endswith(ends)}


def test_what_is_missing_is_named(saved, weights):
    message = refusal(load_small, saved(without(facebook(weights), "blocks.1.mlp.fc1.bias")))
    assert "lacks 1 tensor (blocks.1.mlp.fc1.bias)" in message and "holds" not in message
    message = refusal(load_small, saved(without(hugging_face(weights), ".output.dense.bias")))
    assert "lacks 6 tensors (timesformer.encoder.layer.0." in message and ", ...)" in message


def test_what_is_left_over_is_named(saved, weights):
    message = refusal(load_small, saved(weights | {"backbone.extra": torch.zeros(1)}))
    assert "has no place for 1 tensor (backbone.extra)" in message


def test_every_tensor_is_needed(saved, weights):
    names = facebook(weights)
    for name in names:
        assert name in refusal(load_small, saved(without(names, name)))


@pytest.mark.parametrize("part", ["temporal_attn", "temporal_norm1", "temporal_fc"])
def test_leftovers_of_divided_attention_are_refused(mmaction2, saved, weights, part):
    joint = replace(SMALL, attention=JOINT)
    names = facebook(random_state(empty_recogniser(mmaction2, joint)))
    left = {name: value for name, value in facebook(weights).items() if part in name}
    message = refusal(load_small, saved(names | left))
    # with its temporal_fc it is taken for a divided one that lacks the rest
    assert ("lacks" if part == "temporal_fc" else f"tensors ({min(left)}, ") in message


def test_a_model_without_a_head_is_refused_by_what_it_is(saved, weights):
    bare = {
        name.removeprefix("timesformer."): value for name, value in hugging_face(weights).items()
    }
    for names in (bare, without(bare, "classifier.weight", "classifier.bias")):
        assert "bare TimesformerModel" in refusal(load_small, saved(names))
    backbone = {n[9:]: value for n, value in weights.items() if n.startswith("backbone.")}
    assert "mmaction2's bare backbone" in refusal(load_small, saved(backbone))


def test_another_model_is_refused_by_its_names(saved, weights):
    message = refusal(load_small, saved({"layer1.0.conv1.weight": torch.zeros(1)}))
    assert "no TimeSformer" in message and "layer1.0.conv1.weight" in message
    unstacked = {name: value for name, value in weights.items() if ".layers." not in name}
    assert "no block of a TimeSformer" in refusal(load_small, saved(unstacked))


# ---- shapes ----


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("backbone.patch_embed.projection.weight", (64, 1, 16, 16), "pictures have 3 channels"),
        ("backbone.patch_embed.projection.weight", (64, 3, 16, 8), "not (64, 3, 16, 16)"),
        (
            "backbone.patch_embed.projection.weight",
            (64, 768),
            "shape (64, 768), not 4 sizes",
        ),
        ("backbone.pos_embed", (1, 16, 64), "places for 15 patches, which are no square"),
        ("backbone.pos_embed", (1, 1, 64), "places for 0 patches, which are no square"),
        ("backbone.time_embed", (1, 0, 64), "shape (1, 0, 64)"),
        ("backbone.time_embed", (1, 8, 32), "shape (1, 8, 32), not (1, 8, 64)"),
        ("cls_head.fc_cls.bias", (6,), "shape (6,), not (5,)"),
        (
            "backbone.transformer_layers.layers.1.ffns.0.layers.0.0.weight",
            (128, 64),
            "(128, 64), not (256, 64): mmaction2's MLP is 4 times",
        ),
    ],
)
def test_shapes_that_contradict_each_other_are_refused(saved, weights, name, shape, message):
    found = refusal(load_small, saved(weights | {name: torch.zeros(shape)}))
    assert message in found and name in found


def test_a_width_that_does_not_tell_the_heads_needs_settings(mmaction2, saved):
    odd = replace(SMALL, width=96, heads=4)
    path = saved(random_state(empty_recogniser(mmaction2, odd)))
    message = refusal(load_small, path, None, odd)
    assert "a width of 96 is no multiple of 64" in message and "num_heads" in message
    assert load_small(path, odd, odd).architecture == odd
    assert "does not split into 7 heads" in refusal(load_small, path, replace(odd, heads=7), odd)


# ---- the recipe ----


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "frames",
            16,
            "has 8 frames (time_embed), the recipe's clip_len is 16: set recipe: {clip_len: 8}",
        ),
        (
            "side",
            80,
            "has 64 pixels a side (pos_embed), the recipe's side is 80: set recipe: {side: 64}",
        ),
        ("classes", 400, "has 5 classes (head), the recipe's classes is 400: set recipe: {clas"),
    ],
)
def test_another_recipe_is_refused_and_nothing_interpolated(
    tmp_path, weights, field, value, message
):
    for write in (write_mmaction2_0, write_facebook):
        path = write(tmp_path, weights)
        assert message in refusal(load_small, path, None, replace(SMALL, **{field: value}))


def test_space_only_attention_takes_the_recipes_frames(mmaction2, saved):
    space = replace(SMALL, attention=SPACE)
    path = saved(random_state(empty_recogniser(mmaction2, space)))
    for frames in (8, 5):
        for settings in (None, space):
            found = load_small(path, settings, replace(space, frames=frames))
            assert found.architecture.frames == frames


# ---- settings ----


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("attention", JOINT, f"has {DIVIDED} attention, but model.config says {JOINT}"),
        ("frames", 16, "has 8 frames, but model.config says 16"),
        ("side", 32, "has 64 pixels a side, but model.config says 32"),
        ("patch", 32, "has 16 pixels a patch's side, but model.config says 32"),
        ("width", 128, "has 64 values a token, but model.config says 128"),
        ("blocks", 12, "has 2 blocks, but model.config says 12"),
        ("classes", 400, "has 5 classes, but model.config says 400"),
    ],
)
def test_settings_that_say_otherwise_are_refused(saved, weights, field, value, told):
    assert told in refusal(load_small, saved(weights), replace(SMALL, **{field: value}))


def test_the_heads_of_hugging_faces_config_are_taken_or_refused(tmp_path, weights):
    path = write_hugging_face(tmp_path, weights, config_json(SMALL, num_attention_heads=2))
    found = load_small(path)
    assert found.architecture.heads == 2
    assert torch.equal(load_small(path, found.architecture).weights["backbone.cls_token"],
                       weights["backbone.cls_token"])  # fmt: skip
    message = refusal(load_small, path, SMALL)
    assert "1 heads, but" in message and message.count("config.json says 2") == 1


def test_hugging_faces_config_is_compared(tmp_path, weights):
    path = write_hugging_face(tmp_path, weights, config_json(SMALL, num_frames=96))
    assert "has 8 frames, but" in refusal(load_small, path)
    (path / "config.json").write_text("{")
    assert "config.json: cut short, or no JSON" in refusal(load_small, path)


# ---- the command line's settings ----


def test_settings_are_null_json_a_file_or_a_name(mmaction2, tmp_path):
    text = json.dumps(recogniser_settings(SMALL))
    (tmp_path / "settings.json").write_text(text)
    assert read_settings("null", mmaction2) is None
    assert read_settings(text, mmaction2) == SMALL
    assert read_settings(str(tmp_path / "settings.json"), mmaction2) == SMALL
    found = read_settings("timesformer_jointST_8x32x1_15e_kinetics400_rgb", mmaction2)
    assert found == replace(
        SMALL, attention=JOINT, side=224, width=768, heads=12, blocks=12, classes=400
    )


def test_a_config_file_is_not_run(mmaction2, tmp_path):
    (tmp_path / "config.py").write_text("raise SystemExit('it ran')\n")
    assert "no JSON" in refusal(read_settings, str(tmp_path / "config.py"), mmaction2)


@pytest.mark.parametrize("text", ["[]", "7", '"x"', "{", "timesformer_divST", "", "x" * 9999])
def test_other_settings_are_refused(mmaction2, text):
    message = refusal(read_settings, text, mmaction2)
    assert "model.config" in message
    if text == "timesformer_divST":
        assert "timesformer_divST_8x32x1_15e_kinetics400_rgb" in message


# ---- a file of mmaction2's that holds its config ----


@pytest.mark.parametrize("key", ["config", "cfg"])
def test_the_heads_are_those_of_the_files_own_config(tmp_path, weights, key):
    own = recogniser_settings(replace(SMALL, heads=2 * SMALL.heads))
    content = {"meta": {key: f"model = {own!r}"}, "state_dict": weights}
    torch.save(content, tmp_path / "x.pth")
    assert load_small(tmp_path / "x.pth").architecture.heads == 2 * SMALL.heads
    message = refusal(load_small, tmp_path / "x.pth", SMALL)
    assert f"has {SMALL.heads} heads, but {tmp_path / 'x.pth'}'s own config says" in message


@pytest.mark.parametrize(
    "text", ["model = dict(", "import os", "x = 1", "model = 1", "model = f()"]
)
def test_an_own_config_that_cannot_be_read_is_noted_once(tmp_path, weights, text):
    torch.save({"meta": {"config": text}, "state_dict": weights}, tmp_path / "x.pth")
    found = load_small(tmp_path / "x.pth", SMALL)
    (note,) = (note for note in found.notes if note.startswith("not compared: "))
    assert "run_config" not in note  # which is of the file that model.config names


# ---- the input that the file's own config was trained for ----

OWN = ROOT / "tests/own_model"


@pytest.fixture
def pretty(mmaction2, monkeypatch):
    """The text that mmaction2 puts into a checkpoint of a config's content."""
    from mmcv import Config
    from yapf.yapflib.yapf_api import FormatCode

    # whose newer releases verify always, and have no argument for that
    monkeypatch.setattr(
        "mmcv.utils.config.FormatCode",
        lambda text, style_config, verify: FormatCode(text, style_config=style_config),
    )

    def pretty(content):
        return Config(content).pretty_text

    return pretty


def run(path, config, recipe):
    """Load it as the workflow does: the config's keys model.config and recipe, resolved."""
    found = resolve({"config": config and str(config), "checkpoint": str(path)}, recipe)
    settings = json.loads(found.settings)
    settings = None if settings is None else from_mmaction2(settings, "model.config")
    return load(path, settings, found.recipe.clip, found.recipe.classes, found.keys).notes


def refused_then_as_told(path, config, recipe):
    """The message; and both recipes that it says to write go on. The notes of the second."""
    message = refusal(run, path, config, recipe)
    theirs, ours = (part.partition("}")[0] for part in message.split("write ")[1].split("{")[1:])
    assert not any(" is " in n for n in run(path, config, recipe | yaml.safe_load(f"{{{theirs}}}")))
    return message, run(path, config, recipe | yaml.safe_load(f"{{{ours}}}"))


def test_facebooks_file_is_not_run_at_another_rate(tmp_path, weights):
    """By the name alone it would be every 32nd frame, which is the published model's."""
    recipe = {"name": "facebook-kinetics", "side": 64, "classes": 5}
    path = write_facebook(tmp_path, weights, facebook_cfg(TRAIN_CROP_SIZE=64))
    assert len(run(path, None, recipe)) == 1
    path = write_facebook(tmp_path, weights, facebook_cfg(TRAIN_CROP_SIZE=64, SAMPLING_RATE=4))
    message, notes = refused_then_as_told(path, None, recipe)
    assert message == (
        f"{path}: frame_interval is 32 (recipe.name facebook-kinetics), but 4 by "
        "DATA.SAMPLING_RATE of its own cfg; write recipe: {frame_interval: 4} to run it as it was "
        "trained, or recipe: {frame_interval: 32} to go on as it is"
    )
    assert notes[1:] == [
        "frame_interval is 32 (recipe.frame_interval), but 4 by DATA.SAMPLING_RATE of its own cfg"
    ]


@pytest.mark.parametrize(("trained", "other"), [("kinetics", "ssv2"), ("ssv2", "kinetics")])
def test_facebooks_two_ways_are_not_mistaken(tmp_path, weights, trained, other):
    path = write_facebook(tmp_path, weights, facebook_cfg(trained))
    recipe = {"side": 64, "classes": 5}
    assert len(run(path, None, recipe | {"name": f"facebook-{trained}"})) == 1
    message, notes = refused_then_as_told(path, None, recipe | {"name": f"facebook-{other}"})
    assert len(notes) == 4 and "channels is " in message and "sampler is " in message


def test_facebooks_mean_is_not_mmaction2s(tmp_path, weights):
    path = write_facebook(tmp_path, weights, facebook_cfg(MEAN=[0.5] * 3, STD=[0.5] * 3))
    recipe = {"name": "facebook-kinetics", "side": 64, "classes": 5}
    message, _ = refused_then_as_told(path, None, recipe)
    assert "mean is [114.75, 114.75, 114.75] (" in message and "but [127.5, 127.5, " in message


def test_space_only_attention_tells_no_frames_but_the_cfg_does(mmaction2, tmp_path):
    space = random_state(empty_recogniser(mmaction2, replace(SMALL, attention=SPACE)))
    path = write_facebook(tmp_path, space, facebook_cfg(NUM_FRAMES=16))
    recipe = {"name": "facebook-kinetics", "side": 64, "classes": 5}
    message, _ = refused_then_as_told(path, None, recipe | {"frame_interval": 32})
    assert "clip_len is 8 (recipe.name facebook-kinetics), but 16 by DATA.NUM_FRAMES" in message


@pytest.mark.parametrize("cfg", ["a: !!python/name:os.system", "DATA:\n", "- 1"])
def test_a_cfg_that_cannot_be_read_is_noted(tmp_path, weights, cfg):
    path = write_facebook(tmp_path, weights, cfg)
    notes = run(path, None, {"name": "facebook-kinetics", "side": 64, "classes": 5})[1:]
    assert notes and all(note.startswith("not compared: ") for note in notes)


def test_mmaction2s_file_is_not_run_at_another_rate(tmp_path, pretty):
    """own.pth, with its own config as mmaction2 0.x keeps it."""
    weights = torch.load(OWN / "own.pth", weights_only=True)["state_dict"]
    content = read_config(OWN / "own.py")
    assert content["model"]["backbone"]["num_heads"] == 4  # of 24, not 64, as the guess would be
    text = pretty(content | {"gpu_ids": range(0, 8), "optimizer": {"custom_keys": {".a": {}}}})
    path = write_mmaction2_0(tmp_path, weights, text)
    assert "widened" in run(path, OWN / "own.py", {})[-1]
    stock = tmp_path / "stock.py"
    text = (OWN / "own.py").read_text()
    stock.write_text(text.replace("frame_interval=16", "frame_interval=32"))
    message, notes = refused_then_as_told(path, stock, {})
    assert message.startswith(
        f"{path}: frame_interval is 32 (model.config), but 16 by test_pipeline of its own config; "
        "write recipe: {frame_interval: 16} to run it"
    )
    assert "frame_interval is 32 (recipe.frame_interval), but 16 by" in notes[-1]
    # what the test does beside is the user's
    assert len(run(path, OWN / "own.py", {"num_clips": 3, "fusion": "mean_logits"})) == 2


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "9" * 5000])
def test_an_interval_that_cannot_be_printed_is_noted(tmp_path, weights, number):
    text = (OWN / "own.py").read_text().replace("frame_interval=16", f"frame_interval={number}")
    torch.save({"meta": {"config": text}, "state_dict": weights}, tmp_path / "x.pth")
    assert "not compared: its own config, line " in load_small(tmp_path / "x.pth", SMALL).notes[-1]


@pytest.mark.parametrize("attention", ["divST", "jointST", "spaceOnly"])
def test_the_text_of_a_stock_config_is_compared(mmaction2, pretty, attention):
    """With what tools/train.py adds to it, and a test on a cluster."""
    name = f"timesformer_{attention}_8x32x1_15e_kinetics400_rgb"
    (path,) = (mmaction2 / "mmaction/.mim/configs").rglob(f"{name}.py")
    content = read_config(path)
    content["model"]["backbone"]["num_heads"] = 6
    for part in content["data"].values():
        if isinstance(part, dict) and "pipeline" in part:
            part["pipeline"][1]["path_mapping"] = {"./data/": "s3://data/"}
    text = pretty(content | {"gpu_ids": range(0, 8), "seed": None})
    assert "custom_keys=dict({" in "".join(text.split()) and "'.backbone.cls_token'" in text
    assert "gpu_ids = range(0, 8)" in text and "path_mapping=dict({" in "".join(text.split())
    own = own_config.read(Contents({}, [], text, None), "x.pth")
    assert not own.notes and not own.recipe.missing
    assert own.settings["x.pth's own config"].heads == 6
    expected = resolve({"config": str(path), "checkpoint": "x.pth"}, {}).recipe.clip
    assert compare(expected, {}, own.recipe, "x.pth") == []
    other = replace(expected, sampling=replace(expected.sampling, frame_interval=7))
    assert "frame_interval is 7 (" in refusal(compare, other, {}, own.recipe, "x.pth")


# as mmengine prints the optimizer of mmaction2 1.x's TimeSformer configs
OPTIM_WRAPPER = """
auto_scale_lr = dict(base_batch_size=64, enable=False)
optim_wrapper = dict(
    clip_grad=dict(max_norm=40, norm_type=2),
    optimizer=dict(lr=0.005, momentum=0.9, nesterov=True, type='SGD', weight_decay=0.0001),
    paramwise_cfg=dict(
        custom_keys=dict({
            '.backbone.cls_token': dict(decay_mult=0.0),
            '.backbone.pos_embed': dict(decay_mult=0.0),
            '.backbone.time_embed': dict(decay_mult=0.0)
        })))
"""


def test_a_file_of_mmaction2s_release_1_holds_its_preprocessor(tmp_path, pretty):
    weights = torch.load(OWN / "own.pth", weights_only=True)["state_dict"]
    content = read_config(OWN / "own.py")
    steps = {step["type"]: step for step in content["test_pipeline"]}
    norm = content["img_norm_cfg"]
    preprocessor = {"type": "ActionDataPreprocessor", "format_shape": "NCTHW", "to_rgb": True}
    model = content["model"] | {
        "data_preprocessor": preprocessor | {"mean": norm["mean"], "std": norm["std"]},
        "test_cfg": None,
    }
    pipeline = [
        {"type": "DecordInit", "io_backend": "petrel"},
        steps["SampleFrames"],
        {"type": "DecordDecode"},
        steps["Resize"],
        {"type": "TenCrop", "crop_size": 112},
        steps["FormatShape"],
        {"type": "PackActionInputs"},
    ]
    text = pretty({"model": model, "test_pipeline": pipeline}) + OPTIM_WRAPPER
    path = write_mmaction2_1(tmp_path, weights, text)
    message, _ = refused_then_as_told(path, OWN / "own.py", {})
    assert (
        "channels is rgb (model.config), but bgr by model.data_preprocessor of its own" in message
    )
    assert "frame_interval" not in message and "mean" not in message
    found = resolve({"config": str(OWN / "own.py"), "checkpoint": str(path)}, {"channels": "bgr"})
    assert ", 4 heads, 3 blocks" in load(path, None, found.recipe.clip, 5).notes[0]  # not of 64


def test_the_command_line_of_an_export_refuses_it(tmp_path, weights):
    """Without --origin nothing is known to be the user's choice."""
    path = write_facebook(tmp_path, weights, facebook_cfg())
    parser = argparse.ArgumentParser()
    add_export_arguments(parser)
    words = ["--mmaction2", "x", "--checkpoint", str(path), "--classes", "5", "--output", "x"]
    words += ["--recipe", to_json(recipe_for(SMALL))]
    fault = refusal(load_model, parser.parse_args(words))
    assert "mean is [127.5, 127.5, 127.5] (--recipe), but" in fault
    chosen = json.dumps({field: f"recipe.{field}" for field in ("mean", "std")})
    assert len(load_model(parser.parse_args([*words, "--origin", chosen])).notes) == 3
