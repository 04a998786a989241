"""The workflow's own lists and tables of videos: text, a row a line, beside it its digest.

The only writer and the only reader of each of them. A line ends with "\\n" and with nothing else:
str.splitlines() and the text mode of open() also know other ends, which a class's name may hold.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tsf.digests import read_unchanged, write_with_digest
from tsf.errors import UserError


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """A line each. Raises UserError for one that is several."""
    text = []
    for line in lines:
        if "\n" in line:
            raise UserError(f"{path}: {line!r} holds a line break; rename what it names")
        text.append(f"{line}\n")
    write_with_digest(path, "".join(text).encode())


def read_lines(path: Path) -> list[str]:
    """What `write_lines` wrote. Raises UserError for a file that has changed since."""
    return read_unchanged(path).decode().split("\n")[:-1]


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Tab-separated, the columns' names first. Raises UserError for a field with a tab."""
    lines = ["\t".join(columns)]
    for row in rows:
        if any("\t" in field for field in row):
            raise UserError(f"{path}: a tab in {list(row)}; rename what it names")
        lines.append("\t".join(row))
    write_lines(path, lines)


def read_table(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """The rows that `write_table` wrote. Raises UserError."""
    header, *rows = [line.split("\t") for line in read_lines(path)] or [[]]
    if header != list(columns):
        raise UserError(
            f"{path}: its columns are not {', '.join(columns)}; delete it and run again"
        )
    return rows
