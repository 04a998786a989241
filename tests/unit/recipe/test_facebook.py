"""Facebook's cfg: what its code does by each key is what is stated."""

import pytest
from timesformers import facebook_cfg

from tsf.errors import UserError
from tsf.recipe import named
from tsf.recipe.facebook import trained


def fields(*dataset, **data):
    found = trained(facebook_cfg(*dataset, **data), "its own cfg")
    assert not found.missing
    return found.fields


def test_kinetics():
    found = trained(facebook_cfg(), "its own cfg")
    assert found.fields == {
        "sampler": "facebook-kinetics",
        "clip_len": 8,
        "frame_interval": 32,
        "mean": (114.75, 114.75, 114.75),
        "std": (57.375, 57.375, 57.375),
        "channels": "rgb",
    }
    assert found.origin["frame_interval"] == "DATA.SAMPLING_RATE of its own cfg"
    assert found.origin["channels"] == "TRAIN.DATASET of its own cfg"
    assert not found.missing


def test_ssv2_is_bgr_and_has_no_interval():
    """Its loader reads neither SAMPLING_RATE nor, for a TimeSformer, REVERSE_INPUT_CHANNEL."""
    assert fields("ssv2") == fields() | {
        "sampler": "facebook-ssv2",
        "frame_interval": 0,
        "channels": "bgr",
    }
    assert fields("ssv2", SAMPLING_RATE=32, REVERSE_INPUT_CHANNEL=False) == fields("ssv2")


@pytest.mark.parametrize("name", ["kinetics", "ssv2"])
def test_the_named_recipes_are_its_own(name):
    recipe, rates = named.RECIPES[f"facebook-{name}"]
    own = fields(name)
    assert {key: recipe[key] for key in own.keys() & recipe.keys()} == {
        key: own[key] for key in own.keys() & recipe.keys()
    }
    assert own["frame_interval"] == rates.get(8, 0)


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        ({"SAMPLING_RATE": 4}, "frame_interval", 4),
        ({"SAMPLING_RATE": 32, "TARGET_FPS": 15}, "frame_interval", 64),
        ({"SAMPLING_RATE": 32, "TARGET_FPS": 25.0}, "frame_interval", 38),  # 38.4
        ({"TARGET_FPS": None}, "frame_interval", 32),
        ({"NUM_FRAMES": 96}, "clip_len", 96),
        ({"MEAN": [0.485, 0.456, 0.406]}, "mean", (123.675, 116.28, 103.53)),
        ({"STD": [0.5, 0.5, 1]}, "std", (127.5, 127.5, 255)),
    ],
)
def test_a_value_is_the_cfgs(data, field, value):
    assert fields(**data)[field] == value


def test_a_dataset_is_known_in_any_case():
    assert fields("Kinetics") == fields()


@pytest.mark.parametrize(
    ("data", "field", "named"),
    [
        ({"SAMPLING_RATE": None}, "frame_interval", "DATA.SAMPLING_RATE"),
        ({"SAMPLING_RATE": "4"}, "frame_interval", "DATA.SAMPLING_RATE"),
        ({"SAMPLING_RATE": True}, "frame_interval", "DATA.SAMPLING_RATE"),
        ({"SAMPLING_RATE": 10**400}, "frame_interval", "DATA.SAMPLING_RATE"),
        ({"TARGET_FPS": 0}, "frame_interval", "TARGET_FPS"),
        ({"TARGET_FPS": float("nan")}, "frame_interval", "TARGET_FPS"),
        ({"NUM_FRAMES": 8.0}, "clip_len", "DATA.NUM_FRAMES"),
        ({"MEAN": 0.45}, "mean", "DATA.MEAN"),
        ({"MEAN": [0.45] * 2}, "mean", "DATA.MEAN"),
        ({"STD": [0.225, 0.225, float("inf")]}, "std", "DATA.STD"),
    ],
)
def test_what_cannot_be_told_is_left_open_alone(data, field, named):
    found = trained(facebook_cfg(**data), "its own cfg")
    assert named in found.missing[field] and found.missing.keys() == {field}
    assert found.fields.keys() == fields().keys() - {field}


def test_another_dataset_leaves_its_frames_open():
    found = trained(facebook_cfg("charades"), "its own cfg")
    assert found.fields.keys() == {"clip_len", "mean", "std"}
    assert set(found.missing.values()) == {
        "TRAIN.DATASET of its own cfg is neither kinetics nor ssv2"
    }


def test_an_empty_cfg_leaves_all_open():
    found = trained("TRAIN:\n", "its own cfg")
    assert not found.fields and found.missing.keys() == fields().keys()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "- 1",
        "a: b: c",
        "DATA: {SAMPLING_RATE: [",
        "a: !!int ''",
        "a: !!bool maybe",
        "a: !!timestamp 2020-13-45",
        "? [1]\n: 2",
        "&a [*a, b",
        "!!python/object/apply:os.system ['touch ran']",
        "[" * 1000,
        "\0",
    ],
)
def test_what_is_no_cfg_is_one_line_and_runs_nothing(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^its own cfg: no ") as fault:
        trained(text, "its own cfg")
    assert "\n" not in str(fault.value)
    assert not list(tmp_path.iterdir())
