"""A shard's table comes back as it was written."""

from tsf.data.decoded import Decoded, read_decoded, write_decoded


def test_shard_tables_come_back(tmp_path):
    videos = [Decoded("a_000000_000010", 300, ""), Decoded("b_000000_000010", 0, "missing file")]
    write_decoded(tmp_path / "000.tsv", videos)
    assert read_decoded(tmp_path / "000.tsv") == videos


def test_an_empty_shard_comes_back(tmp_path):
    write_decoded(tmp_path / "000.tsv", [])
    assert read_decoded(tmp_path / "000.tsv") == []
