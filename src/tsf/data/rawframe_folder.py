"""Read the raw frames that a user already has, as mmaction2's RawFrameDecode reads them."""

from pathlib import Path

import cv2
import numpy as np

from tsf.data.decode import SkippedVideo, refuse_extreme_shape
from tsf.data.listing import RawFrames
from tsf.data.sampling import frame_numbers, refuse_lost_fps
from tsf.recipe.record import Sampling

# the markers of a JPEG's last part, the picture's data, and of its end
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"


def needed_numbers(rawframes: RawFrames, sampling: Sampling) -> list[int]:
    """The numbers, from 1, of the frames of all clips, clip after clip.

    Raises SkippedVideo, and UserError for a sampler that needs a frame rate.
    """
    refuse_lost_fps(sampling, "list the videos")
    if rawframes.total == 0:
        raise SkippedVideo("the list says 0 frames")
    return frame_numbers(rawframes.total, sampling)


def refuse_absent(folder: Path, rawframes: RawFrames, sampling: Sampling) -> None:
    """Raises SkippedVideo if the clips read a frame that is not there. No frame is opened."""
    numbers = needed_numbers(rawframes, sampling)
    if not folder.is_dir():
        raise SkippedVideo(
            "a file, not a folder of frames" if folder.exists() else "missing folder"
        )
    for number in sorted(set(numbers)):
        if not (folder / rawframes.file_name(number)).is_file():
            raise SkippedVideo(
                f"missing frame {rawframes.file_name(number)}, of the {rawframes.total} listed"
            )


def read_pictures(
    folder: Path, rawframes: RawFrames, sampling: Sampling
) -> tuple[list[int], dict[int, np.ndarray]]:
    """The numbers of the clips' frames in order, and these frames, (height, width, 3) uint8 BGR.

    Numbers count from 1. Only frames that a clip reads are looked at. Raises SkippedVideo for one
    that is missing or damaged, and for frames of several sizes, which mmaction2 would distort to
    the first one's shape.
    """
    refuse_absent(folder, rawframes, sampling)
    numbers = needed_numbers(rawframes, sampling)
    pictures = {n: _picture(folder / rawframes.file_name(n)) for n in sorted(set(numbers))}
    first, *others = pictures
    for number in others:
        if pictures[number].shape != pictures[first].shape:
            raise SkippedVideo(
                f"frames of several sizes: {rawframes.file_name(first)} and "
                f"{rawframes.file_name(number)}"
            )
    return numbers, pictures


def _picture(path: Path) -> np.ndarray:
    """(height, width, 3) uint8 BGR."""
    data = path.read_bytes()
    # OpenCV fills the rest of a JPEG that is cut off with grey, and says so on stderr alone
    if data.startswith(b"\xff\xd8") and data.rfind(END_OF_IMAGE) < data.rfind(START_OF_SCAN):
        raise SkippedVideo(f"undecodable frame {path.name}: the file is cut off")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None:
        raise SkippedVideo(f"undecodable frame {path.name}")
    refuse_extreme_shape(picture.shape[1], picture.shape[0])
    return picture
