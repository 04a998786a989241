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

from tsf import dataset, decode, errors, tables
from tsf.clip import CLIP_SHAPE, SIDE
from tsf.files import whole_file, whole_folder
from tsf.progress import each
from tsf.sampling import SAMPLERS, frame_numbers

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
        for channel, values in enumerate(reversed(cv2.split(image))):
            plane = cv2.LUT(values, NORMALISED)  # (h, w)
            for crop, (x, y) in enumerate(offsets):
                clip[crop, channel, t] = plane[y : y + SIDE, x : x + SIDE]
    return clip


def write_bin(clip: np.ndarray, path: Path) -> None:
    """Write a clip as the guide does: little-endian float32, no header."""
    with whole_file(path) as part:
        # not clip.tofile(), which on a full disk does not say that the disk is full
        part.write_bytes(clip.astype("<f4", copy=False).data)


def clip_from_video(video: Path, sampler: str) -> tuple[int, np.ndarray]:
    """The frame count and the model's input straight from a video, the JPEGs staying in memory.

    The input is (crops, RGB, frames, y, x) = (3, 3, 8, 224, 224) float32. Raises SkippedVideo.
    """
    total, jpegs = decode.clip_rawframes(video, sampler)
    return total, clip_from_jpegs([jpegs[number] for number in frame_numbers(total, sampler)])


def bin_from_rawframes(
    decoded: tables.Decoded, rawframes: Path, folder: Path, sampler: str
) -> tables.Decoded:
    """Write `folder`/<video>.bin from the raw frames in `rawframes`/<video>/."""
    numbers = frame_numbers(decoded.frames, sampler)
    jpegs = [(rawframes / decoded.video / f"img_{n:05d}.jpg").read_bytes() for n in numbers]
    write_bin(clip_from_jpegs(jpegs), folder / f"{decoded.video}.bin")
    return decoded


def bin_from_video(
    listed: dataset.Listed, root: Path, folder: Path, sampler: str
) -> tables.Decoded:
    """Write `folder`/<video>.bin from the video; the outcome as a row of the shard's table."""
    try:
        total, clip = clip_from_video(root / listed.path, sampler)
    except decode.SkippedVideo as reason:
        return tables.Decoded(listed.video, 0, str(reason))
    write_bin(clip, folder / f"{listed.video}.bin")
    return tables.Decoded(listed.video, total, "")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the clips of a shard come from: raw frames, or else the videos themselves."""
    parser.add_argument("--rawframes", type=Path, help="folder of raw frames; its table is read")
    parser.add_argument("--root", type=Path, help="folder of the dataset; the table is written")
    parser.add_argument("--layout", choices=dataset.LAYOUTS, default=dataset.LAYOUTS[0])
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--table", type=Path, required=True, help="tsv: frames a video")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--processes", type=int, default=1)


def make_bins(args: argparse.Namespace, folder: Path) -> None:
    """Write the .bin files of a shard into `folder`, from what `add_arguments` describes."""
    what = f"preprocess, {args.table.stem}"
    if args.rawframes:
        decoded = [video for video in tables.read_shard(args.table) if not video.skipped]
        work = partial(
            bin_from_rawframes, rawframes=args.rawframes, folder=folder, sampler=args.sampler
        )
        list(each(work, decoded, args.processes, what))
    else:
        listed = dataset.list_videos(args.layout, args.root)
        videos = dataset.in_shard(listed, args.shard, args.shards)
        work = partial(bin_from_video, root=args.root, folder=folder, sampler=args.sampler)
        tables.write_shard(args.table, list(each(work, videos, args.processes, what)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the .bin files of one shard.")
    add_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    with whole_folder(args.output) as folder:
        make_bins(args, folder)


if __name__ == "__main__":
    errors.run(main)
