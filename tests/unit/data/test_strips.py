"""The frames of the gallery are those that the model sees."""

import cv2
import numpy as np
import pytest
from recipes import GUIDE

from tsf.data import strips
from tsf.data.listing import ListedVideo
from tsf.data.make_clip import clip_from_video
from tsf.errors import UserError


def pictures(webp: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(webp, np.uint8), cv2.IMREAD_COLOR)


def test_the_frames_are_those_of_the_clip(real_clips):
    path = next(iter(real_clips.values()))
    video = ListedVideo("a", path.name, "")
    seen = strips.frames_seen(video, path.parent, GUIDE)
    _, clip = clip_from_video(path, GUIDE, "uint8")  # (3, 3, 8, 224, 224), the last crop central
    assert len(seen) == 8
    for t, picture in enumerate(seen):
        height, width = picture.shape[:2]
        resized = cv2.resize(picture, (round(width * 224 / height), 224))
        left = (resized.shape[1] - 224) // 2
        centre = resized[:, left : left + 224, ::-1].transpose(2, 0, 1)  # (3, 224, 224) RGB
        assert np.abs(centre.astype(int) - clip[2, :, t]).mean() < 1


def test_a_strip_is_eight_frames_in_their_order():
    grey = [np.full((240, 320, 3), value, np.uint8) for value in range(0, 256, 8)]  # 32 frames
    found = pictures(strips.strip(grey))
    assert found.shape == (96, 8 * 128, 3)
    levels = found[:, ::128].mean(axis=(0, 2))
    assert levels == pytest.approx([0, 32, 72, 104, 144, 176, 216, 248], abs=6)


def test_a_wide_picture_is_squeezed_and_few_frames_are_few():
    assert pictures(strips.strip([np.zeros((100, 900, 3), np.uint8)] * 3)).shape == (96, 576, 3)


def test_a_strip_of_noise_stays_small():
    noise = np.random.default_rng(0).integers(0, 256, (8, 240, 320, 3), np.uint8)
    assert len(strips.strip(list(noise))) < 45_000  # 60 of them are below 4 MB as base64


def test_a_video_that_went_is_one_line(tmp_path):
    video = ListedVideo("a", "a.mp4", "")
    with pytest.raises(UserError, match=r"a\.mp4: missing file, but it was scored"):
        strips.write_strip(video, tmp_path, GUIDE, tmp_path)
