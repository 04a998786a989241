"""Where the files in tar archives lie, by their headers alone: no content is read."""

import hashlib
import os
import posixpath
import re
import tarfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tsf.data.tables import read_table, write_table
from tsf.errors import UserError, on_one_line
from tsf.files import sha256

FOLDERS = ("", "val")  # below the dataset's root
COMPRESSED = re.compile(
    r"(.+)\.(?:tgz|tbz2?|txz|tzst|tar\.(?:gz|bz2|xz|zst|lz|lz4|lzma|lzo|z))", re.IGNORECASE
)
# a download that goes on: a part of the archive, or what aria2 has beside one
UNFINISHED = re.compile(
    r".+\.t(?:ar|gz|bz2?|xz|zst)\b.*\.(?:part|partial|aria2|crdownload)", re.IGNORECASE
)
GZIP = b"\x1f\x8b"  # the first bytes of such a file
# the zeros at the end: the mark, of two blocks, and what fills the last record of 20 blocks
MOST_ZEROS = 2 * tarfile.BLOCKSIZE + tarfile.RECORDSIZE
CACHE_COLUMNS = ("path", "offset", "size", "fault")
CODE = sha256(Path(__file__))[:16]  # another version may find another fault


@dataclass(frozen=True)
class Member:
    """A file in an archive."""

    path: str  # in the archive, its odd characters escaped
    archive: str  # relative to the dataset's root
    offset: int  # bytes
    size: int  # bytes
    fault: str  # why it is no range of the archive's bytes, or ""

    @property
    def name(self) -> str:
        return posixpath.basename(self.path)

    @property
    def place(self) -> str:
        return f"{self.archive}/{self.path}"


def find_archives(root: Path) -> list[str]:
    """Every *.tar in `root` and `root`/val, relative to `root`.

    Raises UserError for one whose download is not finished, and for a compressed one, in which
    nothing can be found without reading all that comes before.
    """
    found = []
    for folder in FOLDERS:
        names = sorted(os.listdir(root / folder)) if (root / folder).is_dir() else []
        for name in names:
            path = root / folder / name
            if UNFINISHED.fullmatch(name):
                raise UserError(
                    f"{path}: of a download that is not finished; finish it, or delete this file"
                )
            compressed = COMPRESSED.fullmatch(name)
            if compressed and f"{compressed[1]}.tar" not in names:
                raise UserError(
                    f"{path}: compressed, so that nothing in it can be found without reading it "
                    f"from the start; decompress it to {compressed[1]}.tar (as gunzip, bunzip2, "
                    "unxz and unzstd do), which need not be unpacked"
                )
            if name.lower().endswith(".tar"):
                if escaped(name) != name:
                    raise UserError(f"{path.parent}: an archive's name, {name!r}; rename it")
                if not path.is_file():
                    raise UserError(f"{path}: not a file; repair it or move it away")
                found.append(posixpath.join(folder, name))
    return found


def members(root: Path, cache: Path | None = None) -> list[Member]:
    """The files in every archive of the dataset. Raises UserError, if it has no archive too.

    cache: a folder, for what was found in each archive.
    """
    names = find_archives(root)
    if not names:
        raise UserError(
            f"{root}: no .tar archive there, nor in {root / 'val'}; check dataset.root in the "
            "config, or write layout: kinetics for videos that are unpacked"
        )
    return [
        replace(member, archive=name)
        for name in names
        for member in (scan(root / name) if cache is None else _by_cache(root / name, cache))
    ]


def scan(archive: Path) -> list[Member]:
    """The files in a tar archive, of the same path the last, as tar unpacks them.

    Raises UserError for a file that is no whole tar archive: what is behind the fault would be
    missing.
    """
    found: dict[str, Member] = {}
    try:
        with (
            open(archive, "rb") as file,
            tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as tar,
        ):
            for info in tar:
                if not info.isdir():
                    path = _normal(info.name)
                    found[path] = _member(info, path, found)
            end = file.seek(tar.offset)
            rest = file.read(MOST_ZEROS + 1)
    except OSError as error:
        if error.filename:  # it cannot be opened
            raise
        raise UserError(f"{archive}: {_no_archive(archive, error)}") from None
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise UserError(f"{archive}: {_no_archive(archive, error)}") from None
    size = archive.stat().st_size
    if not rest.startswith(bytes(tarfile.BLOCKSIZE)):
        raise UserError(
            f"{archive}: damaged or cut short at byte {end} of {size}, where the "
            "next header or the end mark should be; copy it again, or move it away: its videos are "
            "then skipped as missing"
        )
    if any(rest) or len(rest) > MOST_ZEROS:
        raise UserError(
            f"{archive}: goes on behind the end mark at byte {end} of {size}, with more than the "
            f"{MOST_ZEROS} zeros that tar writes at most: a download that is not complete, several "
            "joined with cat, or packed with tar -b; copy it again, take it apart, or pack it anew"
        )
    return list(found.values())


def _member(info: tarfile.TarInfo, path: str, found: dict[str, Member]) -> Member:
    if info.islnk():  # another name of a file in front of it
        target = found.get(_normal(info.linkname))
        if target:
            return replace(target, path=path)
        fault = f"a hard link to {escaped(info.linkname)}, which is not in front of it"
    elif info.issym():
        fault = f"a symbolic link in an archive, to {escaped(info.linkname)}"
    elif info.issparse():
        fault = "a sparse file in an archive; pack it without --sparse"
    else:
        fault = "" if info.isreg() else "not a file"
    return Member(path, "", info.offset_data, info.size, fault)


def _no_archive(archive: Path, error: Exception) -> str:
    with open(archive, "rb") as file:
        start = file.read(len(GZIP))
    if start == GZIP:
        return f"compressed; rename it to {archive.name}.gz and gunzip it"
    return (
        f"no tar archive, or one that is damaged or cut short ({on_one_line(error)}); copy it "
        "again, or move it away: its videos are then skipped as missing"
    )


def _normal(path: str) -> str:
    """./a and /a are a, as tar unpacks them."""
    return escaped(posixpath.normpath(path).lstrip("/"))


def escaped(text: str) -> str:
    """With escapes for tabs, line breaks and bytes that are no UTF-8."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _by_cache(archive: Path, cache: Path) -> list[Member]:
    """`scan`, unless this code has scanned the archive at this name, size and modification time."""
    status = archive.stat()
    place = str(archive.absolute())
    state = escaped(f"{CODE} {place} {status.st_size} {status.st_mtime_ns}")
    file = cache / f"{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}.tsv"
    # what cannot be read or written is no fault: the archive is scanned once more
    with suppress(UserError, OSError):
        (kept, *_), *rows = read_table(file, CACHE_COLUMNS)
        if kept == state:
            return [Member(path, "", int(at), int(size), f) for path, at, size, f in rows]
    found = scan(archive)
    with suppress(OSError):
        rows = [[m.path, str(m.offset), str(m.size), m.fault] for m in found]
        write_table(file, CACHE_COLUMNS, [[state, "", "", ""], *rows])
    return found
