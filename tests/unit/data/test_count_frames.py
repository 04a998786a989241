"""Counting a video's frames gives the guide's count, and the outcome that decoding it has."""

import sys

import pytest
import streams as odd_streams
from recipes import GUIDE

from tsf.data import count_frames, rawframes
from tsf.data.decoded import Decoded, read_decoded
from tsf.data.listing import ListedVideo
from tsf.recipe.record import to_json

READABLE = [make.__name__ for make in odd_streams.SOUND + odd_streams.DAMAGED]
UNREADABLE = [make.__name__ for make in odd_streams.UNREADABLE]


def listed(video):
    return ListedVideo(video.stem, video.name, "yoga")


@pytest.mark.parametrize("name", READABLE)
def test_the_count_is_the_guides(streams, golden, name):
    video = streams[f"{name}"]
    expected = Decoded(video.stem, golden[video.stem]["frames"], "")
    assert count_frames.count_or_skip(listed(video), video.parent, GUIDE.sampling) == expected


@pytest.mark.parametrize("name", odd_streams.REAL_CLIPS)
def test_the_count_of_a_real_clip_is_the_guides(real_clips, golden, name):
    video = real_clips[name]
    found = count_frames.count_or_skip(listed(video), video.parent, GUIDE.sampling)
    assert found == Decoded(video.stem, golden[video.stem]["frames"], "")


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_video_without_a_frame_has_the_reason_that_decoding_gives(streams, tmp_path, name):
    video = streams[name]
    found = count_frames.count_or_skip(listed(video), video.parent, GUIDE.sampling)
    assert found.frames == 0 and found.skipped
    decoded = rawframes.extract_or_skip(
        listed(video), video.parent, tmp_path, "needed", GUIDE.sampling
    )
    assert found == decoded


def test_a_missing_video_is_skipped_with_a_reason(tmp_path):
    found = count_frames.count_or_skip(
        ListedVideo("a", "val/a.mp4", "yoga"), tmp_path, GUIDE.sampling
    )
    assert found == Decoded("a", 0, "missing file")


def test_the_command_writes_the_shards_table(streams, tmp_path, monkeypatch):
    root = tmp_path / "k400"
    (root / "annotations").mkdir(parents=True)
    (root / "val").symlink_to(streams["short5"].parent)
    rows = "".join(f"yoga,{name},0,10,val\n" for name in ("short5", "gone", "single", "short5"))
    header = "label,youtube_id,time_start,time_end,split\n"
    (root / "annotations/val.csv").write_text(header + rows)
    line = ["count_frames", "--root", str(root), "--table", str(tmp_path / "tables/000.tsv")]
    line += ["--recipe", to_json(GUIDE.sampling)]
    monkeypatch.setattr(sys, "argv", line)
    count_frames.main()
    assert read_decoded(tmp_path / "tables/000.tsv") == [
        Decoded("short5_000000_000010", 5, ""),
        Decoded("gone_000000_000010", 0, "missing file"),
        Decoded("single_000000_000010", 1, ""),
    ]
