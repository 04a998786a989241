"""Sizes and bytes of a raw frame, and what of a video is kept."""

import os
import re
import tracemalloc
from contextlib import nullcontext
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
import streams as odd_streams
from recipes import GUIDE

from tsf.data import check_videos, count_frames, decode, preprocess, rawframes
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


def outcome(video, folder, sampling=GUIDE.sampling):
    """What every way says of a video: they must agree, or a run with keep: nothing would stop."""
    listed = ListedVideo("v", video.name, "")
    counted = count_frames.count_or_skip(listed, video.parent, sampling)
    recipes = [replace(GUIDE, sampling=sampling), replace(GUIDE, source="video", sampling=sampling)]
    for recipe in recipes:
        found = preprocess.bin_from_video(listed, video.parent, folder, recipe, "uint8")
        assert found == counted
    for which in ("needed", "all"):
        folder = folder / which
        assert rawframes.extract_or_skip(listed, video.parent, folder, which, sampling) == counted
        assert (folder / "v").exists() == (not counted.skipped)
    return counted


def thin(path, width, height):
    odd_streams.encode(path, width, height, 9, codec="mpeg4", options={"qmin": "4", "qmax": "4"})
    return path


@pytest.mark.parametrize("width, height", [(4, 1000), (1000, 4), (2, 2000)])
def test_a_long_thin_picture_costs_its_video_alone(tmp_path, width, height):
    video = thin(tmp_path / "v.mp4", width, height)
    found = outcome(video, tmp_path)
    long = 320 * max(width, height) // min(width, height)
    assert found.frames == 0 and f"{width} x {height} would be" in found.skipped
    assert str(long) in found.skipped and "65500" in found.skipped
    with pytest.raises(decode.SkippedVideo, match=f"{width} x {height}"):
        decode.header_frames(video)


@pytest.mark.parametrize("width, height", [(8, 1600), (1600, 8)])
def test_the_longest_picture_that_is_possible_is_scored(tmp_path, width, height):
    """64,000 pixels long as a raw frame; JPEG has 65,500."""
    assert outcome(thin(tmp_path / "v.mp4", width, height), tmp_path) == Decoded("v", 9, "")


def test_no_memory_is_taken_before_a_shape_is_refused():
    """1 x 30,000 would be 9 GB; 320 x 65,500 is what JPEG can hold."""
    tracemalloc.start()
    for shape in ((30_000, 1, 3), (1, 30_000, 3), (2048, 10, 3)):
        with pytest.raises(decode.SkippedVideo, match="no side can be longer than 65500"):
            decode.encode_rawframe(np.zeros(shape, np.uint8))
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()
    assert decode.encode_rawframe(np.zeros((2046, 10, 3), np.uint8)).startswith(b"\xff\xd8")


def test_a_title_in_any_encoding_is_no_fault(streams, tmp_path):
    title = "\u7535\u5f71\u6807\u9898".encode("gbk")
    path = tmp_path / "v.mp4"
    with av.open(str(streams["short5"])) as source, av.open(str(path), "w") as out:
        out.metadata["title"] = "A" * len(title)
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    data = path.read_bytes()
    assert data.count(b"A" * len(title)) == 1
    path.write_bytes(data.replace(b"A" * len(title), title))
    assert decode.header_frames(path) == 5
    assert decode.known_fps(path, FACEBOOK) == 25
    assert outcome(path, tmp_path) == Decoded("v", 5, "")
    assert outcome(path, tmp_path / "facebook", FACEBOOK) == Decoded("v", 5, "")


def test_what_the_decoder_plays_is_not_called_undecodable(streams, tmp_path):
    """PyAV calls a table of times that claims more entries than it has "End of file"."""
    data = bytearray(streams["float_trap"].read_bytes())
    data[data.index(b"ctts") + 11] = 222  # entries, of 33
    path = tmp_path / "v.mp4"
    path.write_bytes(data)
    with pytest.raises(av.FFmpegError), av.open(str(path)):
        pass
    assert decode.header_frames(path) == 0
    found = outcome(path, tmp_path)
    assert found.frames > 0 and not found.skipped


@pytest.mark.parametrize(
    "error, words",
    [
        (cv2.error("first line\nsecond line"), "undecodable: first line second line"),
        (av.error.InvalidDataError(1, "spoilt", "f"), "undecodable: spoilt"),
    ],
)
def test_an_exception_of_a_decoder_costs_its_video_alone(
    streams, tmp_path, monkeypatch, error, words
):
    def broken(*_):
        raise error

    monkeypatch.setattr(decode, "_open", broken)
    found = outcome(streams["short5"], tmp_path)
    assert found.frames == 0 and re.fullmatch(words, found.skipped) and "\t" not in found.skipped


def test_a_lack_of_memory_is_told_to_the_worker(monkeypatch):
    """Which tries once more, alone."""
    error = cv2.error("Insufficient memory")
    error.code = cv2.Error.StsNoMem
    with pytest.raises(MemoryError), decode.decoder_faults():
        raise error


@pytest.mark.parametrize("make, reason", [(os.mkfifo, "not a file"), (os.mkdir, "not a file")])
def test_what_is_no_file_is_not_opened(tmp_path, make, reason):
    """To open a pipe would wait for ever."""
    make(tmp_path / "v.mp4")
    assert outcome(tmp_path / "v.mp4", tmp_path / "x") == Decoded("v", 0, reason)
    with pytest.raises(decode.SkippedVideo, match=reason):
        decode.header_frames(tmp_path / "v.mp4")


def test_a_name_too_long_for_a_file_is_a_reason_to_skip(streams, tmp_path):
    """Up to the longest one, every file that is written has room for it."""
    video, folder = streams["short5"], tmp_path / "shard"
    for length, reason in ((238, ""), (239, "a name of 239 characters"), (300, "a name of 300")):
        listed = ListedVideo("x" * length, video.name, "")
        counted = count_frames.count_or_skip(listed, video.parent, GUIDE.sampling)
        assert counted.skipped.startswith(reason) and bool(reason) == bool(counted.skipped)
        ways = [preprocess.bin_from_video(listed, video.parent, folder, GUIDE, "uint8")]
        arguments = (video.parent, folder / "frames", "needed", GUIDE.sampling)
        ways += [rawframes.extract_or_skip(listed, *arguments)]
        assert ways == [counted, counted]
        found = check_videos.finding(listed, video.parent, GUIDE.sampling)
        assert found == (counted.skipped or check_videos.FEW_FRAMES)
    listed = ListedVideo("y", "a" * 300 + ".mp4", "")
    found = count_frames.count_or_skip(listed, video.parent, GUIDE.sampling)
    assert found == Decoded("y", 0, "unreadable file: File name too long")


def test_a_codec_that_is_not_known_is_a_reason_to_skip(streams, tmp_path):
    """PyAV's stream has neither width nor height then, and raises AttributeError for them."""
    data = streams["plain"].read_bytes()
    assert data.count(b"avc1") == 2  # of the brands and of the track
    video = tmp_path / "unknown.mp4"
    video.write_bytes(data[:100] + data[100:].replace(b"avc1", b"zzz1"))
    with pytest.raises(decode.SkippedVideo, match="codec"):
        decode.header_frames(video)
