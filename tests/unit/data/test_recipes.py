"""The model's input by every recipe, as that recipe's own code makes it (golden/README.md)."""

import hashlib
import json

import numpy as np
import pytest
from runs import ROOT

from tsf.data import decode
from tsf.data.make_clip import KEEP, clip_from_frames
from tsf.data.model_input import exact_dtype, normalise
from tsf.recipe.record import ClipRecipe

SUFFIX = "_000000_000010"
FILES = ("recipes.json", "other_recipes.json")
GOLDEN = [json.loads((ROOT / "tests/golden" / name).read_text("utf-8")) for name in FILES]
RECIPES = {name: recipe for golden in GOLDEN for name, recipe in golden["recipes"].items()}
DIGESTS = GOLDEN[0]["video_sha256"]
STRIDE = 100_003  # as in make_recipes.py

VIDEO = ["video", "1.x_video", "huggingface", "huggingface_imagenet", "huggingface_448"]
FACEBOOK = ["facebook", "facebook_hr", "facebook_one_crop"]
# where this workflow means to differ from what the reference does of a video
OTHERWISE = [
    # mmaction2 believes the header: 150 frames, where 64 can be decoded
    *((name, "truncated") for name in VIDEO),
    # mmcv's reader seeks by time, which with uneven times is another frame: 67 for 64
    *((name, "vfr") for name in VIDEO),
    # Facebook's code gives the whole video up
    *((name, "truncated") for name in FACEBOOK),
    # PyAV converts the colours of odd sides otherwise than OpenCV, and turns no picture
    *((name, "odd_420") for name in FACEBOOK),
    *((name, "rotated") for name in FACEBOOK),
]
CASES = [
    (name, video.removesuffix(SUFFIX)) for name in RECIPES for video in RECIPES[name]["videos"]
]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def video(request, streams):
    """Path of a video, generated or real."""
    name = request.param
    path = request.getfixturevalue("real_clips")[name] if name == "bikes" else streams[name]
    assert sha256(path.read_bytes()) == DIGESTS[path.stem], "this is another file"
    return path


def read(name, video):
    """The recipe, and of the video: frame numbers and frames, and what the reference stored."""
    recipe = ClipRecipe.from_dict(RECIPES[name]["clip"])
    _, numbers, frames = decode.clip_frames(video, recipe.sampling, KEEP[recipe.source])
    return recipe, numbers, frames, RECIPES[name]["videos"][video.stem]


def test_every_recipe_is_compared_on_seven_videos_or_more():
    same = [name for name, video in CASES if (name, video) not in OTHERWISE]
    assert set(OTHERWISE) < set(CASES)
    assert min(same.count(name) for name in RECIPES) >= 7


@pytest.mark.parametrize(
    "name, video", [case for case in CASES if case not in OTHERWISE], indirect=["video"]
)
def test_the_input_is_the_references(name, video):
    recipe, numbers, frames, expected = read(name, video)
    assert numbers == expected["sampled"]
    clip = clip_from_frames(frames, numbers, recipe)
    assert list(clip.shape) == expected["bin_shape"][-5:] and clip.dtype == np.float32
    if exact_dtype(recipe) == "uint8":
        assert sha256(clip.data) == expected["bin_sha256"]
        pixels = clip_from_frames(frames, numbers, recipe, "uint8")
        assert np.array_equal(normalise(pixels, recipe), clip)
    else:
        # interpolation in float32: its last bits depend on the processor
        found = clip.ravel()[::STRIDE]
        np.testing.assert_allclose(found, expected["every_100003rd"], rtol=0, atol=2e-6)


@pytest.mark.parametrize("name, video", OTHERWISE, indirect=["video"])
def test_where_the_input_is_meant_to_differ(name, video):
    """It does, so that no comparison is left out for nothing."""
    recipe, numbers, frames, expected = read(name, video)
    clip = clip_from_frames(frames, numbers, recipe)
    if "bin_sha256" in expected:
        assert sha256(clip.data) != expected["bin_sha256"]
    elif expected["sampled"]:
        assert numbers == expected["sampled"]
        found = clip.ravel()[::STRIDE]
        assert np.abs(found - expected["every_100003rd"]).max() > 0.1
