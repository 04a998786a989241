"""Crops and layout: the arithmetic between raw frames and the model's input."""

import cv2
import numpy as np
import pytest

from tsf.data.make_clip import clip_from_jpegs, crop_offsets


@pytest.mark.parametrize(
    "width, height, offsets",
    [
        (298, 224, [(0, 0), (74, 0), (37, 0)]),
        (299, 224, [(0, 0), (74, 0), (37, 0)]),  # an odd rest: the right crop is not at the end
        (224, 398, [(0, 0), (0, 174), (0, 87)]),
        (224, 224, [(0, 0), (0, 0), (0, 0)]),
    ],
)
def test_crops_are_first_last_middle(width, height, offsets):
    assert crop_offsets(width, height) == offsets


def test_layout_is_crop_colour_frame_row_column():
    # a picture of 448 x 320 scales by 0.7 to 314 x 224; each frame has its own grey
    jpegs = []
    for t in range(8):
        frame = np.full((320, 448, 3), 16 * t, np.uint8)
        frame[:, :, 2] += 100  # red, the last of OpenCV's channels
        frame[:, 224:, 0] += 50  # blue, in the right half
        jpegs.append(cv2.imencode(".jpg", frame)[1].tobytes())
    clip = clip_from_jpegs(jpegs)

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


def test_bytes_that_are_no_image_are_refused():
    with pytest.raises(ValueError):
        clip_from_jpegs([b"not a JPEG"] * 8)
