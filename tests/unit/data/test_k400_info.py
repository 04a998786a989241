import pytest
from tsf.data.tables import Decoded, Scored

from tsf.data import tables
from tsf.errors import UserError


def test_shard_tables_come_back(tmp_path):
    videos = [Decoded("a_000000_000010", 300, ""), Decoded("b_000000_000010", 0, "missing file")]
    tables.write_shard(tmp_path / "000.tsv", videos)
    assert tables.read_shard(tmp_path / "000.tsv") == videos


def test_an_empty_shard_comes_back(tmp_path):
    tables.write_shard(tmp_path / "000.tsv", [])
    assert tables.read_shard(tmp_path / "000.tsv") == []


def test_k400_info_has_the_index_first_and_the_label_last(tmp_path):
    videos = [
        ScoredVideo(0, "a_000000_000010", 7),
        ScoredVideo(1, "b_000000_000010", 0),
        ScoredVideo(2, "c_000000_000010", tables.NO_LABEL),
    ]
    tables.write_info(tmp_path / "k400.info", videos)
    text = (tmp_path / "k400.info").read_text()
    assert text == "0 a_000000_000010 7\n1 b_000000_000010 0\n2 c_000000_000010 -1\n"
    assert tables.read_info(tmp_path / "k400.info") == videos


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
    path.write_text(text)
    with pytest.raises(UserError) as fault:
        tables.read_info(path)
    assert str(fault.value).startswith(f"{path}, line {line}: expected '{line - 1} VIDEO LABEL'")


def test_skipped_videos_come_back(tmp_path):
    rows = [("a", "yoga", "missing file"), ("b", "", "undecodable: Invalid data")]
    tables.write_skipped(tmp_path / "skipped.tsv", rows)
    assert tables.read_skipped(tmp_path / "skipped.tsv") == rows
    assert (tmp_path / "skipped.tsv").read_text().startswith("video\tlabel\treason\n")
