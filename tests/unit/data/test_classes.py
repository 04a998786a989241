"""The classes in their order, from a csv or a label map, and the labels that are none."""

from pathlib import Path

import pytest

from tsf.data.classes import class_names
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
    assert class_names("folder", tmp_path, by_csv) == expected
    assert class_names("folder", tmp_path, by_text) == expected


def test_the_kinetics_layout_has_its_own_classes(tmp_path):
    (tmp_path / "annotations").mkdir()
    class_file(tmp_path, "annotations/train.csv", HEADER + "yoga,a,0,10,train\n")
    assert class_names("kinetics", tmp_path, None) == ["yoga"]
    assert class_names("folder", tmp_path, None) == []


def test_a_class_named_twice_or_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="names the class yoga twice"):
        class_names("folder", tmp_path, class_file(tmp_path, "m.txt", "yoga\nyoga\n"))
    with pytest.raises(UserError, match=r"n\.txt: no such file"):
        class_names("folder", tmp_path, tmp_path / "n.txt")
