"""From the clip's eight raw frames to the model's input: resize, three crops, normalise, layout.

Byte for byte what mmaction2's test pipeline gives (RawFrameDecode, Resize(-1, 224),
ThreeCrop(224), Normalize, FormatShape('NCTHW')), in an order that does the work once: the
resized planes are normalised before the three crops, which overlap, are copied out of them.
"""

from pathlib import Path

import cv2
import numpy as np

from tsf.data import decode
from tsf.data.model_input import CLIP_SHAPE, NORMALISED, SIDE
from tsf.data.sampling import frame_numbers


def crop_offsets(width: int, height: int) -> list[tuple[int, int]]:
    """The (x, y) of the three crops: both ends of the long side, then its middle (ThreeCrop)."""
    if height == SIDE:
        step = (width - SIDE) // 2
        return [(0, 0), (2 * step, 0), (step, 0)]
    step = (height - SIDE) // 2
    return [(0, 0), (0, 2 * step), (0, step)]


def clip_from_jpegs(jpegs: list[bytes], dtype: str = "float32") -> np.ndarray:
    """The model's input for one video.

    jpegs: the clip's eight raw frames, in clip order. dtype: float32, or uint8 for the pixels
    before they are normalised. Returns (crops, RGB, frames, y, x) = (3, 3, 8, 224, 224).
    Raises ValueError for bytes that are no image.
    """
    clip = np.empty(CLIP_SHAPE, dtype)  # (3, 3, 8, 224, 224)
    for t, jpeg in enumerate(jpegs):
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError("not a readable JPEG")
        height, width = image.shape[:2]
        scale = SIDE / min(width, height)
        size = int(width * scale + 0.5), int(height * scale + 0.5)
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)  # (h, w, 3) BGR
        offsets = crop_offsets(*size)
        for channel, plane in enumerate(reversed(cv2.split(image))):  # (h, w)
            plane = plane if dtype == "uint8" else cv2.LUT(plane, NORMALISED)
            for crop, (x, y) in enumerate(offsets):
                clip[crop, channel, t] = plane[y : y + SIDE, x : x + SIDE]
    return clip


def clip_from_video(video: Path, sampler: str, dtype: str = "float32") -> tuple[int, np.ndarray]:
    """The frame count and the model's input straight from a video, the JPEGs staying in memory.

    The input is (crops, RGB, frames, y, x) = (3, 3, 8, 224, 224), as `clip_from_jpegs` gives it.
    Raises SkippedVideo.
    """
    total, jpegs = decode.clip_rawframes(video, sampler)
    numbers = frame_numbers(total, sampler)
    return total, clip_from_jpegs([jpegs[number] for number in numbers], dtype)
