"""The classes in their order, from a csv, a label map or Hugging Face's config.json."""

import json
from pathlib import Path

import pytest

from tsf.data.classes import class_names, read_classes, write_classes
from tsf.errors import UserError

HEADER = "label,youtube_id,time_start,time_end,split\n"


def class_file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_classes_of_a_csv_and_of_a_label_map_agree(tmp_path):
    train = HEADER + "zumba,a,0,10,train\nTai chi,b,0,10,train\nplaying guitar,c,0,10,train\n"
    by_csv = class_file(tmp_path, "train.csv", train)
    by_text = class_file(tmp_path, "label_map.txt", "Tai chi\nplaying guitar\nzumba\n\n")
    expected = ["Tai_chi", "playing_guitar", "zumba"]
    assert class_names("folder", tmp_path, by_csv, 3) == expected
    assert class_names("folder", tmp_path, by_text, 3) == expected
    labels = {"2": "zumba", "0": "Tai chi", "1": "playing guitar"}
    by_json = class_file(tmp_path, "config.json", json.dumps({"id2label": labels}))
    assert class_names("folder", tmp_path, by_json, 3) == expected


def test_the_kinetics_layout_has_its_own_classes(tmp_path):
    (tmp_path / "annotations").mkdir()
    class_file(tmp_path, "annotations/train.csv", HEADER + "yoga,a,0,10,train\n")
    assert class_names("kinetics", tmp_path, None, 1) == ["yoga"]
    assert class_names("folder", tmp_path, None, 7) == []


def test_a_class_named_twice_or_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="names the class yoga twice"):
        class_names("folder", tmp_path, class_file(tmp_path, "m.txt", "yoga\nyoga\n"), 2)
    with pytest.raises(UserError, match=r"n\.txt: no such file"):
        class_names("folder", tmp_path, tmp_path / "n.txt", 2)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = class_file(tmp_path, "m.txt", "\ufeffyoga\nzumba\n")
    assert class_names("folder", tmp_path, path, 2) == ["yoga", "zumba"]


def test_a_file_that_is_no_text_is_an_error(tmp_path):
    (tmp_path / "m.txt").write_bytes("é\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"m\.txt: not a UTF-8 text file"):
        class_names("folder", tmp_path, tmp_path / "m.txt", 1)


@pytest.mark.parametrize("name", ["", " ", "\\u2028", "a\\nb", "a\\tb", "a\\rb"])
def test_a_class_that_is_no_line_is_an_error(tmp_path, name):
    text = f'{{"id2label": {{"0": "{name}", "1": "zumba"}}}}'
    with pytest.raises(UserError, match="is no "):
        class_names("folder", tmp_path, class_file(tmp_path, "config.json", text), 2)


SEPARATORS = ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]  # but "\n", "\r"


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_separator_within_a_name_shifts_no_class(tmp_path, separator):
    """By each of the sources of names."""
    names = [f"a{separator}b", "yoga", "zumba"]
    path = class_file(tmp_path, "m.txt", "")
    path.write_bytes("".join(f"{name}\n" for name in names).encode())
    assert class_names("folder", tmp_path, path, 3) == names
    labels = json.dumps({"id2label": dict(enumerate(names))})
    assert class_names("folder", tmp_path, class_file(tmp_path, "config.json", labels), 3) == names
    rows = "".join(f'"{name}",id,0,10,train\n' for name in names)
    (tmp_path / "train.csv").write_bytes((HEADER + rows).encode())
    assert class_names("kinetics", tmp_path, tmp_path / "train.csv", 3) == names


def test_classes_are_read_as_they_were_written(tmp_path):
    names = ["yoga", "a\u3000b", "ß"]
    write_classes(tmp_path / "classes.txt", names)
    assert read_classes(tmp_path / "classes.txt") == names


@pytest.mark.parametrize(
    "name, text",
    [
        ("train.csv", HEADER + "yoga,a,0,10,train\nzumba,b,0,10,train\n"),
        ("m.txt", "yoga\nzumba\n"),
        ("config.json", '{"id2label": {"0": "yoga", "1": "zumba"}}'),
    ],
)
@pytest.mark.parametrize("number", [1, 3])
def test_names_that_are_not_as_many_as_the_models_classes_are_an_error(
    tmp_path, name, text, number
):
    message = rf"{name}: names 2 classes, but the model has {number}, .* set dataset.classes to"
    with pytest.raises(UserError, match=message):
        class_names("folder", tmp_path, class_file(tmp_path, name, text), number)


@pytest.mark.parametrize("content", [{}, {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}])
def test_a_config_json_that_names_no_class_is_an_error(tmp_path, content):
    path = class_file(tmp_path, "config.json", json.dumps(content))
    with pytest.raises(UserError, match="its id2label names no classes"):
        class_names("folder", tmp_path, path, 2)
