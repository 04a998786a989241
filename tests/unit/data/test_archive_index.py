"""The index of byte ranges: what it says is read, what cannot be is refused with its line."""

import datasets
import pytest
import runs
from recipes import GUIDE

from tsf.data.archive_index import read_index
from tsf.data.archives import members
from tsf.data.listing import Dataset, list_videos
from tsf.errors import UserError
from tsf.recipe.record import to_json

HEADER = "path\tarchive\toffset\tsize\n"


@pytest.fixture
def root(tmp_path):
    """A dataset with an archive of 1000 bytes that is no tar."""
    (tmp_path / "part_0.bin").write_bytes(b"x" * 1000)
    return tmp_path


def read(root, text):
    (root / "index.tsv").write_text(text, encoding="utf-8")
    return read_index(root / "index.tsv", root)


def test_columns_in_any_order_and_an_absolute_archive(root):
    text = (
        f"size\tarchive\toffset\tpath\r\n10\tpart_0.bin\t5\tval/a.mp4\r\n\r\n7\t{root}/part_0.bin"
    )
    first, second = read(root, text + "\t993\tb.mp4\r\n")
    assert (first.path, first.archive, first.offset, first.size) == (
        "val/a.mp4",
        "part_0.bin",
        5,
        10,
    )
    assert (second.name, second.offset + second.size) == ("b.mp4", 1000)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1: expected the columns path, archive, offset, size"),
        ("path\tarchive\toffset\n", "line 1: expected the columns"),
        (HEADER.replace("size", "size\tcrc"), "line 1: expected the columns"),
        (HEADER.replace("\t", ","), "line 1: expected the columns"),
        (HEADER, "names no file"),
        (HEADER + "a.mp4\tpart_0.bin\t5\n", "line 2: 3 columns, expected 4"),
        (HEADER + "a.mp4\tpart_0.bin\t-5\t3\n", "line 2: offset '-5' is no whole number"),
        (HEADER + "a.mp4\tpart_0.bin\t5\t1e3\n", "line 2: size '1e3' is no whole number"),
        (HEADER + "a.mp4\tpart_1.bin\t5\t3\n", "line 2: no archive 'part_1.bin' in "),
        (HEADER + "a.mp4\t\t5\t3\n", "line 2: no archive '' in "),
        (
            HEADER + "a.mp4\tpart_0.bin\t5\t996\n",
            "line 2: ends at byte 1001, but .*part_0.bin has 1000",
        ),
        (
            HEADER + "a\tpart_0.bin\t5\t6\nb\t./part_0.bin\t5\t5\n",
            "lines [23] and [23]: their ranges in .*part_0.bin overlap",
        ),
        (HEADER + "a\tpart_0.bin\t5\t60", "line 2: no line break at its end"),
        (HEADER + f"a\t{'x' * 300}\t5\t6\n", "line 2: no archive 'xxx"),
        (
            HEADER + "a\tpart_0.bin\t5\t6\nb\tpart_0.bin\t0\t2\nc\tpart_0.bin\t10\t6\n",
            "lines 2 and 4: their ranges in .*part_0.bin overlap",
        ),
        (
            HEADER.replace("size", "size\tarchive_size") + "a\tpart_0.bin\t5\t6\t999\n",
            "line 2: .*part_0.bin has 1000 bytes, not 999: .*make the index anew",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(root, text, fault):
    with pytest.raises(UserError, match=rf"index\.tsv.*{fault}") as error:
        read(root, text)
    assert "\n" not in str(error.value)


def test_no_index_and_no_text_are_refused(root):
    with pytest.raises(UserError, match=r"no such index; check dataset\.index"):
        read_index(root / "none.tsv", root)
    (root / "index.tsv").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not a UTF-8 text file"):
        read_index(root / "index.tsv", root)


def test_ranges_side_by_side_empty_and_of_two_names(root):
    ranges = [("a", 0, 500), ("b", 500, 500), ("c", 250, 0), ("d", 500, 500)]
    rows = "".join(f"{name}\tpart_0.bin\t{offset}\t{size}\n" for name, offset, size in ranges)
    assert [(m.path, m.offset, m.size) for m in read(root, HEADER + rows)] == ranges


def test_the_index_of_archives_gives_the_bins_of_their_files(streams, tmp_path):
    """Written by the command, and read by a step: the .bin files are those of the files."""
    rows = [(number, "yoga") for number in range(5)]
    root = datasets.kinetics(tmp_path / "k400", rows, ["yoga"])
    names = ["single", "wraps", "truncated", "zero_bytes"]
    for number, name in enumerate(names):
        datasets.link(streams[name], datasets.video(root, number))
    (root / "val/link.mp4").symlink_to("nowhere")
    files = [datasets.video(root, number) for number in range(4)]
    datasets.pack(root / "part_0.tar", {f"a/b/{file.name}": file for file in files[:2]})
    left_out = {"link.mp4": root / "val/link.mp4"}
    datasets.pack(root / "val/part_1.tar", {file.name: file for file in files[2:]} | left_out)

    written = runs.module("data.archive_index", "--root", root, "--output", tmp_path / "index.tsv")
    assert written.returncode == 0, written.stderr
    assert written.stdout == (
        "left out: val/part_1.tar/link.mp4: a symbolic link in an archive, to nowhere\n"
    )
    index = read_index(tmp_path / "index.tsv", root)
    assert index == [member for member in members(root) if not member.fault]
    ranges, headers = (
        list_videos(Dataset("tar", root, index=i)) for i in (tmp_path / "index.tsv", None)
    )
    assert ranges == headers and ranges[4].fault == "missing file"

    outputs = {}
    for layout, *options in (("kinetics",), ("tar",), ("tar", "--index", tmp_path / "index.tsv")):
        out = tmp_path / f"{layout}{len(options)}"
        done = runs.module(
            *("data.preprocess", "--layout", layout, "--root", root, *options),
            *("--recipe", to_json(GUIDE), "--dtype", "uint8"),
            *("--table", out / "table.tsv", "--output", out / "bins"),
        )
        assert done.returncode == 0, done.stderr
        files = sorted(path for path in out.rglob("*") if path.is_file())
        outputs[out.name] = {path.relative_to(out): path.read_bytes() for path in files}
    assert outputs["kinetics0"] == outputs["tar0"] == outputs["tar2"]
    assert len(outputs["tar0"]) == 2 + 2 * 3  # the table, three videos, their digests
