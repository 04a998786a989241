"""Sizes, crops and values: the arithmetic between a decoded frame and the model's input."""

import struct
from fractions import Fraction

import cv2
import numpy as np
import pytest

from tsf.data import decode, pixels, preprocess


@pytest.mark.parametrize(
    "width, height, size",
    [
        (340, 256, (425, 320)),
        (640, 360, (568, 320)),
        (1280, 720, (568, 320)),
        (176, 144, (391, 320)),  # upwards too
        (320, 320, (320, 320)),
        (256, 340, (320, 425)),
        (240, 426, (320, 568)),
        # 480 on paper: the float64 quotient is rounded before the product is cut off
        (234, 156, (479, 320)),
        (156, 234, (320, 479)),
    ],
)
def test_raw_frames_have_a_short_side_of_320(width, height, size):
    assert decode.rawframe_size(width, height) == size


def test_a_raw_frame_is_opencvs_jpeg_file(tmp_path):
    frame = np.random.default_rng(0).integers(0, 256, (256, 340, 3), dtype=np.uint8)
    # as mmcv.imwrite calls it, with no parameter
    cv2.imwrite(str(tmp_path / "frame.jpg"), cv2.resize(frame, (425, 320)))
    assert decode.encode_rawframe(frame) == (tmp_path / "frame.jpg").read_bytes()


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
    assert preprocess.crop_offsets(width, height) == offsets


def test_normalised_values_are_the_rounded_quotients():
    assert pixels.NORMALISED.dtype == np.float32
    for value, found in enumerate(pixels.NORMALISED):
        exact = (Fraction(value) - Fraction(255, 2)) / Fraction(255, 2)
        assert found == np.float32(float(exact)), value
    # the wrong ways differ, so that this test can tell them apart
    reciprocal = (np.arange(256) - 127.5).astype(np.float32) * (np.float32(1) / np.float32(127.5))
    assert (reciprocal != pixels.NORMALISED).any()


def test_layout_is_crop_colour_frame_row_column():
    # a picture of 448 x 320 scales by 0.7 to 314 x 224; each frame has its own grey
    jpegs = []
    for t in range(8):
        frame = np.full((320, 448, 3), 16 * t, np.uint8)
        frame[:, :, 2] += 100  # red, the last of OpenCV's channels
        frame[:, 224:, 0] += 50  # blue, in the right half
        jpegs.append(cv2.imencode(".jpg", frame)[1].tobytes())
    clip = preprocess.clip_from_jpegs(jpegs)

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
        preprocess.clip_from_jpegs([b"not a JPEG"] * 8)


def test_a_bin_is_little_endian_float32_without_a_header(tmp_path):
    preprocess.write_bin(np.array([[1, -2], [0.5, 3]], np.float32), tmp_path / "x.bin")
    expected = struct.pack("<4f", 1, -2, 0.5, 3)
    assert (tmp_path / "x.bin").read_bytes() == expected


def test_a_bin_of_pixels_is_the_bytes(tmp_path):
    preprocess.write_bin(np.array([[0, 7], [255, 128]], np.uint8), tmp_path / "x.bin")
    assert (tmp_path / "x.bin").read_bytes() == bytes([0, 7, 255, 128])
