"""Every reader of text on texts that nobody thought of: it reads them, or raises UserError.

And what our writers write comes back as it was. The examples are the same at every run;
HYPOTHESIS_PROFILE=new takes other ones, and more of them.
"""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from recipes import GUIDE

from tsf.ascend.npu_smi import Chip, normalise, parse_board, parse_info
from tsf.data import kinetics
from tsf.data.annotation_file import NO_LABEL, Row, read_annotation_file
from tsf.data.archive_index import read_index
from tsf.data.archives import scan
from tsf.data.bins import read_bin, write_bin
from tsf.data.classes import class_names, read_classes, write_classes
from tsf.data.decoded import Decoded, read_decoded, write_decoded
from tsf.data.k400_info import ScoredVideo, read_info, read_skipped, write_info, write_skipped
from tsf.data.listing import ListedVideo, read_list, write_list
from tsf.data.tables import read_lines, read_table, write_lines, write_table
from tsf.digests import read_digests, write_digests
from tsf.errors import UserError
from tsf.inference.results import read_logits, write_logits
from tsf.recipe import record
from tsf.recipe.literal import read_config
from tsf.recipe.record import ClipRecipe, Recipe, Sampling, read_part, to_json

settings.register_profile("same", derandomize=True, database=None, deadline=None, max_examples=60)
settings.register_profile("new", database=None, deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# any text that UTF-8 can hold: no halves of surrogate pairs
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
line = text.filter(lambda t: "\n" not in t)
field = line.filter(lambda t: "\t" not in t)
word = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
whole = st.integers(0, 2**40)


@contextmanager
def scratch(name="file"):
    """A path of a fresh folder; tmp_path would be the same for all examples of a test."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / name


# ---- what our writers write ----

ROUND_TRIPS = {
    "lines": (write_lines, read_lines, line),
    "classes": (write_classes, read_classes, line),
    "videos": (write_list, read_list, st.builds(ListedVideo, field, field, field)),
    "decoded": (write_decoded, read_decoded, st.builds(Decoded, field, whole, field)),
    "skipped": (write_skipped, read_skipped, st.tuples(field, field, field)),
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
@given(data=st.data())
def test_what_is_written_comes_back(name, data):
    write, read, items = ROUND_TRIPS[name]
    content = data.draw(st.lists(items))
    with scratch() as path:
        write(path, content)
        assert read(path) == content


@given(st.lists(st.tuples(text, text)))
def test_a_table_comes_back_or_is_not_written(rows):
    with scratch() as path:
        try:
            write_table(path, ("one", "two"), rows)
        except UserError:
            assert any(c in field for row in rows for field in row for c in "\t\n")
            assert not path.exists()
        else:
            assert read_table(path, ("one", "two")) == [list(row) for row in rows]


@given(st.lists(st.tuples(word, st.integers(-1, 10**6))))
def test_k400_info_comes_back(videos):
    scored = [ScoredVideo(index, name, label) for index, (name, label) in enumerate(videos)]
    with scratch() as path:
        write_info(path, scored)
        assert read_info(path) == scored


@given(st.lists(line, max_size=3))
@example(["0 x 1 "])
@example(["0 x ٣"])
@example(["0 x 1\r"])
def test_any_k400_info_is_read_as_it_is_written_or_refused(lines):
    with scratch() as path:
        write_lines(path, lines)
        try:
            videos = read_info(path)
        except UserError:
            return
        write_info(path, videos)
        assert read_lines(path) == lines


@given(st.dictionaries(line.filter(bool), st.from_regex("[0-9a-f]{32}", fullmatch=True)))
def test_digests_come_back(digests):
    with scratch() as path:
        write_digests(path, digests)
        assert read_digests(path) == digests


label = line.filter(lambda t: t.strip() and not any(c in t for c in "\t\r"))
seconds = st.integers(0, 10**6)


@given(st.lists(st.tuples(label, word, seconds, seconds, st.just("val")), min_size=1))
def test_a_kinetics_csv_comes_back(rows):
    with scratch("val.csv") as path:
        kinetics.write_annotations(path, rows)
        assert kinetics.read_annotations(path) == [
            kinetics.Row(f"{name}_{start:06d}_{end:06d}", label.replace('"', "").replace(" ", "_"))
            for label, name, start, end, _ in rows
        ]


@given(st.lists(st.tuples(word, st.integers(-1, 999)), min_size=1))
def test_a_list_of_videos_comes_back(rows):
    with scratch() as path:
        path.write_text("".join(f"{name}.mp4 {number}\n" for name, number in rows))
        assert read_annotation_file(path) == [
            Row(f"{name}.mp4", None, None if number == NO_LABEL else number)
            for name, number in rows
        ]


@given(st.lists(st.tuples(word, whole, st.integers(-1, 999)), min_size=1))
def test_a_list_of_raw_frames_comes_back(rows):
    with scratch() as path:
        path.write_text("".join(f"{name} {total} {number}\n" for name, total, number in rows))
        assert read_annotation_file(path) == [
            Row(name, total, None if number == NO_LABEL else number) for name, total, number in rows
        ]


finite = st.floats(-1e6, 1e6, width=32)


@given(arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=finite))
def test_logits_come_back_to_six_decimals(logits):
    with scratch() as path:
        write_logits(path, logits)
        read = read_logits(path, len(logits))
        assert read.shape == logits.shape
        assert np.abs(read - logits).max() <= 0.51e-6  # of `%f`, and of the reader's double


TINY = ClipRecipe(**vars(GUIDE) | {"sampling": Sampling("mmaction2-0.x", 2, 1, 1), "side": 4})


@given(arrays(np.uint8, TINY.bin_bytes("float32")), st.sampled_from(["float32", "uint8"]))
def test_bins_come_back_bit_by_bit(values, dtype):
    clip = values[: TINY.bin_bytes(dtype)].view(dtype).reshape(TINY.shape)
    with scratch("clip.bin") as path:
        write_bin(clip, path)
        assert read_bin(path, TINY, dtype).tobytes() == clip.tobytes()


numbers = st.integers(1, 1000)
real = st.floats(allow_nan=False, allow_infinity=False)
above_0 = st.floats(0, exclude_min=True, allow_infinity=False)
intervals = st.integers(0, 1000)
samplings = st.builds(Sampling, st.sampled_from(record.SAMPLERS), numbers, intervals, numbers)
clips = st.builds(
    ClipRecipe,
    samplings,
    *map(st.sampled_from, (record.SOURCES, record.PREPROCESSINGS)),
    numbers,
    st.sampled_from(tuple(record.CROPS)),
    numbers,
    st.tuples(real, real, real),
    st.tuples(above_0, above_0, above_0),
    st.sampled_from(record.CHANNELS),
)
recipes = st.builds(Recipe, clips, st.sampled_from(record.FUSIONS), numbers)


@given(recipes)
def test_a_recipe_and_its_parts_come_back(recipe):
    for part in (recipe, recipe.clip, recipe.clip.sampling):
        assert read_part(to_json(part), type(part)) == part
    # a step takes its part of the whole
    assert read_part(to_json(recipe), ClipRecipe) == recipe.clip
    assert read_part(to_json(recipe), Sampling) == recipe.clip.sampling


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | real | text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.integers() | text, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex("x[a-z_]{0,5}", fullmatch=True), plain, max_size=3))
def test_a_config_of_plain_values_is_read_as_python_reads_it(content):
    with scratch("config.py") as path:
        path.write_text("".join(f"{k} = {v!r}\n" for k, v in content.items()), encoding="utf-8")
        template = any(mark in path.read_text(encoding="utf-8") for mark in ("{{", "_base_"))
        if not template:
            assert read_config(path) == content


rows_of_chips = st.builds(
    Chip,
    npu=st.integers(0, 63),
    chip=st.integers(0, 1),
    name=st.sampled_from(["310P3", "910B4", "Ascend910"]),
    health=st.sampled_from(["OK", "Warning", "Alarm", "Critical", "UNKNOWN"]),
    device=st.integers(0, 63),
    memory_used=st.integers(0, 65536),
    memory_total=st.integers(0, 65536),
)


@given(st.lists(rows_of_chips))
def test_a_table_of_npu_smi_comes_back(chips):
    table = "".join(
        f"| {chip.npu:<7} {chip.name:<17} | {chip.health:<15} | NA           42   0 / 0 |\n"
        f"| {chip.chip:<7} {chip.device:<9} | 0000:01:00.0 "
        f"| 0            {chip.memory_used} / {chip.memory_total} |\n"
        "+------------------+\n"
        for chip in chips
    )
    assert parse_info(table) == chips


# ---- what somebody else wrote ----


def read_part_of(path):
    read_part(path.read_bytes().decode("utf-8", "replace"), ClipRecipe)


READERS = {
    "val.csv": kinetics.read_annotations,
    "list.txt": read_annotation_file,
    "index.tsv": lambda path: read_index(path, path.parent),
    "part_0.tar": scan,
    "classes.txt": lambda path: class_names("folder", path.parent, path),
    "config.json": lambda path: class_names("folder", path.parent, path),
    "train.csv": lambda path: class_names("folder", path.parent, path),
    "model.py": read_config,
    "0_0.txt": lambda path: read_logits(path, 1),
    "k400.info": read_info,
    "videos.tsv": read_list,
    "decoded.tsv": read_decoded,
    "recipe": read_part_of,
}
# what the formats are made of, so that some texts come near to one
PIECES = ["label,youtube_id,time_start,time_end\n", ",", "\n", "\t", " ", '"', "1", "-1", "a.mp4"]
PIECES += ["path\tarchive\toffset\tsize\n", "index.tsv"]
PIECES += ["x = ", "dict(", ")", "{", "}", "[", "]", ":", '"id2label"', "1e999", "nan", "\0", "\r"]
near = st.lists(st.sampled_from(PIECES) | text, max_size=12).map("".join).map(str.encode)


@pytest.mark.parametrize("name", READERS)
@given(content=near | st.binary(max_size=60))
@example(content=b"\xff")
@example(content=b"\xef\xbb\xbf")
@example(content=b"[" * 100_000)
@example(content=b"-" * 100_000 + b"1")
def test_any_file_is_read_or_refused_in_one_line(name, content):
    with scratch(name) as path:
        path.write_bytes(content)
        try:
            READERS[name](path)
        except UserError as error:
            assert len(str(error).split("\n")) == 1, error


@given(text)
def test_any_answer_of_npu_smi_is_read(answer):
    assert isinstance(parse_info(answer), list)
    assert parse_board(answer).startswith("Ascend")
    assert not any(c.isspace() for c in normalise(answer))
