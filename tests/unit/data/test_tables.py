"""The workflow's own lists and tables come back as they were written, or the run stops."""

import pytest

from tsf.data.classes import read_classes, write_classes
from tsf.data.decoded import Decoded, read_decoded, write_decoded
from tsf.data.k400_info import (
    ScoredVideo,
    read_info,
    read_skipped,
    write_info,
    write_skipped,
)
from tsf.data.listing import ListedVideo, read_list, write_list
from tsf.data.manifest import MANIFEST, read_manifest, write_manifest
from tsf.data.tables import read_lines, read_table, write_lines, write_table
from tsf.digests import digest_path
from tsf.errors import UserError

# all that str.splitlines() takes for the end of a line, but "\n"
SEPARATORS = ["\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
AWKWARD = ["plain", "", " ", '"quoted"', "\u89c6\u9891", "# no comment", "\ufeffmark"]
NAMES = [*AWKWARD, *(name for s in SEPARATORS for name in (f"a{s}b", f"{s}a", f"a{s}", s))]


# file name: writer, reader, what is written
FORMATS = {
    "classes.txt": (write_classes, read_classes, NAMES),
    "list.tsv": (write_list, read_list, [ListedVideo("v", f"p{n}", n) for n in NAMES]),
    "skipped.tsv": (write_skipped, read_skipped, [("v", name, f"r{name}") for name in NAMES]),
    "000.tsv": (write_decoded, read_decoded, [Decoded("v", 7, name) for name in NAMES]),
    "k400.info": (write_info, read_info, [ScoredVideo(n, f"v{n}", n - 1) for n in range(12)]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_line_separator_comes_back(tmp_path, name):
    write, read, content = FORMATS[name]
    write(tmp_path / name, content)
    assert read(tmp_path / name) == content
    write(tmp_path / name, [])
    assert read(tmp_path / name) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_at_any_byte_is_refused(tmp_path, name):
    write, read, content = FORMATS[name]
    path = tmp_path / name
    write(path, content)
    data = path.read_bytes()
    cut = [data[:size] for size in range(len(data))]
    for spoilt in [*cut, data + b"\n", b"\0" * len(data), data.replace(b"v", b"w", 1) + b"w"]:
        path.write_bytes(spoilt)
        with pytest.raises(UserError, match=f"delete {path} and run again") as fault:
            read(path)
        assert "\n" not in str(fault.value)
    path.write_bytes(data)
    for spoilt in ["", digest_path(path).read_text()[:31]]:
        digest_path(path).write_text(spoilt)
        with pytest.raises(UserError, match=f"delete {path} and run again"):
            read(path)
    digest_path(path).unlink()
    with pytest.raises(UserError, match=f"delete {path} and run again"):
        read(path)


def test_a_manifest_cut_off_is_refused_and_one_of_the_users_is_none(tmp_path):
    write_manifest(tmp_path, [ListedVideo("v", f"val/{name}", "") for name in NAMES])
    assert read_manifest(tmp_path) == {f"val/{name}": "missing" for name in NAMES}
    data = (tmp_path / MANIFEST).read_bytes()
    (tmp_path / MANIFEST).write_bytes(data[:-1])
    with pytest.raises(UserError, match="not as it was written"):
        read_manifest(tmp_path)
    digest_path(tmp_path / MANIFEST).unlink()
    assert read_manifest(tmp_path) == {}


@pytest.mark.parametrize("field", ["a\tb", "a\nb", "\n", "a\n"])
def test_what_a_format_cannot_hold_is_refused(tmp_path, field):
    with pytest.raises(UserError, match="rename what it names") as fault:
        write_table(tmp_path / "x.tsv", ("one", "two"), [("a", field)])
    assert "\n" not in str(fault.value)
    if "\n" in field:
        with pytest.raises(UserError, match="rename what it names"):
            write_lines(tmp_path / "x.txt", ["a", field])
    assert not list(tmp_path.iterdir())


def test_a_table_of_other_columns_is_refused(tmp_path):
    write_table(tmp_path / "x.tsv", ("one", "two"), [("a", "b")])
    for columns in (("one",), ("one", "three"), ("two", "one")):
        with pytest.raises(UserError, match="its columns are not"):
            read_table(tmp_path / "x.tsv", columns)
    write_lines(tmp_path / "x.tsv", [])
    with pytest.raises(UserError, match="its columns are not"):
        read_table(tmp_path / "x.tsv", ("one", "two"))


def test_the_digest_is_xxhsums(tmp_path):
    """Of the file `a\\nb\\n`: by `xxhsum -H128` of xxHash 0.8."""
    write_lines(tmp_path / "x.txt", ["a", "b"])
    text = (tmp_path / "x.txt.xxh128").read_text()
    assert text == "895ce4f567238372b6307d6feb690ac7  x.txt\n"
    assert read_lines(tmp_path / "x.txt") == ["a", "b"]
