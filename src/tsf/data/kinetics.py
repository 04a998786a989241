"""The Kinetics annotation files: video names, labels and classes."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tsf.errors import UserError
from tsf.files import write_text

HEADER = ["label", "youtube_id", "time_start", "time_end", "split"]


@dataclass(frozen=True)
class Row:
    """One line of an annotation file."""

    name: str  # as `clip_name` makes it
    label: str  # the label's key, as `label_key` makes it


def label_key(label: str) -> str:
    """The class name in mmaction2's label maps (tools/data/parse_file_list.py, convert_label)."""
    return label.replace('"', "").replace(" ", "_")


def clip_name(youtube_id: str, start: int, end: int) -> str:
    """The name of a clip in every list, and of its file without ".mp4"; start, end: seconds."""
    return f"{youtube_id}_{start:06d}_{end:06d}"


def read_annotations(path: Path) -> list[Row]:
    """Read a Kinetics csv: label, youtube_id, time_start, time_end, split, by position.

    Raises UserError with file and line for a missing file, a wrong header or a malformed line.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such annotation file; check dataset.root in the config")
    rows = []
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            header = next(lines, [])
            if [name.strip() for name in header[:4]] != HEADER[:4]:
                raise UserError(
                    f"{path}, line 1: expected the header {','.join(HEADER)!r}, "
                    f"found {','.join(header)!r}"
                )
            for fields in lines:
                if fields:
                    rows.append(_row(fields, f"{path}, line {lines.line_num}"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a UTF-8 csv file ({error})") from None
    if not rows:
        raise UserError(f"{path}: lists no video")
    return rows


def _row(fields: list[str], where: str) -> Row:
    if len(fields) < 4:
        raise UserError(f"{where}: expected {','.join(HEADER)!r}, found {','.join(fields)!r}")
    label = fields[0]  # not stripped: mmaction2 keeps a blank at its end too
    youtube_id, start, end = (field.strip() for field in fields[1:4])
    try:
        name = clip_name(youtube_id, int(float(start)), int(float(end)))
    except (ValueError, OverflowError):
        raise UserError(
            f"{where}: time_start and time_end must be seconds, found {start!r} and {end!r}"
        ) from None
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UserError(f"{where}: {youtube_id!r} is not a YouTube id (letters, digits, - and _)")
    if not label.strip():
        raise UserError(f"{where}: the label is empty")
    if any(character in label for character in "\t\n\r"):
        raise UserError(f"{where}: a tab or a line break in the label {label!r}; rename the class")
    return Row(name, label_key(label))


def write_annotations(path: Path, rows: Iterable[tuple[str, str, int, int, str]]) -> None:
    """Write a Kinetics csv. rows: label, youtube_id, time_start, time_end, split."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def class_names(train_csv: Path) -> list[str]:
    """The classes in the order of their indices: the sorted label keys of the TRAIN csv.

    That is what mmaction2's parse_kinetics_splits does, and the line order of its
    label_map_k400.txt.
    """
    return sorted({row.label for row in read_annotations(train_csv)})
