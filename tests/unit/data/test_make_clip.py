"""Sizes, crops and layout: the arithmetic between a video's frames and the model's input."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from recipes import GUIDE

from tsf.data.make_clip import clip_from_frames, crop_offsets, refuse_impossible, resized_size
from tsf.errors import UserError
from tsf.recipe.record import Sampling

FACEBOOK = replace(
    GUIDE, source="video", preprocessing="facebook", mean=(114.75, 120, 110), std=(57.375, 50, 60)
)
HUGGINGFACE = replace(FACEBOOK, preprocessing="huggingface", crops="centre")
SIZES = [
    (340, 256),
    (256, 340),
    (640, 272),
    (176, 144),
    (224, 224),
    (301, 224),
    (225, 401),
    (1280, 720),
]


def pictures(width, height, count=8):
    """Noise, so that a pixel's shift changes everything."""
    rng = np.random.default_rng(width)
    return list(rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8))  # BGR


def clip_of(frames, recipe, dtype="float32"):
    return clip_from_frames(dict(enumerate(frames)), list(range(len(frames))), recipe, dtype)


# ---- sizes and offsets, by hand ----


@pytest.mark.parametrize(
    "recipe, size, expected",
    [
        (GUIDE, (340, 256), (298, 224)),  # 297.5 rounds up
        (FACEBOOK, (340, 256), (297, 224)),  # and is cut off
        (HUGGINGFACE, (340, 256), (297, 224)),
        (GUIDE, (256, 340), (224, 298)),
        (FACEBOOK, (256, 340), (224, 297)),
        (HUGGINGFACE, (256, 340), (224, 297)),
        (GUIDE, (301, 224), (301, 224)),
        (FACEBOOK, (301, 224), (301, 224)),
        # 230 on paper: the float64 quotient is rounded before the product is cut off
        (FACEBOOK, (115, 112), (229, 224)),
        (HUGGINGFACE, (115, 112), (230, 224)),
        (replace(GUIDE, short_side=256), (340, 256), (340, 256)),
        (replace(GUIDE, short_side=448), (640, 360), (796, 448)),
    ],
)
def test_sizes(recipe, size, expected):
    assert resized_size(*size, recipe) == expected


CENTRE = {"crops": "centre", "short_side": 256}


@pytest.mark.parametrize(
    "recipe, size, offsets",
    [
        (GUIDE, (298, 224), [(0, 0), (74, 0), (37, 0)]),
        # an odd rest: mmaction2's right crop is not at the end
        (GUIDE, (299, 224), [(0, 0), (74, 0), (37, 0)]),
        (GUIDE, (224, 398), [(0, 0), (0, 174), (0, 87)]),
        (GUIDE, (224, 224), [(0, 0), (0, 0), (0, 0)]),
        # Facebook's third one is, and its middle is further
        (FACEBOOK, (298, 224), [(0, 0), (37, 0), (74, 0)]),
        (FACEBOOK, (299, 224), [(0, 0), (38, 0), (75, 0)]),
        (FACEBOOK, (224, 397), [(0, 0), (0, 87), (0, 173)]),
        (FACEBOOK, (224, 224), [(0, 0), (0, 0), (0, 0)]),
        (replace(GUIDE, **CENTRE), (341, 256), [(58, 16)]),
        (replace(FACEBOOK, **CENTRE), (341, 257), [(59, 17)]),
        (replace(HUGGINGFACE, **CENTRE), (341, 257), [(58, 16)]),
    ],
)
def test_crops(recipe, size, offsets):
    assert crop_offsets(*size, recipe) == offsets


# ---- layout ----


def test_layout_is_crop_colour_frame_row_column():
    # a picture of 448 x 320 scales by 0.7 to 314 x 224; each frame has its own grey
    jpegs = []
    for t in range(8):
        frame = np.full((320, 448, 3), 16 * t, np.uint8)
        frame[:, :, 2] += 100  # red, the last of OpenCV's channels
        frame[:, 224:, 0] += 50  # blue, in the right half
        jpegs.append(cv2.imencode(".jpg", frame)[1].tobytes())
    clip = clip_of(jpegs, GUIDE)

    assert clip.shape == (3, 3, 8, 224, 224) and clip.dtype == np.float32
    levels = np.rint(clip * 127.5 + 127.5)  # (3, 3, 8, 224, 224)
    for t in range(8):
        red, green, blue = levels[:, 0, t], levels[:, 1, t], levels[:, 2, t]
        assert abs(red.mean() - (16 * t + 100)) < 3
        assert abs(green.mean() - 16 * t) < 3
        left, right, middle = blue - 16 * t  # (224, 224) each
        assert abs(left[:, :140].mean()) < 3 and abs(right[:, 90:].mean() - 50) < 3
        # the halves meet in the middle of the middle crop
        assert abs(middle[:, :100].mean()) < 3 and abs(middle[:, 124:].mean() - 50) < 3


@pytest.mark.parametrize("recipe", [GUIDE, FACEBOOK, HUGGINGFACE])
def test_bgr_is_the_other_order_of_the_same_planes(recipe):
    """The mean goes with the channel's place, not with its colour."""
    alike = replace(recipe, source="video", mean=(120, 120, 120), std=(60, 60, 60))
    frames = pictures(340, 256)
    rgb, bgr = (clip_of(frames, replace(alike, channels=order)) for order in ("rgb", "bgr"))
    assert np.array_equal(rgb[:, ::-1], bgr) and not np.array_equal(rgb, bgr)
    first = replace(alike, channels="bgr", mean=(60, 120, 120))
    # a mean lower by std raises the first channel, blue, by one
    np.testing.assert_allclose(clip_of(frames, first)[:, 0], bgr[:, 0] + 1, atol=1e-5)
    assert np.array_equal(clip_of(frames, first)[:, 1:], bgr[:, 1:])


