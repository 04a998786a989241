"""Every listed video is accounted for, and the lists are those of mmaction2's build_file_list.py.

golden/file_list.json has what that script wrote for annotation files that are awkward in one way
each. Where this workflow means to do otherwise, the difference is spelled out here.
"""

import json
import sys
from pathlib import Path

import pytest
from runs import ROOT

from tsf.data import account, list_videos, listing
from tsf.data.decoded import Decoded, write_decoded
from tsf.data.k400_info import NO_LABEL, ScoredVideo, read_info, read_skipped
from tsf.data.listing import ListedVideo
from tsf.errors import UserError

GOLDEN = ROOT / "tests/golden/file_list.json"
CASES = {case["name"]: case for case in json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]}
SAME = [
    "awkward_labels",
    "space_at_the_end_in_train",
    "times",
    "windows_line_ends",
    "more_columns",
]
# case: the lines that this workflow writes, and the videos that it skips
OTHERWISE = {
    # a video is scored once, so that a result file belongs to one line
    "duplicates_and_missing": (
        ["dup_000000_000010 4 1", "one_000000_000010 2 0"],
        ["gone_000000_000010", "dup_000000_000010"],
    ),
    # a label that train.csv lacks ends mmaction2's script; here it is a reason to skip
    "label_only_in_val": (["one_000000_000010 4 1"], ["two_000000_000010"]),
    "label_only_in_val_and_no_video": (["one_000000_000010 4 1"], ["two_000000_000010"]),
    # blank lines and test.csv do not matter
    "blank_line": (["one_000000_000010 1 1"], ["two_000000_000010"]),
    "no_test_csv": (["one_000000_000010 1 1"], []),
    # a folder without frames cannot come to be: the video is skipped
    "empty_folder": (["one_000000_000010 1 1"], ["two_000000_000010"]),
    # these are about entries of the frames' folder; the count comes from the decoder here
    "stray_file": (["one_000000_000010 1 1"], []),
    "other_entries": (["one_000000_000010 3 1"], []),
}
REFUSED = {
    # mmaction2 lists it twice; which label is right cannot be told
    "duplicate_with_another_label": "none of the 2 .* conflicting labels",
    "other_case": "none of the 1 listed videos can be scored",
    "space_at_the_end": "none of the 1 listed videos can be scored",
    "no_frames_at_all": "none of the 1 listed videos can be scored",
    "empty_time": "line 2: time_start and time_end must be seconds",
    "no_header": "line 1: expected the header",
}


def lay_out(case, root):
    """The case's annotations, and the names of the videos that they list."""
    (root / "annotations").mkdir()
    for split in ("train", "val"):
        path = root / f"annotations/{split}.csv"
        path.write_bytes(case["csv"][split].encode("utf-8"))


def make_lists(case, monkeypatch, *options):
    """Run the command lines that list the videos and account for them, here."""
    run(monkeypatch, list_videos, "--root . --output list.tsv --output-classes classes.txt")
    names = dict.fromkeys(video.name for video in listing.read_list(Path("list.tsv")))
    counts = {name: case["frames"].get(name, 0) for name in names}
    decoded = [Decoded(name, n, "" if n else "missing file") for name, n in counts.items()]
    write_decoded(Path("table.tsv"), decoded)
    line = "--list list.tsv --classes classes.txt --tables table.tsv --file-list list.txt"
    line += " --info k400.info --skipped skipped.tsv"
    run(monkeypatch, account, " ".join([line, *options]))
    lines = Path("list.txt").read_text(encoding="utf-8").splitlines()
    return lines, read_info(Path("k400.info")), read_skipped(Path("skipped.tsv"))


def run(monkeypatch, module, line):
    monkeypatch.setattr(sys, "argv", [module.__name__, *line.split()])
    module.main()


@pytest.fixture(autouse=True)
def in_a_fresh_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_golden_case_is_used():
    assert sorted(CASES) == sorted([*SAME, *OTHERWISE, *REFUSED])


@pytest.mark.parametrize("name", SAME)
def test_the_list_is_mmaction2s(name, tmp_path, monkeypatch):
    lay_out(CASES[name], tmp_path)
    lines, info, skipped = make_lists(CASES[name], monkeypatch)
    assert lines == CASES[name]["lines"]
    assert skipped == []
    assert [f"{v.name} {v.label}" for v in info] == [
        f"{line.split()[0]} {line.split()[2]}" for line in lines
    ]
    assert [v.index for v in info] == list(range(len(lines)))


