"""Sizes and bytes of a raw frame, and what of a video is kept."""

from contextlib import nullcontext

import cv2
import numpy as np
import pytest

from tsf.data import count_frames, decode
from tsf.data.decoded import Decoded
from tsf.data.listing import ListedVideo
from tsf.recipe.record import Sampling

FACEBOOK = Sampling("facebook-kinetics", 8, 32, 1)


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


def test_pictures_of_a_video_are_what_opencv_decodes(streams):
    """Neither resized nor through a JPEG; the same frames as raw frames are made of."""
    capture = cv2.VideoCapture(str(streams["short5"]))
    pictures = [capture.read()[1] for _ in range(5)]
    sampling = Sampling("mmaction2-0.x", 2, 3, 1)
    total, numbers, found = decode.clip_frames(streams["short5"], sampling, decode.whole_picture)
    assert (total, numbers, sorted(found)) == (5, [1, 4], [1, 4])
    assert np.array_equal(found[1], pictures[0]) and np.array_equal(found[4], pictures[3])
    _, _, jpegs = decode.clip_frames(streams["short5"], sampling, decode.encode_rawframe)
    assert jpegs == {n: decode.encode_rawframe(picture) for n, picture in found.items()}


def test_the_rate_is_the_average_one_and_only_read_where_it_counts(streams):
    # vfr: 120 frames in 8.207 s, though most are 17 to 40 ms apart
    assert decode.known_fps(streams["vfr"], FACEBOOK) == 120000 / 8207
    assert decode.known_fps(streams["vfr"], Sampling("mmaction2-0.x", 8, 32, 1)) is None


def test_a_video_without_a_rate_is_skipped_wherever_it_is_decoded(streams, monkeypatch):
    class Stream:
        average_rate = None

    monkeypatch.setattr(decode, "_header", lambda video: nullcontext(Stream))
    video = streams["short5"]
    with pytest.raises(decode.SkippedVideo, match="no frame rate, which facebook-kinetics needs"):
        decode.clip_frames(video, FACEBOOK, decode.whole_picture)
    listed = ListedVideo("short5", video.name, "")
    reason = "no frame rate, which facebook-kinetics needs"
    assert count_frames.count_or_skip(listed, video.parent, FACEBOOK) == Decoded(
        "short5", 0, reason
    )
    others = Sampling("mmaction2-0.x", 8, 32, 1)
    assert count_frames.count_or_skip(listed, video.parent, others) == Decoded("short5", 5, "")
