"""Decode a video the way the guide's frame extraction does, keeping only the frames asked for."""

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import av
import cv2
import numpy as np

from tsf.data.byte_range import VideoFile, ffmpeg_name
from tsf.data.sampling import frame_numbers, needs_fps
from tsf.errors import on_one_line
from tsf.recipe.record import Sampling

Kept = TypeVar("Kept")
SHORT_SIDE = 320  # pixels, build_rawframes.py --new-short 320
LONGEST_SIDE = 65_500  # pixels of a JPEG, by libjpeg: a raw frame cannot be longer
# of 255 bytes in a file's name, without those of the digest of a .bin file that is being written
LONGEST_NAME = 255 - len("..bin.part.xxh128")
NO_FRAME = "undecodable: not one frame can be decoded"


class SkippedVideo(Exception):
    """A listed video that cannot be scored; its message says why."""


@contextmanager
def decoder_faults() -> Iterator[None]:
    """Makes an exception of a decoder or of OpenCV the video's own: SkippedVideo with its text."""
    try:
        yield
    except (cv2.error, av.FFmpegError) as error:
        if isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from None
        said = error.strerror if isinstance(error, av.FFmpegError) else on_one_line(error)
        raise SkippedVideo(f"undecodable: {said}") from None


def refuse_long_name(name: str) -> None:
    """Raises SkippedVideo if a video's files cannot have its name."""
    if len(name) > LONGEST_NAME:
        raise SkippedVideo(f"a name of {len(name)} characters: longer than a file's can be")


def rawframe_size(width: int, height: int) -> tuple[int, int]:
    """The (width, height) of a raw frame: short side 320, as build_rawframes.py computes it."""
    if width <= height:
        return SHORT_SIDE, int((SHORT_SIDE / width) * height)
    return int((SHORT_SIDE / height) * width), SHORT_SIDE


def refuse_extreme_shape(width: int, height: int) -> None:
    """Raises SkippedVideo for a picture so long and thin that it can have no raw frame.

    That is asked before it is resized, which may take gigabytes, and by every step, whatever it
    makes of the video, so that all of them skip the same ones.
    """
    size = rawframe_size(width, height)
    if max(size) > LONGEST_SIDE:
        raise SkippedVideo(
            f"undecodable: a picture of {width} x {height} would be {size[0]} x {size[1]} as a raw "
            f"frame, and no side can be longer than {LONGEST_SIDE}"
        )


def rawframe_path(folder: Path, number: int) -> Path:
    """The file of a video's raw frame; number: from 1."""
    return folder / f"img_{number:05d}.jpg"


