"""k400.info, the scored videos, and skipped.tsv, the others: together every listed video."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tsf.data.tables import read_lines, read_table, write_lines, write_table
from tsf.errors import UserError

SKIPPED_COLUMNS = ("video", "label", "reason")
NO_LABEL = -1  # as in mmaction2's list of the unlabelled test split


@dataclass(frozen=True)
class ScoredVideo:
    """One line of k400.info: a video that gets a score."""

    index: int  # 0 .. n - 1, the name of its result file
    name: str
    label: int  # the index of its class, or NO_LABEL


def write_info(path: Path, videos: Iterable[ScoredVideo]) -> None:
    """k400.info as the guide's post-processing reads it: first column index, last column label."""
    write_lines(path, (f"{v.index} {v.name} {v.label}" for v in videos))


def read_info(path: Path) -> list[ScoredVideo]:
    """Raises UserError for a file that has changed, with the line for one of another form."""
    videos = []
    for index, line in enumerate(read_lines(path)):
        fields = line.split(" ")
        if len(fields) != 3 or fields[0] != str(index) or not re.fullmatch(r"[0-9]+|-1", fields[2]):
            raise UserError(
                f"{path}, line {index + 1}: expected '{index} VIDEO LABEL', found {line!r}; delete "
                "the file and run again"
            )
        videos.append(ScoredVideo(index, fields[1], int(fields[2])))
    return videos


def write_skipped(path: Path, videos: Iterable[tuple[str, str, str]]) -> None:
    write_table(path, SKIPPED_COLUMNS, videos)


def read_skipped(path: Path) -> list[tuple[str, str, str]]:
    """(video, label, reason) of every listed video that is not scored. Raises UserError."""
    return [(video, label, reason) for video, label, reason in read_table(path, SKIPPED_COLUMNS)]
