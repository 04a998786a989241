"""Decode a video the way the guide's frame extraction does, keeping only the frames asked for."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from tsf.data.sampling import frame_numbers

SHORT_SIDE = 320  # pixels, build_rawframes.py --new-short 320
NO_FRAME = "undecodable: not one frame can be decoded"


class SkippedVideo(Exception):
    """A listed video that cannot be scored; its message says why."""


def rawframe_size(width: int, height: int) -> tuple[int, int]:
    """The (width, height) of a raw frame: short side 320, as build_rawframes.py computes it."""
    if width <= height:
        return SHORT_SIDE, int((SHORT_SIDE / width) * height)
    return int((SHORT_SIDE / height) * width), SHORT_SIDE


def rawframe_path(folder: Path, number: int) -> Path:
    """The file of a video's raw frame; number: from 1."""
    return folder / f"img_{number:05d}.jpg"


def encode_rawframe(frame: np.ndarray) -> bytes:
    """The JPEG file that build_rawframes.py writes of a decoded BGR frame.

    frame: (height, width, 3) uint8. The JPEG round trip is part of the reference: without it
    half of the values that reach the model change.
    """
    height, width = frame.shape[:2]
    resized = cv2.resize(frame, rawframe_size(width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.imencode(".jpg", resized)[1].tobytes()


def clip_rawframes(video: Path, sampler: str) -> tuple[int, dict[int, bytes]]:
    """The true frame count, and by number from 1 the JPEGs of the frames that make the clip.

    The count in a file's header may be wrong, so it only tells which frames to retrieve while all
    are grabbed; if the true count asks for other frames, the video is decoded once more. Raises
    SkippedVideo.
    """
    capture = _open(video)
    planned_total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    plan = set(frame_numbers(planned_total, sampler)) if planned_total > 0 else set()
    total, frames = _grab(capture, plan)
    if total == 0:
        raise SkippedVideo(NO_FRAME)
    needed = set(frame_numbers(total, sampler))
    if needed != frames.keys():
        total, frames = _grab(_open(video), needed)
    return total, {number: encode_rawframe(frame) for number, frame in frames.items()}


def count_frames(video: Path) -> int:
    """The true frame count: every frame is decoded, none is kept. Raises SkippedVideo.

    Counting packets would not do: a packet may not decode, and an edit list hides frames.
    """
    total, _ = _grab(_open(video), set())
    if total == 0:
        raise SkippedVideo(NO_FRAME)
    return total


def all_rawframes(video: Path) -> Iterator[bytes]:
    """The JPEG of every frame, in order. Raises SkippedVideo if there is none."""
    capture = _open(video)
    decoded, frame = capture.read()
    if not decoded:
        raise SkippedVideo(NO_FRAME)
    while decoded:
        yield encode_rawframe(frame)
        decoded, frame = capture.read()


def _grab(capture: cv2.VideoCapture, numbers: set[int]) -> tuple[int, dict[int, np.ndarray]]:
    """Count the frames up to the first that cannot be read; keep those with these numbers."""
    total = 0
    frames = {}
    while capture.grab():
        if total + 1 in numbers:
            decoded, frame = capture.retrieve()
            if not decoded:
                break
            frames[total + 1] = frame  # (height, width, 3) BGR uint8
        total += 1
    return total, frames


def header_frames(video: Path) -> int:
    """The frame count in the file's header; 0 if the header has none.

    Raises SkippedVideo for a file that cannot be a video, without decoding any of it.
    """
    _refuse_absent(video)
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise SkippedVideo("no video stream")
            return container.streams.video[0].frames
    except (av.FFmpegError, OSError) as error:
        raise SkippedVideo(f"undecodable: {error.strerror}") from None


def _refuse_absent(video: Path) -> None:
    if not video.is_file():
        raise SkippedVideo("missing file")
    if video.stat().st_size == 0:
        raise SkippedVideo("empty file")


def _open(video: Path) -> cv2.VideoCapture:
    _refuse_absent(video)
    # one decode thread: the parallelism is one process a core
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        header_frames(video)  # mostly raises with a more precise reason
        raise SkippedVideo("undecodable: OpenCV cannot open it")
    # mmcv's VideoReader seeks before it reads, and in a file that does not begin with a key frame
    # (a cut without re-encoding) that changes which frames come out
    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
    return capture
