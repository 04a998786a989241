"""The look at every listed video before the long work."""

import shutil
import sys
from dataclasses import replace

import pytest
from recipes import GUIDE

from tsf.data import account, check_videos, decode, listing
from tsf.errors import UserError
from tsf.recipe.record import to_json

HEADER = "label,youtube_id,time_start,time_end,split\n"


@pytest.fixture
def root(tmp_path, streams):
    """A dataset with a sound video and one of each kind of fault."""
    root = tmp_path / "k400"
    (root / "annotations").mkdir(parents=True)
    (root / "val").mkdir()
    names = ["t224", "short5", "zero_bytes", "not_a_video", "audio_only", "single", "portrait"]
    for name in names:
        shutil.copyfile(streams[name], root / f"val/{streams[name].name}")
    shutil.copyfile(streams["t224"], root / "val/unlisted.mp4")
    rows = [f"yoga,{name},0,10,val\n" for name in ["t224", *names[1:6], "missing", "t224"]]
    rows.append("unheard of,portrait,0,10,val\n")
    (root / "annotations/val.csv").write_text(HEADER + "".join(rows))
    (root / "annotations/train.csv").write_text(HEADER + "yoga,x,0,10,train\n")
    return root


def run(root, monkeypatch, *options):
    output = root.parent / "check.tsv"
    line = ["check_videos", "--root", str(root), "--output", str(output)]
    line += ["--recipe", to_json(GUIDE.sampling), *options]
    monkeypatch.setattr(sys, "argv", line)
    check_videos.main()
    rows = [line.split("\t") for line in output.read_text().splitlines()]
    assert rows[0] == ["path", "finding"]
    return [(path.removeprefix("val/").removesuffix(".mp4"), found) for path, found in rows[1:]]


def test_every_fault_is_found(root, monkeypatch):
    found = run(root, monkeypatch)
    by_name = {name.removesuffix("_000000_000010"): reason for name, reason in found}
    assert by_name.pop("not_a_video").startswith("undecodable: ")
    assert by_name == {
        "short5": check_videos.FEW_FRAMES,
        "single": check_videos.FEW_FRAMES,
        "zero_bytes": "empty file",
        "audio_only": "no video stream",
        "missing": "missing file",
        "t224": "duplicate row",
        "portrait": "unknown label: not among the classes: unheard_of",
        "unlisted": check_videos.NOT_LISTED,
    }


def test_several_processes_find_the_same(root, monkeypatch):
    assert run(root, monkeypatch, "--processes", "2") == run(root, monkeypatch)


def test_a_fault_can_be_made_to_end_the_run(root, monkeypatch):
    with pytest.raises(UserError, match="6 of 9 listed videos cannot be scored, the first is"):
        run(root, monkeypatch, "--on-bad-video", "fail")
    assert not (root.parent / "check.tsv").exists()


def test_what_is_scored_all_the_same_ends_nothing(root, monkeypatch):
    text = HEADER + "yoga,t224,0,10,val\nyoga,short5,0,10,val\n"
    (root / "annotations/val.csv").write_text(text)
    found = run(root, monkeypatch, "--on-bad-video", "fail")
    assert ("short5_000000_000010", check_videos.FEW_FRAMES) in found


def test_a_folder_that_is_no_class_is_no_fault(tmp_path, streams, monkeypatch):
    """In a folder tree it means that the video has no label."""
    (tmp_path / "clips/yoga").mkdir(parents=True)
    shutil.copyfile(streams["t224"], tmp_path / "clips/yoga/a.mp4")
    (tmp_path / "classes.txt").write_text("run\nswim\n")
    line = f"--layout folder --classes {tmp_path / 'classes.txt'} --on-bad-video fail".split()
    assert run(tmp_path / "clips", monkeypatch, *line) == []


def test_rows_that_do_not_agree_are_found(streams):
    """As the account has it: both rows."""
    video = streams["t224"]
    listed = [listing.ListedVideo("a", video.name, label) for label in ("yoga", "run")]
    found = check_videos.check(listed, ["yoga", "run"], video.parent, GUIDE.sampling, 1)
    assert found == [(video.name, account.CONFLICT)] * 2


def test_few_frames_are_those_that_decode(streams, tmp_path, monkeypatch):
    """A header may claim fewer than there are."""
    monkeypatch.setattr(decode, "header_frames", lambda path: 3)
    listed = listing.ListedVideo("a", streams["t224"].name, "")
    assert check_videos.finding(listed, streams["t224"].parent, GUIDE.sampling) == ""


def test_an_unknown_class_counts_more_than_few_frames(streams):
    """The one is skipped, the other is scored: the check must say what will be skipped."""
    video = streams["short5"]
    listed = [listing.ListedVideo("short5", video.name, "no_such_class")]
    ((_, found), *_) = check_videos.check(listed, ["a_class"], video.parent, GUIDE.sampling, 1)
    assert found.startswith(check_videos.UNKNOWN_LABEL)


@pytest.mark.parametrize("clip_len, found", [(5, ""), (6, check_videos.FEW_FRAMES)])
def test_few_frames_are_fewer_than_a_clip_has(streams, clip_len, found):
    video = streams["short5"]
    sampling = replace(GUIDE.sampling, clip_len=clip_len)
    listed = listing.ListedVideo("short5", video.name, "")
    assert check_videos.finding(listed, video.parent, sampling) == found