@pytest.mark.parametrize("name", OTHERWISE)
def test_where_the_list_is_meant_to_differ(name, tmp_path, monkeypatch):
    lay_out(CASES[name], tmp_path)
    lines, info, skipped = make_lists(CASES[name], monkeypatch)
    assert (lines, [video for video, _, _ in skipped]) == OTHERWISE[name]
    assert len(info) == len(lines)


@pytest.mark.parametrize("name", REFUSED)
def test_where_it_ends_with_one_line(name, tmp_path, monkeypatch):
    lay_out(CASES[name], tmp_path)
    with pytest.raises(UserError, match=REFUSED[name]) as fault:
        make_lists(CASES[name], monkeypatch)
    assert "\n" not in str(fault.value)
    assert not (tmp_path / "list.txt").exists() and not (tmp_path / "k400.info").exists()


def test_a_bad_video_can_be_made_to_end_the_run(tmp_path, monkeypatch):
    case = CASES["duplicates_and_missing"]
    lay_out(case, tmp_path)
    with pytest.raises(UserError, match="2 of 4 listed videos cannot be scored, the first is"):
        make_lists(case, monkeypatch, "--on-bad-video", "fail")
    assert not (tmp_path / "list.txt").exists()


# ---- account ----


def listed(*videos):
    return [ListedVideo(video, f"val/{video}.mp4", label) for video, label in videos]


def account_of(videos, decoded, classes=("run", "swim")):
    return account.account(videos, {video.name: video for video in decoded}, list(classes))


def test_scored_and_skipped_add_up():
    videos = listed(
        ("a", "swim"), ("b", "fly"), ("c", "run"), ("d", "run"), ("a", "swim"), ("e", "run")
    )
    decoded = [
        Decoded("a", 300, ""),
        Decoded("b", 300, ""),
        Decoded("c", 0, "missing file"),
        Decoded("d", 9, ""),
        Decoded("e", 0, "no video stream"),
    ]
    scored, skipped = account_of(videos, decoded)
    assert scored == [ScoredVideo(0, "a", 1), ScoredVideo(1, "d", 0)]
    assert [(video.name, video.label, reason) for video, reason in skipped] == [
        ("b", "fly", account.UNKNOWN_LABEL),
        ("c", "run", "missing file"),
        ("a", "swim", "duplicate row"),
        ("e", "run", "no video stream"),
    ]


@pytest.mark.parametrize("other", ["run", "fly", ""])
def test_rows_with_several_labels_are_all_skipped(other):
    """Whichever comes first, and be one of them unknown or none: no row tells which is right."""
    rows = [("a", "swim"), ("b", "run"), ("a", other), ("a", "swim")]
    decoded = [Decoded("a", 300, ""), Decoded("b", 300, "")]
    for videos in (listed(*rows), listed(*rows[::-1])):
        scored, skipped = account_of(videos, decoded)
        assert scored == [ScoredVideo(0, "b", 0)]
        assert [(video.name, reason) for video, reason in skipped] == [("a", account.CONFLICT)] * 3


def test_a_decoded_video_that_is_not_listed_is_an_error():
    """The list and its digest may be of an earlier dataset."""
    with pytest.raises(UserError, match=r"^b was decoded, but is not listed; delete results/vid"):
        account_of(listed(("a", "run")), [Decoded("a", 300, ""), Decoded("b", 0, "missing file")])


def test_a_video_without_a_label_is_scored_unlabelled():
    scored, skipped = account_of(
        listed(("a", ""), ("b", "run")), [Decoded("a", 9, ""), Decoded("b", 1, "")]
    )
    assert [video.label for video in scored] == [NO_LABEL, 0] and skipped == []


def test_a_row_that_no_shard_looked_at_is_an_error():
    with pytest.raises(UserError, match=r"val/b\.mp4 was added to the list after"):
        account_of(listed(("a", "run"), ("b", "run")), [Decoded("a", 300, "")])


def test_nothing_to_score_is_an_error_that_names_the_first_reason():
    with pytest.raises(UserError, match=r"none of the 1 .*, val/a\.mp4: missing file; check"):
        account_of(listed(("a", "run")), [Decoded("a", 0, "missing file")])
