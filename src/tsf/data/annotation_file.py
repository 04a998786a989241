"""mmaction2's annotation files: lists of videos, and of folders of raw frames.

A line is PATH LABEL, as VideoDataset reads it, or FOLDER FRAMES LABEL, as RawframeDataset does.
Unlike there the label of a video may be left out, and a path may hold blanks: what counts are the
whole numbers at the end of the line.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tsf.errors import UserError

WHOLE_NUMBER = re.compile(r"-?\d+")
SUFFIX = re.compile(r"\.\w*[A-Za-z]\w*")  # of a video's file
NO_LABEL = -1  # as in mmaction2's lists of a test split
FORMS = {False: "PATH LABEL", True: "FOLDER FRAMES LABEL"}  # by whether it lists raw frames
EITHER = " or ".join(FORMS.values())


@dataclass(frozen=True)
class Row:
    """One line: a video, or a folder of raw frames."""

    path: str  # as it is written
    frames: int | None  # in the folder; None for a video
    label: int | None  # the index of its class; None if it has none


def read_annotation_file(path: Path) -> list[Row]:
    """Every line but empty ones, all of one form. Raises UserError with file and line."""
    if path.suffix == ".json":
        raise UserError(f"{path}: a list in JSON is not implemented, only {EITHER}")
    if not path.is_file():
        raise UserError(f"{path}: no such annotation file; check dataset.list in the config")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a UTF-8 text file ({error})") from None
    rows: list[Row] = []
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = _row(line.strip(), f"{path}, line {number}")
        first = first or number
        if rows and (row.frames is None) != (rows[0].frames is None):
            raise UserError(
                f"{path}, line {number}: expected {FORMS[rows[0].frames is not None]} as in line "
                f"{first}, found {line.strip()!r}"
            )
        rows.append(row)
    if not rows:
        raise UserError(f"{path}: lists no video")
    return rows


def _row(line: str, where: str) -> Row:
    fields = line.split()
    numbers = 0  # at the end of the line, behind the path
    while numbers < len(fields) - 1 and WHOLE_NUMBER.fullmatch(fields[-1 - numbers]):
        numbers += 1
    if numbers > 2:
        raise UserError(
            f"{where}: {numbers} numbers in {line!r}: several labels (multi_class) and an offset "
            f"(with_offset) are not implemented, only {EITHER}"
        )
    path, *behind = line.rsplit(maxsplit=numbers) if numbers else [line]
    if any(character in path for character in "\t\r\0"):
        raise UserError(f"{where}: a tab, a carriage return or a zero byte within {path!r}")
    if not behind and len(fields) > 1 and not SUFFIX.fullmatch(Path(path).suffix):
        raise UserError(f"{where}: expected {EITHER}, found {line!r}")
    frames = int(behind[0]) if numbers == 2 else None
    label = int(behind[-1]) if behind else NO_LABEL
    if frames is not None and frames < 0:
        raise UserError(f"{where}: {frames} frames in {line!r}")
    if label < NO_LABEL:
        raise UserError(f"{where}: label {label} in {line!r}; a video without a label has -1")
    return Row(path, frames, None if label == NO_LABEL else label)
