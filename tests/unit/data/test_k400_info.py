"""k400.info and skipped.tsv come back as they were written."""

import pytest

from tsf.data.k400_info import (
    NO_LABEL,
    ScoredVideo,
    read_info,
    read_skipped,
    write_info,
    write_skipped,
)
from tsf.data.tables import write_lines
from tsf.errors import UserError


def test_k400_info_has_the_index_first_and_the_label_last(tmp_path):
    videos = [
        ScoredVideo(0, "a_000000_000010", 7),
        ScoredVideo(1, "b_000000_000010", 0),
        ScoredVideo(2, "c_000000_000010", NO_LABEL),
    ]
    write_info(tmp_path / "k400.info", videos)
    text = (tmp_path / "k400.info").read_text()
    assert text == "0 a_000000_000010 7\n1 b_000000_000010 0\n2 c_000000_000010 -1\n"
    assert read_info(tmp_path / "k400.info") == videos


@pytest.mark.parametrize(
    "text, line",
    [
        ("1 a 7\n", 1),
        ("0 a 7\n2 b 0\n", 2),
        ("0 a\n", 1),
        ("0 a seven\n", 1),
        ("0 a -2\n", 1),
        ("0 a 7\n\n", 2),
        ("0 a 7 8\n", 1),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path, text, line):
    path = tmp_path / "k400.info"
    write_lines(path, text.split("\n")[:-1])
    with pytest.raises(UserError) as fault:
        read_info(path)
    assert str(fault.value).startswith(f"{path}, line {line}: expected '{line - 1} VIDEO LABEL'")


def test_skipped_videos_come_back(tmp_path):
    rows = [("a", "yoga", "missing file"), ("b", "", "undecodable: Invalid data")]
    write_skipped(tmp_path / "skipped.tsv", rows)
    assert read_skipped(tmp_path / "skipped.tsv") == rows
    assert (tmp_path / "skipped.tsv").read_text().startswith("video\tlabel\treason\n")
