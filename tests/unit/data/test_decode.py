"""Sizes and bytes of a raw frame."""

import cv2
import numpy as np
import pytest

from tsf.data import decode


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
