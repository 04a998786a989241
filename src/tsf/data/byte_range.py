"""A video's file that lies in another one, as in a tar archive: a range of its bytes.

FFmpeg, which OpenCV and PyAV decode with, reads such a range by itself, by its protocol `subfile`:
the decoder seeks in it as in a file, so that frames and faults are those of the unpacked file,
and nothing is unpacked. Only a playlist (ffconcat) in the place of a video does not play, as the
files that it names would have to lie beside it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tsf.errors import UserError
from tsf.files import sha256


@dataclass(frozen=True)
class ByteRange:
    """A file within the file `container`."""

    container: Path
    offset: int  # bytes
    size: int  # bytes
    suffix: str  # of its own name


VideoFile = Path | ByteRange


@contextmanager
def ffmpeg_name(video: VideoFile) -> Iterator[str]:
    """What FFmpeg is told to open, within the block: it keeps the file open afterwards.

    FFmpeg guesses the format by the name too, where the first bytes do not tell. So the container
    gets a name for the moment that has the suffix of the video. Raises UserError if it cannot.
    """
    if isinstance(video, Path):
        yield str(video)
        return
    try:
        folder = TemporaryDirectory(ignore_cleanup_errors=True)
        link = Path(folder.name, f"video{video.suffix}")
        link.symlink_to(video.container.absolute())
    except OSError as error:  # which is no fault of the video
        raise UserError(
            f"no link can be made in the folder of temporary files ({error}); set TMPDIR to one "
            "that can be written to"
        ) from None
    with folder:
        end = video.offset + video.size
        yield f"subfile,,start,{video.offset},end,{end},,:{link}"


def sha256_of(video: VideoFile) -> str:
    if isinstance(video, Path):
        return sha256(video)
    with open(video.container, "rb") as file:
        file.seek(video.offset)
        return hashlib.sha256(file.read(video.size)).hexdigest()


def size_of(video: VideoFile) -> int:
    """Bytes."""
    return video.stat().st_size if isinstance(video, Path) else video.size
