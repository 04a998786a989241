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

from tsf import errors
from tsf.data import decode, listing, tables
from tsf.data.model_input import BIN_BYTES, CLIP_SHAPE, SIDE
from tsf.files import whole_file, whole_folder
from tsf.data.pixels import NORMALISED
from tsf.progress import each
from tsf.data.sampling import SAMPLERS, frame_numbers


def crop_offsets(width: int, height: int) -> list[tuple[int, int]]:
    """The (x, y) of the three crops: both ends of the long side, then its middle (ThreeCrop)."""
    if height == SIDE:
        step = (width - SIDE) // 2
        return [(0, 0), (2 * step, 0), (step, 0)]
    step = (height - SIDE) // 2
    return [(0, 0), (0, 2 * step), (0, step)]


def clip_from_jpegs(jpegs: list[bytes], values: str = "float32") -> np.ndarray:
    """The model's input for one video.

    jpegs: the clip's eight raw frames, in clip order. values: float32, or uint8 for the pixels
    before they are normalised. Returns (crops, RGB, frames, y, x) = (3, 3, 8, 224, 224).
    Raises ValueError for bytes that are no image.
    """
    clip = np.empty(CLIP_SHAPE, values)  # (3, 3, 8, 224, 224)
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
            plane = plane if values == "uint8" else cv2.LUT(plane, NORMALISED)
            for crop, (x, y) in enumerate(offsets):
                clip[crop, channel, t] = plane[y : y + SIDE, x : x + SIDE]
    return clip


def write_bin(clip: np.ndarray, path: Path) -> None:
    """Write a clip as the guide does: little-endian values, no header."""
    with whole_file(path) as part:
        # not clip.tofile(), which on a full disk does not say that the disk is full
        part.write_bytes(clip.astype(clip.dtype.newbyteorder("<"), copy=False).data)


def clip_from_video(video: Path, sampler: str, values: str = "float32") -> tuple[int, np.ndarray]:
    """The frame count and the model's input straight from a video, the JPEGs staying in memory.

    The input is (crops, RGB, frames, y, x) = (3, 3, 8, 224, 224), as `clip_from_jpegs` gives it.
    Raises SkippedVideo.
    """
    total, jpegs = decode.clip_rawframes(video, sampler)
    numbers = frame_numbers(total, sampler)
    return total, clip_from_jpegs([jpegs[number] for number in numbers], values)


def bin_from_rawframes(
    decoded: tables.Decoded, rawframes: Path, folder: Path, sampler: str, values: str = "float32"
) -> tables.Decoded:
    """Write `folder`/<video>.bin from the raw frames in `rawframes`/<video>/."""
    numbers = frame_numbers(decoded.frames, sampler)
    jpegs = [(rawframes / decoded.video / f"img_{n:05d}.jpg").read_bytes() for n in numbers]
    write_bin(clip_from_jpegs(jpegs, values), folder / f"{decoded.video}.bin")
    return decoded


def bin_from_video(
    listed: listing.Listed, root: Path, folder: Path, sampler: str, values: str
) -> tables.Decoded:
    """Write `folder`/<video>.bin from the video; the outcome as a row of the shard's table."""
    try:
        total, clip = clip_from_video(root / listed.path, sampler, values)
    except decode.SkippedVideo as reason:
        return tables.Decoded(listed.video, 0, str(reason))
    write_bin(clip, folder / f"{listed.video}.bin")
    return tables.Decoded(listed.video, total, "")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the clips of a shard come from: raw frames, or else the videos themselves."""
    parser.add_argument("--rawframes", type=Path, help="folder of raw frames; its table is read")
    parser.add_argument("--root", type=Path, help="folder of the dataset; the table is written")
    parser.add_argument("--layout", choices=listing.LAYOUTS, default=listing.LAYOUTS[0])
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--table", type=Path, required=True, help="tsv: frames a video")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--bin", choices=list(BIN_BYTES), default="float32", help="its values")
    parser.add_argument("--processes", type=int, default=1)


def make_bins(args: argparse.Namespace, folder: Path) -> None:
    """Write the .bin files of a shard into `folder`, from what `add_arguments` describes."""
    what = f"preprocess, {args.table.stem}"
    options = {"folder": folder, "sampler": args.sampler, "values": args.bin}
    if args.rawframes:
        decoded = [video for video in tables.read_shard(args.table) if not video.skipped]
        work = partial(bin_from_rawframes, rawframes=args.rawframes, **options)
        list(each(work, decoded, args.processes, what))
    else:
        listed = listing.list_videos(args.layout, args.root)
        videos = listing.in_shard(listed, args.shard, args.shards)
        work = partial(bin_from_video, root=args.root, **options)
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
