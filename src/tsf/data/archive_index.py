"""An index of the files in archives: a table of where the bytes of each lie.

    python -m tsf.data.archive_index --root DIR --output index.tsv

writes one of the tar archives in a dataset's folder. Another one, of archives that are no tar, may
be made in any way: tab-separated text, the columns' names first.
"""

import argparse
import os
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from tsf import errors
from tsf.data.archives import Member, escaped, members
from tsf.errors import UserError
from tsf.files import write_text

COLUMNS = ("path", "archive", "offset", "size")
ARCHIVE_SIZE = "archive_size"  # a column that may be there: the whole archive's, to know it again
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


def read_index(path: Path, root: Path) -> list[Member]:
    """The files that an index names. root: of the dataset, which the archives' paths begin in.

    Raises UserError with file and line for a malformed or unfinished line, an archive that is not
    there or has another size, a range that goes beyond its archive, and ranges that overlap. Equal
    ranges are one file with several names.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such index; check dataset.index in the config")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a UTF-8 text file ({error})") from None
    lines = [line.removesuffix("\r").split("\t") for line in text.split("\n")]
    columns = lines[0]
    if sorted(set(columns) - {ARCHIVE_SIZE}) != sorted(COLUMNS) or len(set(columns)) < len(columns):
        raise UserError(
            f"{path}, line 1: expected the columns {', '.join(COLUMNS)}, with tabs between them, "
            f"and maybe {ARCHIVE_SIZE}; found {', '.join(columns)!r}"
        )
    if not text.endswith("\n"):  # its last number, too, may lack digits
        raise UserError(
            f"{path}, line {len(lines)}: no line break at its end, so it may be cut short; make "
            "the index anew, or add the line break"
        )
    sizes: dict[str, int] = {}  # by archive
    found: list[tuple[Member, int]] = []  # and the line
    for number, fields in enumerate(lines[1:], 2):
        if fields == [""]:
            continue
        where = f"{path}, line {number}"
        if len(fields) != len(columns):
            raise UserError(f"{where}: {len(fields)} columns, expected {len(columns)}")
        row = dict(zip(columns, fields, strict=True))
        found.append((_member(row, where, root, sizes), number))
    if not found:
        raise UserError(f"{path}: names no file")
    _refuse_overlap(found, path, root)
    return [member for member, _ in found]


def _member(row: dict[str, str], where: str, root: Path, sizes: dict[str, int]) -> Member:
    for column in row.keys() - {"path", "archive"}:
        if not WHOLE_NUMBER.fullmatch(row[column]):
            raise UserError(f"{where}: {column} {row[column]!r} is no whole number of bytes")
    archive, offset, size = row["archive"], int(row["offset"]), int(row["size"])
    if archive not in sizes:
        if not os.path.isfile(root / archive):  # Path.is_file raises for a name that is too long
            raise UserError(f"{where}: no archive {archive!r} in {root}")
        sizes[archive] = os.path.getsize(root / archive)
    if int(row.get(ARCHIVE_SIZE, sizes[archive])) != sizes[archive]:
        raise UserError(
            f"{where}: {root / archive} has {sizes[archive]} bytes, not {row[ARCHIVE_SIZE]}: it is "
            "another one than the index was made of; make the index anew"
        )
    if offset + size > sizes[archive]:
        raise UserError(
            f"{where}: ends at byte {offset + size}, but {root / archive} has {sizes[archive]}"
        )
    return Member(escaped(row["path"]), archive, offset, size, "")


def _refuse_overlap(found: list[tuple[Member, int]], path: Path, root: Path) -> None:
    # an archive may be written in several ways, as a.tar and ./a.tar
    archives = {name: os.path.realpath(root / name) for name in {m.archive for m, _ in found}}
    by_place = sorted(
        (archives[member.archive], member.offset, member.size, number)
        for member, number in found
        if member.size
    )
    for before, after in pairwise(by_place):
        overlap = before[0] == after[0] and before[1] + before[2] > after[1]
        if overlap and before[1:3] != after[1:3]:
            raise UserError(
                f"{path}, lines {before[3]} and {after[3]}: their ranges in {after[0]} overlap"
            )


def write_index(path: Path, root: Path, found: Iterable[Member]) -> None:
    """found: with no fault. root: of the dataset."""
    lines = ["\t".join([*COLUMNS, ARCHIVE_SIZE])]
    for member in found:
        whole = os.path.getsize(root / member.archive)
        numbers = map(str, (member.offset, member.size, whole))
        lines.append("\t".join([member.path, member.archive, *numbers]))
    write_text(path, "".join(f"{line}\n" for line in lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--output", type=Path, required=True, help="tsv to write")
    args = parser.parse_args()

    found = members(args.root)
    for member in found:
        if member.fault:
            print(f"left out: {member.place}: {member.fault}")
    write_index(args.output, args.root, [member for member in found if not member.fault])


if __name__ == "__main__":
    errors.run(main)
