"""A video in an archive gives what the unpacked file gives, by every way it is opened."""

import struct
import tarfile
import tempfile
from dataclasses import replace

import cv2
import datasets
import numpy as np
import pytest
from recipes import GUIDE
from streams import encode

from tsf.data import video_heads
from tsf.data.byte_range import ByteRange, sha256_of, size_of
from tsf.data.decode import (
    SkippedVideo,
    all_rawframes,
    clip_frames,
    count_frames,
    header_frames,
    whole_picture,
)
from tsf.data.listing import ListedVideo
from tsf.data.make_clip import clip_from_video
from tsf.data.sampling import frame_numbers
from tsf.errors import UserError
from tsf.files import sha256

# the order of frames, the header's count, the container or the end of the file differ
ODD = [
    *("single", "edit_list", "late_start", "fragmented", "matroska_vfr"),
    *("wrong_header_count", "truncated", "one_bad_packet", "truncated_moov", "no_key_frame"),
    *("zero_bytes", "not_a_video", "audio_only"),
]


def packed(file, folder):
    """The file in an archive, between two others: what is around it must not matter."""
    other = folder / "other"
    other.write_bytes(bytes(range(256)) * 40)
    archive = datasets.pack(folder / "a,b 视频.tar", {"a": other, file.name: file, "b": other})
    with tarfile.open(archive) as tar:
        member = tar.getmember(file.name)
        return ByteRange(archive, member.offset_data, member.size, file.suffix)


def outcome(work, *arguments):
    try:
        return work(*arguments)
    except SkippedVideo as reason:
        return str(reason)


@pytest.mark.parametrize("name", ODD)
def test_odd_streams_are_those_of_the_file(streams, tmp_path, monkeypatch, name):
    links = tmp_path / "links"
    links.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(links))
    file, stored = streams[name], packed(streams[name], tmp_path)
    expected, found = (outcome(clip_from_video, video, GUIDE) for video in (file, stored))
    if isinstance(expected, str):
        assert found == expected
    else:
        assert found[0] == expected[0] and np.array_equal(found[1], expected[1])
        in_archive = ListedVideo("a", "val/a.mp4", "", stored=stored)
        in_file = ListedVideo("a", file.name, "")
        assert video_heads.head(in_archive, tmp_path) == video_heads.head(in_file, file.parent)
    assert outcome(header_frames, stored) == outcome(header_frames, file)
    assert sha256_of(stored) == sha256(file) and size_of(stored) == file.stat().st_size
    assert list(links.iterdir()) == []


def test_every_frame_is_that_of_the_file(streams, tmp_path):
    file = streams["wrong_header_count"]  # the seek to the first frame changes which come out
    assert list(all_rawframes(packed(file, tmp_path))) == list(all_rawframes(file))


def test_a_format_that_only_the_name_tells_is_that_of_the_file(tmp_path):
    # an unknown part of more bytes than FFmpeg probes comes before the video
    file = tmp_path / "video.mp4"
    unknown = struct.pack(">I4s", 8 + 3_000_000, b"abcd") + bytes(3_000_000)
    relative = {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}
    encode(file, 96, 72, 60, muxer={"fflags": "+bitexact", **relative})
    file.write_bytes(unknown + file.read_bytes())
    stored = packed(file, tmp_path)
    expected = clip_from_video(file, GUIDE)
    assert np.array_equal(clip_from_video(stored, GUIDE)[1], expected[1])
    # so that this test would fail without the suffix
    with pytest.raises(SkippedVideo):
        count_frames(replace(stored, suffix=".tar"), GUIDE.sampling)


def test_an_archive_that_went_is_a_missing_file(streams, tmp_path):
    stored = packed(streams["single"], tmp_path)
    stored.container.unlink()
    with pytest.raises(SkippedVideo, match=r"^missing file$"):
        clip_from_video(stored, GUIDE)


def test_no_place_for_a_link_stops_the_step_and_costs_no_video(streams, tmp_path, monkeypatch):
    stored = packed(streams["single"], tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    for work in (header_frames, lambda video: clip_from_video(video, GUIDE)):
        with pytest.raises(UserError, match=r"no link can be made .*; set TMPDIR"):
            work(stored)


def frames_by_opencv(file):
    """Every frame that the guide's reader gets, after its seek to the first: mmcv's VideoReader."""
    capture = cv2.VideoCapture(str(file))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
    found = []
    while (read := capture.read())[0]:
        found.append(read[1])
    return found


@pytest.mark.parametrize(("first", "last"), [(0.05, 1), (0.4, 1), (0.4, 0.6), (0.97, 1)])
@pytest.mark.parametrize("moved", ["+faststart", "0"], ids=["header first", "header last"])
def test_of_a_video_that_has_not_all_arrived_the_frames_are_those_of_the_file(
    tmp_path, moved, first, last
):
    """A range of it is zeros still, in an archive of the right length: no header tells."""
    file = encode(tmp_path / "a.mp4", 160, 120, 120, seed=40, muxer={"movflags": moved})
    data = bytearray(file.read_bytes())
    start, end = (int(share * len(data)) for share in (first, last))
    data[start:end] = bytes(end - start)
    file.write_bytes(data)
    stored, expected = packed(file, tmp_path), frames_by_opencv(file)
    if not expected:
        with pytest.raises(SkippedVideo, match=r"^undecodable: "):
            count_frames(stored, GUIDE.sampling)
        return
    total, numbers, found = clip_frames(stored, GUIDE.sampling, whole_picture)
    assert total == len(expected) < 120
    assert numbers == frame_numbers(total, GUIDE.sampling)
    assert all(np.array_equal(found[number], expected[number - 1]) for number in numbers)