def encode_rawframe(frame: np.ndarray) -> bytes:
    """The JPEG file that build_rawframes.py writes of a decoded BGR frame.

    frame: (height, width, 3) uint8. The JPEG round trip is part of the reference: without it
    half of the values that reach the model change.
    """
    height, width = frame.shape[:2]
    refuse_extreme_shape(width, height)
    resized = cv2.resize(frame, rawframe_size(width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.imencode(".jpg", resized)[1].tobytes()


def whole_picture(frame: np.ndarray) -> np.ndarray:
    """The decoded picture itself, for a recipe that reads videos."""
    refuse_extreme_shape(frame.shape[1], frame.shape[0])
    return frame


@decoder_faults()
def clip_frames(
    video: VideoFile, sampling: Sampling, keep: Callable[[np.ndarray], Kept]
) -> tuple[int, list[int], dict[int, Kept]]:
    """The true frame count, the numbers of the clips' frames in order, and these frames by number.

    keep: makes of a decoded picture, (height, width, 3) uint8 BGR, what is kept of it
    (`encode_rawframe` or `whole_picture`). Numbers count from 1.

    The count in a file's header may be wrong, so it only tells which frames to retrieve while all
    are grabbed; if the true count asks for other frames, the video is decoded once more. Raises
    SkippedVideo.
    """
    capture = _open(video)
    fps = known_fps(video, sampling)
    planned_total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    plan = set(frame_numbers(planned_total, sampling, fps)) if planned_total > 0 else set()
    total, frames = _grab(capture, plan, keep)
    if total == 0:
        raise SkippedVideo(NO_FRAME)
    numbers = frame_numbers(total, sampling, fps)
    if set(numbers) != frames.keys():
        total, frames = _grab(_open(video), set(numbers), keep)
    return total, numbers, frames


def known_fps(video: VideoFile, sampling: Sampling) -> float | None:
    """The frames a second by the file's head, for a sampler that needs them.

    It is the average rate that the container tells, right or wrong: the one that Facebook's code
    takes. Raises SkippedVideo for a file that tells none.
    """
    if not needs_fps(sampling):
        return None
    with _header(video) as stream:
        if not stream.average_rate:
            raise SkippedVideo(f"no frame rate, which {sampling.sampler} needs")
        return float(stream.average_rate)


def count_frames(video: VideoFile, sampling: Sampling) -> int:
    """The true frame count: every frame is decoded, none is kept. Raises SkippedVideo.

    Counting packets would not do: a packet may not decode, and an edit list hides frames. And the
    clips' frames are looked at, so that the outcome is that of making the clips.
    """
    return clip_frames(video, sampling, _shape)[0]


def _shape(frame: np.ndarray) -> tuple[int, ...]:
    return whole_picture(frame).shape


def all_rawframes(video: VideoFile) -> Iterator[bytes]:
    """The JPEG of every frame, in order. Raises SkippedVideo if there is none."""
    with decoder_faults():
        capture = _open(video)
        decoded, frame = capture.read()
        if not decoded:
            raise SkippedVideo(NO_FRAME)
        while decoded:
            yield encode_rawframe(frame)
            decoded, frame = capture.read()


def _grab(
    capture: cv2.VideoCapture, numbers: set[int], keep: Callable[[np.ndarray], Kept]
) -> tuple[int, dict[int, Kept]]:
    """Count the frames up to the first that cannot be read; keep those with these numbers."""
    total = 0
    frames = {}
    while capture.grab():
        if total + 1 in numbers:
            decoded, frame = capture.retrieve()
            if not decoded:
                break
            frames[total + 1] = keep(frame)  # (height, width, 3) BGR uint8
        total += 1
    return total, frames


def header_frames(video: VideoFile) -> int:
    """The frame count in the file's header; 0 if the header has none.

    Raises SkippedVideo for a file that cannot be a video. Only where PyAV cannot read the header,
    which it expects more of than OpenCV does, a frame is decoded to tell.
    """
    try:
        with _header(video) as stream:
            frames, width, height = stream.frames, stream.width, stream.height
    except SkippedVideo:
        if _open(video).grab():
            return 0
        raise
    if width and height:
        refuse_extreme_shape(width, height)
    return frames


@contextmanager
def _header(video: VideoFile) -> Iterator[av.VideoStream]:
    """The video stream of an open file. Raises SkippedVideo."""
    _refuse_absent(video)
    try:
        # titles may be in any encoding
        with ffmpeg_name(video) as name, av.open(name, metadata_errors="replace") as container:
            if not container.streams.video:
                raise SkippedVideo("no video stream")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise SkippedVideo("undecodable: a codec that is not known")
            yield stream
    except (av.FFmpegError, OSError) as error:
        raise SkippedVideo(f"undecodable: {error.strerror}") from None


def _refuse_absent(video: VideoFile) -> None:
    try:
        status = (video if isinstance(video, Path) else video.container).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise SkippedVideo("missing file") from None
    except OSError as error:
        raise SkippedVideo(f"unreadable file: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for somebody to write to it
        raise SkippedVideo("not a file")
    if (status.st_size if isinstance(video, Path) else video.size) == 0:
        raise SkippedVideo("empty file")


def _open(video: VideoFile) -> cv2.VideoCapture:
    _refuse_absent(video)
    with ffmpeg_name(video) as name:
        # one decode thread: the parallelism is one process a core
        capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        with _header(video):  # mostly raises with a more precise reason
            raise SkippedVideo("undecodable: OpenCV cannot open it")
    # mmcv's VideoReader seeks before it reads, and in a file that does not begin with a key frame
    # (a cut without re-encoding) that changes which frames come out
    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
    return capture
