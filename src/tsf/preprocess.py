"""From the clip's eight raw frames to the model's input: resize, three crops, normalise, layout.

Byte for byte what mmaction2's test pipeline gives (RawFrameDecode, Resize(-1, 224),
ThreeCrop(224), Normalize, FormatShape('NCTHW')), in an order that does the work once: the
resized planes are normalised before the three crops, which overlap, are copied out of them.
"""

import argparse
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from tsf import decode, errors, tables
from tsf.files import whole_file, whole_folder
from tsf.progress import each
from tsf.sampling import CLIP_LEN, SAMPLERS, frame_numbers

CROPS = 3
SIDE = 224  # pixels, the model's input
CLIP_SHAPE = (CROPS, 3, CLIP_LEN, SIDE, SIDE)
BIN_BYTES = 4 * CROPS * 3 * CLIP_LEN * SIDE * SIDE  # 14,450,688

# Normalize(mean=127.5, std=127.5) in mmcv's arithmetic: a float32 division. A float32
# reciprocal, or u / 127.5 - 1, is off by one ulp on half of the values.
NORMALISED = ((np.arange(256) - 127.5).astype(np.float32) / np.float32(127.5)).astype(np.float32)


def crop_offsets(width: int, height: int) -> list[tuple[int, int]]:
    """The (x, y) of the three crops: both ends of the long side, then its middle (ThreeCrop)."""
    if height == SIDE:
        step = (width - SIDE) // 2
        return [(0, 0), (2 * step, 0), (step, 0)]
    step = (height - SIDE) // 2
    return [(0, 0), (0, 2 * step), (0, step)]


def clip_from_jpegs(jpegs: list[bytes]) -> np.ndarray:
    """The model's input for one video.

    jpegs: the clip's eight raw frames, in clip order.
    Returns (crops, RGB, frames, y, x) = (3, 3, 8, 224, 224) float32.
    Raises ValueError for bytes that are no image.
    """
    clip = np.empty(CLIP_SHAPE, np.float32)  # (3, 3, 8, 224, 224)
    for t, jpeg in enumerate(jpegs):
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError("not a readable JPEG")
        height, width = image.shape[:2]
        scale = SIDE / min(width, height)
        size = int(width * scale + 0.5), int(height * scale + 0.5)
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)  # (h, w, 3) BGR
        offsets = crop_offsets(*size)
        for channel in range(3):
            plane = cv2.LUT(image[:, :, 2 - channel].copy(), NORMALISED)  # (h, w)
            for crop, (x, y) in enumerate(offsets):
                clip[crop, channel, t] = plane[y : y + SIDE, x : x + SIDE]
    return clip


def write_bin(clip: np.ndarray, path: Path) -> None:
    """Write a clip as the guide does: little-endian float32, no header."""
    with whole_file(path) as part:
        clip.astype("<f4", copy=False).tofile(part)


def clip_from_video(video: Path, sampler: str) -> np.ndarray:
    """The model's input straight from a video, the raw frames staying in memory.

    Returns (crops, RGB, frames, y, x) = (3, 3, 8, 224, 224) float32. Raises SkippedVideo.
    """
    total, jpegs = decode.clip_rawframes(video, sampler)
    return clip_from_jpegs([jpegs[number] for number in frame_numbers(total, sampler)])


def preprocess(decoded: tables.Decoded, rawframes: Path, folder: Path, sampler: str) -> None:
    """Write `folder`/<video>.bin from the raw frames in `rawframes`/<video>/."""
    numbers = frame_numbers(decoded.frames, sampler)
    jpegs = [(rawframes / decoded.video / f"img_{n:05d}.jpg").read_bytes() for n in numbers]
    write_bin(clip_from_jpegs(jpegs), folder / f"{decoded.video}.bin")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the .bin files of one shard.")
    parser.add_argument("--rawframes", type=Path, required=True, help="folder of raw frames")
    parser.add_argument("--table", type=Path, required=True, help="the shard's frame counts")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    videos = [video for video in tables.read_shard(args.table) if not video.skipped]
    with whole_folder(args.output) as folder:
        work = partial(preprocess, rawframes=args.rawframes, folder=folder, sampler=args.sampler)
        for _ in each(work, videos, args.processes, f"preprocess {args.output.name}"):
            pass


if __name__ == "__main__":
    errors.run(main)
