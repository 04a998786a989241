"""The record of a generated dataset tells whether a file has changed since."""

import os

from runs import module

from tsf.data.listing import ListedVideo
from tsf.data.manifest import MANIFEST, MISSING, file_state, read_manifest, write_manifest


def test_the_state_is_size_and_time(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"video")
    os.utime(path, ns=(0, 1_234_567_890_000_000_000))
    assert file_state(str(path)) == "5 1234567890000000000"
    assert file_state(str(tmp_path / "b.mp4")) == MISSING


def test_the_manifest_comes_back(tmp_path):
    (tmp_path / "val").mkdir()
    (tmp_path / "val/a.mp4").write_bytes(b"video")
    os.utime(tmp_path / "val/a.mp4", ns=(0, 7))
    videos = [ListedVideo("a", "val/a.mp4", "yoga"), ListedVideo("b", "val/b.mp4", "yoga")]
    write_manifest(tmp_path, videos)
    assert (tmp_path / MANIFEST).read_text().startswith("path\tstate\n")
    assert read_manifest(tmp_path) == {"val/a.mp4": "5 7", "val/b.mp4": "missing"}


def test_the_command_lists_the_dataset_itself(tmp_path):
    (tmp_path / "annotations").mkdir()
    rows = "label,youtube_id,time_start,time_end,split\nyoga,abcdefghijk,1,11,val\n"
    (tmp_path / "annotations/val.csv").write_text(rows)
    made = module("data.manifest", "--root", tmp_path)
    assert made.returncode == 0, made.stderr
    assert read_manifest(tmp_path) == {"val/abcdefghijk_000001_000011.mp4": MISSING}


def test_a_dataset_of_the_users_has_none(tmp_path):
    assert read_manifest(tmp_path) == {}
