"""A recipe is compared with what the checkpoint was trained for, and with that alone."""

import json
from dataclasses import replace

import pytest
import refusals
import yaml
from recipes import GUIDE

from tsf.recipe.fields import TRAINED, Stated
from tsf.recipe.record import Sampling
from tsf.recipe.trained import compare

GUIDES = {
    "sampler": "mmaction2-0.x",
    "clip_len": 8,
    "frame_interval": 32,
    "mean": (127.5, 127.5, 127.5),
    "std": (127.5, 127.5, 127.5),
    "channels": "rgb",
}
OTHERS = {
    "sampler": "facebook-ssv2",
    "clip_len": 16,
    "frame_interval": 16,
    "mean": (123.675, 116.28, 103.53),
    "std": (58.395, 57.12, 57.375),
    "channels": "bgr",
}


def own(**values):
    found = Stated()
    found.add("its own config", **(GUIDES | values))
    return found


def refusal(recipe, keys, stated):
    return refusals.refusal(compare, recipe, keys, stated, "x.pth")


def advised(message):
    """The two recipes that the message says to write."""
    texts = [part.partition("}")[0] for part in message.split("write ")[1].split("{")[1:]]
    return [yaml.safe_load(f"{{{text}}}") for text in texts]


def test_the_trained_recipe_is_taken():
    assert compare(GUIDE, {}, own(), "x.pth") == []
    assert compare(GUIDE, {}, Stated(), "x.pth") == []


@pytest.mark.parametrize("field", TRAINED)
def test_another_value_is_refused_with_both_and_what_to_write(field):
    message = refusal(GUIDE, {field: "model.config"}, own(**{field: OTHERS[field]}))
    shown = [str(list(v) if isinstance(v, tuple) else v) for v in (GUIDES[field], OTHERS[field])]
    assert message.startswith(
        f"x.pth: {field} is {shown[0]} (model.config), but {shown[1]} by its own config; write "
    )
    plain = [json.loads(json.dumps(values[field])) for values in (OTHERS, GUIDES)]
    assert advised(message) == [{field: value} for value in plain]


@pytest.mark.parametrize("field", TRAINED)
def test_the_users_own_value_is_a_note(field):
    stated = own(**{field: OTHERS[field]})
    (note,) = compare(GUIDE, {field: f"recipe.{field}, not 7"}, stated, "x.pth")
    assert note.startswith(f"{field} is ") and f"(recipe.{field}, not 7), but " in note
    # a name is no choice of the field
    assert f"{field} is " in refusal(GUIDE, {field: "recipe.name mmaction2-0.x"}, stated)


@pytest.mark.parametrize("field", ["mean", "std"])
def test_what_no_recipe_may_be_is_not_advised(field):
    message = refusal(GUIDE, {}, own(**{field: (0.485, 0.456, 0.406)}))
    assert message.startswith(f"x.pth: {field} is [127.5, 127.5, 127.5] (")
    assert "trained, for pixels of 0 to 1, it cannot be run; write recipe: {" in message
    assert advised(message) == [{field: [127.5, 127.5, 127.5]}]


def test_all_that_differs_is_told_at_once():
    message = refusal(GUIDE, {"std": "recipe.std"}, own(**OTHERS | {"sampler": "mmaction2-0.x"}))
    theirs, ours = advised(message)
    assert theirs.keys() == ours.keys() == set(TRAINED) - {"sampler", "std"}


def test_the_test_protocol_is_not_compared():
    other = replace(
        GUIDE,
        sampling=Sampling("facebook-kinetics", 8, 32, 1),
        source="video",
        preprocessing="facebook",
        short_side=256,
        crops="centre",
    )
    assert compare(other, {}, own(), "x.pth") == []
    other = replace(other, sampling=Sampling("mmaction2-1.x", 8, 32, 9))
    assert compare(other, {}, own(), "x.pth") == []


def test_an_interval_goes_with_its_sampler():
    """facebook-ssv2 alone has none, so that one is no choice without the other."""
    whole = own(sampler="facebook-ssv2", frame_interval=0)
    for keys in ({}, {"frame_interval": "recipe.frame_interval"}):
        assert advised(refusal(GUIDE, keys, whole)) == [
            {"sampler": "facebook-ssv2", "frame_interval": 0},
            {"sampler": "mmaction2-0.x", "frame_interval": 32},
        ]
    assert len(compare(GUIDE, {"sampler": "recipe.sampler"}, whole, "x.pth")) == 2


def test_the_last_digits_of_a_mean_do_not_count():
    assert compare(replace(GUIDE, mean=(127.5 + 1e-9,) * 3), {}, own(), "x.pth") == []
    assert "mean is " in refusal(replace(GUIDE, mean=(127.6, 127.5, 127.5)), {}, own())


def test_what_is_open_or_no_value_is_noted():
    stated = own(mean=(1, "x", 3), frame_interval=-1)
    stated.missing = {"std": "it has no Normalize", "channels": "it has no Normalize"}
    notes = compare(GUIDE, {}, stated, "x.pth")
    assert notes[0] == "not compared: it has no Normalize"
    assert [note.partition(" (")[0] for note in notes[1:]] == [
        "not compared: frame_interval -1",
        "not compared: mean [1, 'x', 3]",
    ]