def test_clips_of_a_crop_stand_together():
    """Views are crop by crop and, within a crop, clip by clip; a frame may serve in several."""
    recipe = replace(GUIDE, source="video", sampling=Sampling("mmaction2-0.x", 2, 1, 2))
    greys = {number: np.full((224, 400, 3), number, np.uint8) for number in (10, 20, 30)}
    for picture in greys.values():
        picture[:, 200:] += 100
    clip = clip_from_frames(greys, [10, 20, 20, 30], recipe, "uint8")
    left, right = clip[:, 0, :, 0, 0], clip[:, 0, :, 0, -1]  # (views, frames)
    assert clip.shape == (6, 3, 2, 224, 224)
    assert left[:2].tolist() == [[10, 20], [20, 30]]  # left crop
    assert right[2:4].tolist() == [[110, 120], [120, 130]]  # right crop
    assert left[4:].tolist() == [[10, 20], [20, 30]] and right[4:, 0].tolist() == [110, 120]


# ---- Facebook's and Hugging Face's formulas, on whole clips ----


def facebook_views(frames, side, short_side, crops):
    """tensor_normalize, then spatial_sampling, as kinetics.py calls them in test mode."""
    images = torch.from_numpy(np.stack(frames)[..., ::-1].copy())  # (T, h, w, RGB)
    images = images.float() / 255.0
    images = images - torch.tensor([m / 255 for m in FACEBOOK.mean])
    images = images / torch.tensor([s / 255 for s in FACEBOOK.std])
    images = images.permute(3, 0, 1, 2)  # (3, T, h, w)
    height, width = images.shape[2:]
    if min(height, width) != short_side:
        if width < height:
            size = math.floor((float(height) / width) * short_side), short_side
        else:
            size = short_side, math.floor((float(width) / height) * short_side)
        images = torch.nn.functional.interpolate(
            images, size=size, mode="bilinear", align_corners=False
        )
    height, width = images.shape[2:]
    views = []
    for index in crops:
        y, x = math.ceil((height - side) / 2), math.ceil((width - side) / 2)
        if height > width:
            y = {0: 0, 1: y, 2: height - side}[index]
        else:
            x = {0: 0, 1: x, 2: width - side}[index]
        views.append(images[:, :, y : y + side, x : x + side])
    return torch.stack(views).numpy()


@pytest.mark.parametrize("size", SIZES)
def test_facebooks_formula(size):
    frames = pictures(*size)
    # the sum of the four neighbours is PyTorch's in another order
    np.testing.assert_allclose(
        clip_of(frames, FACEBOOK), facebook_views(frames, 224, 224, (0, 1, 2)), rtol=0, atol=2e-6
    )
    one = replace(FACEBOOK, short_side=256, crops="centre")
    np.testing.assert_allclose(
        clip_of(frames, one), facebook_views(frames, 224, 256, (1,)), rtol=0, atol=2e-6
    )


@pytest.mark.parametrize("size", SIZES)
def test_hugging_faces_formula(size):
    """Pillow's resize of the shortest edge, the centre crop, then rescale and normalize."""
    frames = pictures(*size)
    expected = []
    for frame in frames:
        image = Image.fromarray(frame[:, :, ::-1].copy())  # RGB
        short, long = sorted(image.size)
        short, long = 224, int(224 * long / short)
        new_size = (short, long) if image.width <= image.height else (long, short)
        pixels = np.array(image.resize(new_size, Image.Resampling.BILINEAR))
        top, left = (pixels.shape[0] - 224) // 2, (pixels.shape[1] - 224) // 2
        pixels = pixels[top : top + 224, left : left + 224]
        values = (pixels.astype(np.float64) * (1 / 255)).astype(np.float32)
        mean, std = (
            np.array([v / 255 for v in c], np.float32) for c in (FACEBOOK.mean, FACEBOOK.std)
        )
        expected.append(((values - mean) / std).transpose(2, 0, 1))
    found = clip_of(frames, HUGGINGFACE)
    assert np.array_equal(found, np.stack(expected, 1)[np.newaxis])


# ---- what is refused ----


def test_bytes_that_are_no_image_are_refused():
    with pytest.raises(ValueError):
        clip_of([b"not a JPEG"] * 8, GUIDE)


@pytest.mark.parametrize(
    "recipe, dtype, message",
    [
        (replace(GUIDE, side=256), "float32", "a crop of 256 pixels from a side of 224"),
        (replace(GUIDE, short_side=256), "float32", "as high as the picture: short side 256, crop"),
        (replace(HUGGINGFACE, crops="three"), "float32", "huggingface has a centre crop only"),
        (FACEBOOK, "uint8", "which uint8 cannot hold; set bin: float32"),
        (
            replace(GUIDE, preprocessing="decord"),
            "uint8",
            "preprocessing 'decord': expected one of",
        ),
    ],
)
def test_a_recipe_without_a_clip_is_one_line(recipe, dtype, message):
    with pytest.raises(UserError, match=message):
        refuse_impossible(recipe, dtype)
    with pytest.raises(UserError, match=message):
        clip_of(pictures(340, 256), recipe, dtype)
