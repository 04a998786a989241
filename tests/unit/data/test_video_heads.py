"""Size, frame rate and length of the scored videos."""

import math

import av
import runs

from tsf.data import video_heads
from tsf.data.listing import ListedVideo, RawFrames, name_from_path
from tsf.data.tables import write_lines


def test_the_heads_are_what_ffmpeg_says(real_clips):
    for path in real_clips.values():
        width, height, fps = video_heads.head(ListedVideo("a", path.name, ""), path.parent)
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            rate = float(container.streams.video[0].average_rate)
        assert (int(width), int(height)) == (frame.width, frame.height)
        assert math.isclose(float(fps), rate, rel_tol=1e-5)


def test_raw_frames_and_a_video_that_went_have_none(tmp_path):
    frames = RawFrames(10, "img_{:05}.jpg", 1)
    assert video_heads.head(ListedVideo("a", "a", "", frames), tmp_path) == ("", "", "")
    assert video_heads.head(ListedVideo("a", "a.mp4", ""), tmp_path) == ("", "", "")


def test_the_table_has_the_scored_videos_alone(tmp_path):
    (tmp_path / "videos").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"videos/{name}.mp4").write_bytes(b"no video")
    table = runs.module(
        *("data.video_heads", "--layout", "folder", "--root", tmp_path / "videos"),
        *("--file-list", scored(tmp_path), "--output", tmp_path / "heads.tsv"),
    )
    assert table.returncode == 0, table.stderr
    found = video_heads.read_heads(tmp_path / "heads.tsv")
    (name,) = found.index
    assert name.startswith("a-") and found["frames"].tolist() == [25]
    assert found[["width", "height", "fps"]].isna().all().all()


def scored(folder):
    """A file list of mmaction2's with one of the two videos."""
    path = folder / "list.txt"
    write_lines(path, [f"{name_from_path('a.mp4')} 25 0"])
    return path
