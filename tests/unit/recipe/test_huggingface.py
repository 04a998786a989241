"""A Hugging Face folder's recipe; what is not implemented is refused by name."""

import json

import pytest

from tsf.errors import UserError
from tsf.recipe.huggingface import labels, read, stated

# the keys and values that the published checkpoints have
CONFIG = {
    "architectures": ["TimesformerForVideoClassification"],
    "model_type": "timesformer",
    "attention_type": "divided_space_time",
    "hidden_act": "gelu",
    "hidden_size": 768,
    "id2label": {"0": "abseiling", "1": "air drumming", "2": "answering questions"},
    "image_size": 448,
    "layer_norm_eps": 1e-6,
    "num_channels": 3,
    "num_frames": 16,
    "patch_size": 16,
    "qkv_bias": True,
    "transformers_version": "4.25.0.dev0",
}
PREPROCESSOR = {
    "crop_size": {"height": 448, "width": 448},
    "do_center_crop": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "feature_extractor_type": "VideoMAEFeatureExtractor",
    "image_mean": [0.45, 0.5, 0.25],
    "image_processor_type": "VideoMAEFeatureExtractor",
    "image_std": [0.225, 0.2, 0.4],
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 448},
}


@pytest.fixture
def folder(tmp_path):
    def folder(config=CONFIG, preprocessor=PREPROCESSOR):
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(preprocessor))
        return tmp_path

    return folder


def without(content, key):
    return {name: value for name, value in content.items() if name != key}


def test_the_picture_and_the_network_are_the_files(folder):
    path = folder()
    found = stated(read(path), path)
    assert found.fields == {
        "clip_len": 16,
        "source": "video",
        "preprocessing": "huggingface",
        "short_side": 448,
        "crops": "centre",
        "side": 448,
        "mean": (114.75, 127.5, 63.75),
        "std": (57.375, 51.0, 102.0),
        "channels": "rgb",
        "classes": 3,
    }
    assert found.origin["mean"] == f"{path}/preprocessor_config.json"
    assert found.origin["clip_len"] == f"num_frames of {path}/config.json"
    assert [found.network[name][0] for name in ("clip_len", "side", "classes")] == [16, 448, 3]
    assert set(found.missing) == {"sampler", "frame_interval", "num_clips", "fusion"}


def test_an_older_file_has_bare_sizes(folder):
    path = folder(preprocessor=PREPROCESSOR | {"size": 256, "crop_size": 224})
    found = stated(read(path), path).fields
    assert (found["short_side"], found["side"]) == (256, 224)


def test_the_number_of_labels_may_stand_alone(folder):
    path = folder(config=without(CONFIG, "id2label") | {"num_labels": 174})
    assert stated(read(path), path).fields["classes"] == 174


@pytest.mark.parametrize(
    "key, value, named",
    [
        ("model_type", "videomae", "model_type 'videomae' is not implemented"),
        ("architectures", ["TimesformerModel"], "architectures ['TimesformerModel'] is not"),
        ("architectures", None, "architectures None is not implemented"),
        ("hidden_act", "gelu_new", "hidden_act 'gelu_new' is not implemented, only 'gelu'"),
        ("layer_norm_eps", 1e-12, "layer_norm_eps 1e-12 is not implemented"),
        ("qkv_bias", False, "qkv_bias False is not implemented"),
        ("num_channels", 1, "num_channels 1 is not implemented"),
        ("num_labels", 4, "num_labels 4 is not implemented, only 3"),
        ("num_frames", "8", "num_frames is '8', no whole number"),
        ("image_size", None, "image_size is None, no whole number"),
        ("id2label", None, "id2label is None, no whole number"),
        ("id2label", ["a", "b"], "id2label does not name the classes 0, 1, 2, ..."),
        ("id2label", {"1": "a", "2": "b"}, "id2label does not name the classes 0, 1, 2, ..."),
        ("id2label", {"0": ["a"]}, "id2label: ['a'] is no name of a class"),
        ("label2id", [0], "label2id is [0], no object of labels and numbers"),
    ],
)
def test_another_network_is_refused(folder, key, value, named):
    path = folder(config=CONFIG | {key: value})
    with pytest.raises(UserError) as fault:
        stated(read(path), path)
    assert str(fault.value).startswith(f"{path}/config.json: ") and named in str(fault.value)


