"""Digests of files, written beside them and checked where they are read.

A file that was cut off, zeroed or edited between two steps would give another result in silence.
XXH3 reads 14.5 MB, a .bin file, in 0.2 ms; zlib.crc32 takes 3.4 ms and SHA-256 8 ms. It guards
against accidents, not against somebody who means to deceive.

A file of digests has the form of the program xxhsum, `xxhsum -c k400.info.xxh128` checks it too.
"""

from collections.abc import Mapping
from pathlib import Path

import xxhash

from tsf.errors import UserError
from tsf.files import whole_file, write_text

SUFFIX = ".xxh128"
Data = bytes | memoryview  # contiguous


def digest(data: Data) -> str:
    """The XXH3 of 128 bits as 32 hexadecimal digits."""
    return xxhash.xxh3_128_hexdigest(data)


def write_digests(path: Path, digests: Mapping[str, str]) -> None:
    """digests: by the file's name in the folder of `path`."""
    write_text(path, "".join(f"{value}  {name}\n" for name, value in digests.items()))


def read_digests(path: Path) -> dict[str, str]:
    """What `write_digests` wrote; a digest that was cut off is no file's. Empty: no such file."""
    if not path.is_file():
        return {}
    # not read_text(), to which a carriage return in a name is a line break
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")[:-1]
    return {name: value for value, _, name in (line.partition("  ") for line in lines)}


def digest_path(path: Path) -> Path:
    """The file of the digest of `path` alone, beside it."""
    return path.with_name(path.name + SUFFIX)


def write_with_digest(path: Path, data: Data) -> None:
    """The whole file or none, and its digest beside it."""
    with whole_file(path) as part:
        part.write_bytes(data)
    write_digests(digest_path(path), {path.name: digest(data)})


def read_unchanged(path: Path) -> bytes:
    """What `write_with_digest` wrote. Raises UserError for a file that has changed since."""
    data = path.read_bytes()
    refuse_changed(path, data)
    return data


def refuse_changed(path: Path, data: Data, made_with: Path | None = None) -> None:
    """Raises UserError if `path`, which holds `data`, has another digest than when it was written.

    made_with: the file or folder that is made anew with it, if not `path` alone.
    """
    refuse_other_digest(path, data, read_digests(digest_path(path)), made_with or path)


def refuse_other_digest(
    path: Path, data: Data, digests: Mapping[str, str], made_with: Path
) -> None:
    """`refuse_changed` for a file whose digest is among `digests`."""
    if digests.get(path.name) != digest(data):
        raise UserError(
            f"{path}: not as it was written, but cut short or changed since (by its digest); "
            f"delete {made_with} and run again"
        )
