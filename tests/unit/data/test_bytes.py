"""Raw frames and .bin files, byte for byte those of the guide's own code (golden/golden.json)."""

import hashlib
from dataclasses import replace

import pytest
import streams as odd_streams
from recipes import GUIDE

from tsf.data import decode, listing, preprocess, rawframes
from tsf.data.decoded import Decoded
from tsf.data.make_clip import clip_from_video
from tsf.data.model_input import normalise

READABLE = [make.__name__ for make in odd_streams.SOUND + odd_streams.DAMAGED]
UNREADABLE = [make.__name__ for make in odd_streams.UNREADABLE]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(params=[*READABLE, *odd_streams.REAL_CLIPS])
def video(request):
    """Path of one video after the other, generated or real."""
    real = request.param in odd_streams.REAL_CLIPS
    return request.getfixturevalue("real_clips" if real else "streams")[request.param]


@pytest.fixture
def expected(video, golden):
    """The reference for this video, if it is the very file that the reference was made of."""
    found = golden[video.stem]
    assert sha256(video.read_bytes()) == found["video_sha256"], (
        "this is another file: another build of x264 encoded it, or streams.py has changed"
    )
    return found


def test_the_clip_of_a_video(video, expected):
    """Straight from the video, and through raw frames on disk."""
    total, _, jpegs = decode.clip_frames(video, GUIDE.sampling, decode.encode_rawframe)
    assert total == expected["frames"]
    found = {f"img_{number:05d}.jpg": sha256(jpeg) for number, jpeg in jpegs.items()}
    assert found == dict(expected["sampled"])

    total, clip = clip_from_video(video, GUIDE)
    assert total == expected["frames"]
    assert list(clip.shape) == expected["bin_shape"][1:] and str(clip.dtype) == "float32"
    assert sha256(clip.tobytes()) == expected["bin_sha256"]


def test_the_pixels_of_a_video_normalise_to_the_guides_bytes(video, expected):
    _, clip = clip_from_video(video, GUIDE, "uint8")
    assert list(clip.shape) == expected["bin_shape"][1:] and str(clip.dtype) == "uint8"
    assert sha256(normalise(clip, GUIDE).tobytes()) == expected["bin_sha256"]


# the long way costs a JPEG a frame: for one video of each kind that decodes in its own way
ALL_FRAMES = [
    "short5", "float_trap", "portrait", "bt709", "interlaced", "ten_bit", "rotated", "edit_list",
    "wrong_header_count", "truncated", "one_bad_packet", "matroska_fast",
]  # fmt: skip


@pytest.mark.parametrize("video", ALL_FRAMES, indirect=True)
@pytest.mark.parametrize("which", ["needed", "all"])
def test_the_way_through_raw_frames(video, expected, which, tmp_path):
    total = rawframes.extract(video, tmp_path / "rawframes" / video.stem, which, GUIDE.sampling)
    assert total == expected["frames"]
    paths = sorted((tmp_path / "rawframes" / video.stem).glob("img_*"))
    if which == "all":
        everything = hashlib.sha256()
        for path in paths:
            everything.update(path.name.encode() + path.read_bytes())
        assert everything.hexdigest() == expected["all_frames_sha256"]
    else:
        found = {path.name: sha256(path.read_bytes()) for path in paths}
        assert found == dict(expected["sampled"])
    decoded = Decoded(video.stem, total, "")
    preprocess.bin_from_rawframes(decoded, tmp_path / "rawframes", tmp_path, GUIDE)
    data = (tmp_path / f"{video.stem}.bin").read_bytes()
    assert len(data) == 14_450_688 and sha256(data) == expected["bin_sha256"]


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("which", ["needed", "all"])
def test_a_video_without_a_frame_is_skipped_with_a_reason(streams, golden, name, which, tmp_path):
    video = streams[name]
    assert golden[video.stem]["frames"] == 0 and not golden[video.stem]["in_file_list"]
    listed = listing.ListedVideo(video.stem, video.name, "yoga")
    found = rawframes.extract_or_skip(listed, video.parent, tmp_path, which, GUIDE.sampling)
    assert found.frames == 0
    reasons = {"zero_bytes": "empty file", "audio_only": "no video stream"}
    assert found.skipped.startswith(reasons.get(name, "undecodable: "))
    assert "\t" not in found.skipped and "\n" not in found.skipped
    assert list(tmp_path.iterdir()) == []


def test_a_missing_video_is_skipped_with_a_reason(tmp_path):
    listed = listing.ListedVideo("a", "val/a.mp4", "yoga")
    found = rawframes.extract_or_skip(listed, tmp_path, tmp_path, "needed", GUIDE.sampling)
    assert found == Decoded("a", 0, "missing file")


def test_a_folder_under_the_name_of_a_video_is_skipped(tmp_path):
    (tmp_path / "a.mp4").mkdir()
    listed = listing.ListedVideo("a", "a.mp4", "yoga")
    found = rawframes.extract_or_skip(listed, tmp_path, tmp_path / "raw", "needed", GUIDE.sampling)
    assert found.frames == 0 and found.skipped


def test_the_other_sampler_reads_other_frames(streams, golden):
    """The reference of 0.x must not pass for 1.x, where they differ."""
    video = streams["t250"]
    other = replace(GUIDE, sampling=replace(GUIDE.sampling, sampler="mmaction2-1.x"))
    total, _, jpegs = decode.clip_frames(video, other.sampling, decode.encode_rawframe)
    assert sorted(jpegs) == [13, 45, 77, 109, 141, 173, 205, 237]
    _, clip = clip_from_video(video, other)
    assert total == 250 and sha256(clip.tobytes()) != golden[video.stem]["bin_sha256"]


def test_every_stream_has_a_reference(golden):
    names = {
        name + odd_streams.SUFFIX for name in (*READABLE, *UNREADABLE, *odd_streams.REAL_CLIPS)
    }
    assert {f"{name}.mp4" for name in golden} == names
