"""Annotation files: names, labels, classes, and one line for each fault."""

import pytest

from tsf.data import kinetics
from tsf.data.kinetics import Row
from tsf.errors import UserError

HEADER = "label,youtube_id,time_start,time_end,split\n"


def write(path, text):
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


def rows(tmp_path, text):
    return kinetics.read_annotations(write(tmp_path / "val.csv", HEADER + text))


@pytest.mark.parametrize(
    "label, key",
    [
        ("playing guitar", "playing_guitar"),
        ('"air drumming"', "air_drumming"),
        ("Tai chi", "Tai_chi"),  # no lower-casing
        ("baking  cookies", "baking__cookies"),
        ("massaging person's head", "massaging_person's_head"),
        ("tying knot (not on a tie)", "tying_knot_(not_on_a_tie)"),
    ],
)
def test_label_key(label, key):
    assert kinetics.label_key(label) == key


def test_names_are_cut_to_seconds_and_padded(tmp_path):
    found = rows(
        tmp_path, "yoga,a-b_c,1.9,11.9,val\nyoga,two,1e2,1.1e2,val\nyoga,six,1234567,1234577,val\n"
    )
    assert [row.name for row in found] == [
        "a-b_c_000001_000011",
        "two_000100_000110",
        "six_1234567_1234577",
    ]


def test_quoted_fields_byte_order_mark_windows_line_ends_and_further_columns(tmp_path):
    text = '\ufeff"label","youtube_id","time_start","time_end","split","is_cc"\r\n'
    text += '"rock, paper, scissors",a,0,10,val,1\r\n"playing ""air"" guitar",b,0,10,val,0\r\n'
    assert kinetics.read_annotations(write(tmp_path / "val.csv", text)) == [
        Row("a_000000_000010", "rock,_paper,_scissors"),
        Row("b_000000_000010", "playing_air_guitar"),
    ]


@pytest.mark.parametrize(
    "text, line, reason",
    [
        ("", 1, "expected the header"),
        ("yoga,a,0,10,val\n", 1, "expected the header"),
        ("youtube_id,label,time_start,time_end\n", 1, "expected the header"),
        (HEADER + "yoga,a,0,10,val\nyoga,b,0\n", 3, "expected 'label,youtube_id"),
        (HEADER + "yoga,a,,10,val\n", 2, "time_start and time_end must be seconds"),
        (HEADER + "yoga,a,0,ten,val\n", 2, "time_start and time_end must be seconds"),
        (HEADER + "yoga,a,nan,10,val\n", 2, "time_start and time_end must be seconds"),
        (HEADER + "yoga,a,0,inf,val\n", 2, "time_start and time_end must be seconds"),
        (HEADER + "yoga,../../etc/x,0,10,val\n", 2, "is not a YouTube id"),
        (HEADER + "yoga,a b,0,10,val\n", 2, "is not a YouTube id"),
        (HEADER + ",a,0,10,val\n", 2, "label is empty"),
        (HEADER + "   ,a,0,10,val\n", 2, "label is empty"),
        # a field that spans lines: the line named is where the row ends
        (HEADER + 'yoga,a,0,10,"va\nl"\nyoga,b,x,10,val\n', 4, "must be seconds"),
        (HEADER + '"yo\nga",a,0,10,val\n', 3, "a tab or a line break in the label 'yo\\nga'"),
        (HEADER + "yo\tga,a,0,10,val\n", 2, "a tab or a line break in the label 'yo\\tga'"),
    ],
)
def test_a_malformed_csv_is_refused_with_file_and_line(tmp_path, text, line, reason):
    path = write(tmp_path / "val.csv", text)
    with pytest.raises(UserError) as fault:
        kinetics.read_annotations(path)
    message = str(fault.value)
    assert message.startswith(f"{path}, line {line}: ") and reason in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "content, reason",
    [
        (HEADER.encode() + b"yog\xe9,a,0,10,val\n", "not a UTF-8 csv file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a UTF-8 csv file"),
        (HEADER.encode(), "lists no video"),
        (HEADER.encode() + b"\n\n", "lists no video"),
    ],
)
def test_a_file_that_is_no_list_of_videos_is_refused(tmp_path, content, reason):
    path = write(tmp_path / "val.csv", content)
    with pytest.raises(UserError, match=reason) as fault:
        kinetics.read_annotations(path)
    assert str(fault.value).startswith(str(path))


def test_a_missing_csv_is_named(tmp_path):
    with pytest.raises(UserError, match=r"val\.csv: no such annotation file"):
        kinetics.read_annotations(tmp_path / "val.csv")


def test_classes_are_the_sorted_keys_of_the_train_csv(tmp_path):
    text = "zumba,a,0,10,train\nTai chi,b,0,10,train\nzumba,c,0,10,train\nyoga,d,0,10,train\n"
    # capitals sort before small letters
    path = write(tmp_path / "train.csv", HEADER + text)
    assert kinetics.class_names(path) == ["Tai_chi", "yoga", "zumba"]


def test_a_blank_at_the_end_of_a_label_counts_as_in_mmaction2(tmp_path):
    assert rows(tmp_path, "yoga ,a,0,10,val\n") == [Row("a_000000_000010", "yoga_")]