@pytest.mark.parametrize(
    "key, value, named",
    [
        ("image_processor_type", "ViTImageProcessor", "implemented is VideoMAEImageProcessor"),
        ("feature_extractor_type", "X", "feature_extractor_type 'X'"),
        ("do_resize", False, "do_resize False is not implemented"),
        ("do_center_crop", False, "do_center_crop False is not implemented"),
        ("do_rescale", False, "do_rescale False is not implemented"),
        ("do_normalize", False, "do_normalize False is not implemented"),
        ("do_flip_channel_order", True, "do_flip_channel_order is not implemented"),
        ("resample", 3, "resample 3: only 2"),
        ("rescale_factor", 1 / 127.5, "rescale_factor 0.00784313725490196 is not implemented"),
        ("rescale_factor", 1, "rescale_factor 1 is not implemented"),
        ("crop_size", {"height": 448, "width": 224}, "is no square"),
        ("crop_size", None, "crop_size None is no square"),
        ("size", {"height": 448, "width": 448}, "only shortest_edge"),
        ("size", None, "size None is not implemented"),
        ("image_mean", 0.5, "image_mean is 0.5, not three numbers"),
        ("image_mean", None, "image_mean is None, not three numbers"),
        ("image_std", [0.2, 0.2], "image_std is [0.2, 0.2], not three numbers"),
        ("image_std", [0.2, 0.2, True], "not three numbers"),
        ("image_mean", [123.7, 116.3, 103.5], "is not of values from 0 to 1"),
    ],
)
def test_another_picture_is_refused(folder, key, value, named):
    path = folder(preprocessor=PREPROCESSOR | {key: value})
    with pytest.raises(UserError) as fault:
        stated(read(path), path)
    assert str(fault.value).startswith(f"{path}/preprocessor_config.json: ")
    assert named in str(fault.value)


def test_a_processor_without_a_type_is_refused(folder):
    content = without(without(PREPROCESSOR, "image_processor_type"), "feature_extractor_type")
    path = folder(preprocessor=content)
    with pytest.raises(UserError, match="image_processor_type is missing"):
        stated(read(path), path)


def test_the_two_maps_of_labels_must_not_contradict(folder):
    labels = CONFIG["id2label"]
    numbers = {label: int(number) for number, label in labels.items()}
    for agreeing in (numbers, {"LABEL_0": 0, "LABEL_1": 1}, {}, None):
        path = folder(config=CONFIG | {"label2id": agreeing})
        stated(read(path), path)
    swapped = numbers | {labels["0"]: 1, labels["1"]: 0}
    path = folder(config=CONFIG | {"label2id": swapped})
    with pytest.raises(UserError, match="is 0 by id2label, but 1 by label2id"):
        stated(read(path), path)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
@pytest.mark.parametrize(
    "text, named",
    [(None, "no such file"), (b"{", "no JSON"), (b"[]", "no JSON object"), (b"\xff", "no JSON")],
)
def test_a_faulty_file_is_one_line(folder, name, text, named):
    path = folder()
    (path / name).unlink()
    if text is not None:
        (path / name).write_bytes(text)
    with pytest.raises(UserError) as fault:
        read(path)
    message = str(fault.value)
    assert message.startswith(f"{path}/{name}: ") and named in message and "\n" not in message


def test_labels_are_in_the_order_of_their_numbers(folder):
    names = {str(n): f"class {n}" for n in reversed(range(12))}
    path = folder(CONFIG | {"id2label": names})
    assert labels(path / "config.json") == [f"class {n}" for n in range(12)]


def test_without_names_there_are_no_labels(folder):
    for config in (without(CONFIG, "id2label"), CONFIG | {"id2label": {"0": "LABEL_0"}}):
        assert labels(folder(config) / "config.json") is None


@pytest.mark.parametrize("numbers", [["1", "2"], ["0", "2"], ["a"]])
def test_labels_that_are_not_numbered_from_0_are_refused(folder, numbers):
    path = folder(CONFIG | {"id2label": dict.fromkeys(numbers, "x")})
    with pytest.raises(UserError, match="id2label does not name the classes 0, 1, 2"):
        labels(path / "config.json")
