"""Files and folders that appear whole or not at all: written beside, then renamed.

Our JSON files hold their own digest: a value that was edited between two steps would give another
result in silence, one that is missing a traceback.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tsf.errors import UserError, on_one_line

DIGEST = "digest"  # the last key of each of our JSON files
END = '"\n}\n'  # of such a file, behind its digest
# deleting one such file after the other would end each run at the next of them
AWAY = "move results/ away, as by `mv results results.old`, and run again"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; it takes the name `path` when the block succeeds.

    A failed write, as on a full disk, names the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # the suffix stays last: writers such as cv2 and ffmpeg choose the format by it
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path`; it replaces `path` when the block succeeds."""
    part = path.with_name(f".{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        shutil.rmtree(path, ignore_errors=True)
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def delete_parts(folder: Path) -> None:
    """Delete what killed processes have left in `folder` of a `whole_file` or `whole_folder`."""
    for part in folder.glob(".*.part*"):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()


def write_text(path: Path, text: str) -> None:
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, content: dict) -> None:
    """The content, and as its last key `digest`, the SHA-256 of all that stands before.

    Raises ValueError for a content that has that key itself.
    """
    if DIGEST in content:
        raise ValueError(f"{path}: the key {DIGEST!r} is the file's own")
    text = json.dumps({**content, DIGEST: ""}, indent=2)
    write_text(path, _with_digest(text.removesuffix('"\n}')))


def read_json(path: Path, remedy: str = "delete it and run again", older: str = AWAY) -> dict:
    """The content that `write_json` wrote. Raises UserError for a file that has changed since.

    So every value is as the step that wrote it made it; reading a key that is not there raises
    UserError too. remedy: what to do about a file that has changed. older: about one without a
    digest, as releases before digests wrote all of their files.
    """
    text = path.read_bytes().decode("utf-8", "replace")
    if text != _with_digest(text[: -len(END) - 64]):
        if _without_digest(text):
            raise UserError(f"{path}: it has no digest, so it is of an older release; {older}")
        raise UserError(
            f"{path}: not as it was written, but cut short or changed since (by its digest); "
            f"{remedy}"
        )
    content: dict = json.loads(text, object_pairs_hook=partial(_Object, path))
    del content[DIGEST]
    return content


class _Object(dict):
    """Of one of our JSON files, at any depth: a key that it lacks is no key of that file."""

    def __init__(self, path: Path, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._file = path  # templates look for an attribute before a key

    def __or__(self, other: dict) -> "_Object":
        return _Object(self._file, [*self.items(), *other.items()])

    def __missing__(self, key: object) -> NoReturn:
        raise UserError(
            f"{self._file}: there is no {key!r} in it, so it is another file than this step reads, "
            "or of another release: name the right one, or delete it and run again"
        )


def read_json_of(names: Iterable[str], paths: Sequence[Path]) -> dict[str, dict]:
    """The content of <name>.json, or <name>_summary.json, for each of the names.

    paths: in the order of the names. Raises UserError, also for other files than those.
    """
    names = list(names)
    found = [path.stem.removesuffix("_summary") for path in paths]
    if found != names:
        raise UserError(
            f"{', '.join(map(str, paths))}: given for {', '.join(names)}; give a file for each, in "
            "this order"
        )
    return {name: read_json(path) for name, path in zip(names, paths, strict=True)}


def _with_digest(head: str) -> str:
    """A whole file. head: its text up to the 64 hexadecimal digits of the digest."""
    return f"{head}{hashlib.sha256(head.encode()).hexdigest()}{END}"


def _without_digest(text: str) -> bool:
    """Whether it is a whole JSON object that has none."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and DIGEST not in content


def read_foreign_json(path: Path, remedy: str) -> dict:
    """The content of a file that another program wrote; the caller checks its keys and values.

    Raises UserError for a file that holds no JSON object. remedy: what to do about it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: cut short, or no JSON ({on_one_line(error)}); {remedy}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: no JSON object; {remedy}")
    return content


def sha256(path: Path) -> str:
    """The file's SHA-256 as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
