"""Every value of a config either reaches the recipe or stops the run: none is passed over."""

import copy
import json
from pathlib import Path

import pytest
from mmaction2_configs import NEW, OLD, OLD_DATA

from tsf.errors import UserError
from tsf.recipe import huggingface, mmaction2
from tsf.recipe.fields import build
from tsf.recipe.literal import read_config
from tsf.recipe.resolve import resolve

ODD = [None, True, False, 0, 1, -1, 8, 0.5, "", "x", "prob", [], [8], (8, 8), {}, {"type": "x"}]
# what decides neither a clip nor a prediction: names of what is collected, how training is done,
# where the videos are
INDIFFERENT = {
    "keys",
    "meta_keys",
    "in_channels",
    "ann_file",
    "data_prefix",
    "video",
    "workers_per_gpu",
    "batch_size",
    "file_client_args",
    "norm",
    "test_mode of the dataset",
    "type of the dataset",
    "type of the model",
    "type of the head",
    "type of the loop",
}
SAME = {
    ("model", "type"): "type of the model",
    ("model", "cls_head", "type"): "type of the head",
    ("data", "test", "type"): "type of the dataset",
    ("test_dataloader", "dataset", "type"): "type of the dataset",
    ("test_dataloader", "dataset", "test_mode"): "test_mode of the dataset",
    ("test_cfg", "type"): "type of the loop",
}


def leaves(value, path=()):
    """The path of every value that holds no other."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def inner(value, path=()):
    """The path of every value."""
    yield path
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from inner(item, (*path, key))


def changed(content, path, value):
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


def outcome(content):
    """The recipe, or the line that refuses the config."""
    try:
        found = mmaction2.stated(content, "my.py")
        mmaction2.video_list(content, "my.py")
        return build(found) if "fusion" in found.fields else found.missing["fusion"]
    except UserError as fault:
        return str(fault)


@pytest.mark.parametrize("text", [OLD + OLD_DATA, NEW], ids=["0.x", "1.x"])
def test_of_an_mmaction2_config(tmp_path, text):
    (tmp_path / "my.py").write_text(text)
    content = read_config(tmp_path / "my.py")
    # one list under two names: it is changed under both
    del content["test_pipeline"]
    plain = outcome(content)
    assert not isinstance(plain, str)
    silent = set()
    for path in leaves(content):
        named = [str(SAME.get(path[: n + 1], key)) for n, key in enumerate(path)]
        for value in ODD:
            same = (changed(content, path, value), content)
            if repr(same[0]) != repr(content) and outcome(same[0]) == plain:
                silent |= {".".join(named)} if not INDIFFERENT & set(named) else set()
    assert not silent


@pytest.mark.parametrize("text", [OLD + OLD_DATA, NEW], ids=["0.x", "1.x"])
def test_an_odd_value_anywhere_is_one_line(tmp_path, text):
    (tmp_path / "my.py").write_text(text)
    content = read_config(tmp_path / "my.py")
    for path in list(inner(content))[1:]:
        for value in ODD:
            result = outcome(changed(content, path, value))
            assert not isinstance(result, str) or "\n" not in result


def test_of_a_hugging_face_folder():
    config = {
        "architectures": ["TimesformerForVideoClassification"],
        "model_type": "timesformer",
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-6,
        "num_channels": 3,
        "qkv_bias": True,
        "num_frames": 16,
        "image_size": 224,
        "num_labels": 2,
        "id2label": {"0": "a", "1": "b"},
    }
    preprocessor = {
        "image_processor_type": "VideoMAEImageProcessor",
        "size": {"shortest_edge": 256},
        "crop_size": {"height": 224, "width": 224},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.25, 0.25, 0.25],
        "resample": 2,
        "rescale_factor": 1 / 255,
        "do_resize": True,
        "do_center_crop": True,
        "do_rescale": True,
        "do_normalize": True,
    }
    content = {"config.json": config, "preprocessor_config.json": preprocessor}

    def result(content):
        try:
            found = huggingface.stated(content, Path("hf"))
            return found.fields | {"network": found.network}
        except UserError as fault:
            return str(fault)

    plain = result(content)
    assert plain["classes"] == 2
    for path in inner(content):
        if len(path) < 2 or path[-1] in ("0", "1"):
            continue  # a label may be any text
        for value in ODD:
            other = changed(content, path, value)
            # num_labels may stand alone
            if json.dumps(other) != json.dumps(content) and (path[-1], value) != ("id2label", None):
                # what is not stated has transformers' default, which is the one implemented
                assert result(other) != plain, (path, value)


def test_of_the_users_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.py").write_text(OLD)
    model = {"config": "my.py", "checkpoint": None}
    plain = resolve(model, None).recipe
    for field in ("name", "clip_len", "frame_interval", "mean", "std", "crops", "channels", "x"):
        for value in ODD:
            try:
                found = resolve(model, {field: value}).recipe
            except UserError as fault:
                assert "\n" not in str(fault)
            else:
                assert found != plain or (field, value) == ("name", None)
