"""The named recipes, and mmaction2's own configs against their files."""

import pytest

from tsf.model.checkpoints import DIGITS
from tsf.model.settings_argument import CONFIGS as FOLDER
from tsf.recipe import mmaction2 as configs
from tsf.recipe import named
from tsf.recipe.fields import FIELDS, Stated, build
from tsf.recipe.literal import read_config


def recipe(name, **chosen):
    found = named.stated(name, Stated(), chosen, "")
    found.add("the test", classes=400)
    return build(found)


def test_the_configs_are_those_that_have_a_checkpoint():
    assert set(named.CONFIGS) == set(DIGITS)


@pytest.mark.parametrize("name", named.CONFIGS)
def test_a_config_known_by_name_is_its_files(mmaction2, name):
    file = mmaction2 / FOLDER / f"{name}.py"
    read, known = configs.stated(read_config(file), name), named.config_stated(name)
    assert read.fields == known.fields and set(known.fields) == set(FIELDS)
    numbers = [{key: number for key, (number, _) in s.network.items()} for s in (read, known)]
    assert numbers[0] == numbers[1]


def test_mmaction2s_name_is_its_configs_recipe():
    assert recipe("mmaction2-0.x") == build(named.config_stated(named.CONFIGS[0]))


def test_mmaction2_1_is_the_same_of_a_video():
    old, new = recipe("mmaction2-0.x"), recipe("mmaction2-1.x")
    assert new.clip.sampling.sampler == new.clip.preprocessing == "mmaction2-1.x"
    assert (new.clip.source, old.clip.source) == ("video", "rawframes")
    assert new.clip.shape == old.clip.shape == (3, 3, 8, 224, 224)
    assert (new.clip.mean, new.clip.std, new.fusion) == (old.clip.mean, old.clip.std, old.fusion)


def test_facebook_kinetics():
    found = recipe("facebook-kinetics")
    assert found.clip.mean == (0.45 * 255,) * 3 and found.clip.std == (0.225 * 255,) * 3
    assert found.clip.sampling.frame_interval == 32 and found.clip.shape == (3, 3, 8, 224, 224)
    assert (found.clip.source, found.clip.channels) == ("video", "rgb")
    assert found.fusion == "sum_logits"


def test_facebook_ssv2_is_bgr_over_the_whole_video():
    found, kinetics = recipe("facebook-ssv2", clip_len=64), recipe("facebook-kinetics")
    assert found.clip.channels == "bgr"
    assert found.clip.sampling.sampler == "facebook-ssv2"
    assert found.clip.sampling.frame_interval == 0
    assert found.clip.mean == kinetics.clip.mean and found.fusion == kinetics.fusion


@pytest.mark.parametrize("frames, interval", [(8, 32), (16, 16), (96, 4)])
def test_the_interval_is_the_one_published_for_the_clips_length(frames, interval):
    network = Stated(network={"clip_len": (frames, "x"), "side": (448, "y")})
    found = named.stated("facebook-kinetics", network, {}, "")
    assert found.fields["frame_interval"] == interval
    assert (found.fields["clip_len"], found.origin["clip_len"]) == (frames, "x")
    assert found.fields["short_side"] == found.fields["side"] == 448
    chosen = named.stated("facebook-kinetics", Stated(), {"clip_len": frames}, "")
    assert chosen.fields["frame_interval"] == interval


@pytest.mark.parametrize("name, frames", [("facebook-kinetics", 32), ("mmaction2-0.x", 16)])
def test_of_another_length_it_is_left_open(name, frames):
    found = named.stated(name, Stated(), {"clip_len": frames}, "")
    assert "frame_interval" not in found.fields
    assert f"but clip_len is {frames}" in found.missing["frame_interval"]
