"""The raw frames that the workflow makes of a video: a folder of JPEGs, and their digests.

mmaction2 counts a folder's `img_*`, so the file of the digests is no frame to it.
"""

from collections.abc import Iterable
from pathlib import Path

from tsf.data.decode import rawframe_path
from tsf.digests import digest, read_digests, refuse_other_digest, write_digests
from tsf.errors import UserError

DIGESTS = ".xxh128"


def write_rawframes(folder: Path, jpegs: Iterable[tuple[int, bytes]]) -> int:
    """Write img_00001.jpg, ... and return how many. jpegs: number, from 1, and bytes of each."""
    digests = {}
    for number, jpeg in jpegs:
        path = rawframe_path(folder, number)
        path.write_bytes(jpeg)
        digests[path.name] = digest(jpeg)
    write_digests(folder / DIGESTS, digests)
    return len(digests)


def read_rawframes(folder: Path, numbers: Iterable[int]) -> dict[int, bytes]:
    """The JPEGs of these frames, by number.

    Raises UserError for one that is missing, or has changed since `write_rawframes`.
    """
    shard = folder.parent
    digests = read_digests(folder / DIGESTS)
    jpegs = {}
    for number in sorted(set(numbers)):
        path = rawframe_path(folder, number)
        if not path.is_file():
            raise UserError(f"{path}: missing; delete {shard} and run again")
        jpegs[number] = path.read_bytes()
        refuse_other_digest(path, jpegs[number], digests, shard)
    return jpegs
