"""Files and folders that appear whole or not at all: written beside, then renamed."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tsf.errors import UserError, on_one_line


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
    write_text(path, json.dumps(content, indent=2) + "\n")


def read_json(path: Path, remedy: str = "delete it and run again") -> dict:
    """The content. Raises UserError for a file that was cut short, or holds no JSON object.

    remedy: what to do about such a file.
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
