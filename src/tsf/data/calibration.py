"""The clips that int8 is calibrated on: of videos that are not scored."""

import argparse
import hashlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tsf import errors
from tsf.data import decode, listing
from tsf.errors import UserError
from tsf.files import sha256, whole_folder
from tsf.data.preprocess import clip_from_video, write_bin
from tsf.progress import with_progress
from tsf.data.sampling import SAMPLERS


def shuffled(root: Path) -> list[Path]:
    """The videos below `root`, in an order that depends on their paths alone.

    Neighbours in a folder are often of one class, or of one recording.
    """
    paths = [video.path for video in listing.list_videos("folder", root)]
    return [root / p for p in sorted(paths, key=lambda p: hashlib.sha256(p.encode()).digest())]


class Scored:
    """Tells whether a file is one of the listed videos, by its content."""

    def __init__(self, videos: list[Path]):
        self.of_size: dict[int, list[Path]] = {}
        for video in videos:
            if video.is_file():
                self.of_size.setdefault(os.path.getsize(video), []).append(video)

    def has(self, path: Path) -> bool:
        twins = self.of_size.get(os.path.getsize(path), [])
        return bool(twins) and sha256(path) in map(sha256, twins)


def clips(candidates: list[Path], scored: Scored, sampler: str, folder: Path) -> Iterator[Path]:
    """Write a uint8 .bin file for each video that decodes and is not scored."""
    for number, video in enumerate(candidates):
        if scored.has(video):
            continue
        try:
            _, clip = clip_from_video(video, sampler, "uint8")
        except decode.SkippedVideo:
            continue
        path = folder / f"{number:06d}.bin"
        write_bin(clip, path)
        yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of videos to take")
    parser.add_argument("--videos", type=int, required=True, help="how many")
    parser.add_argument("--list", type=Path, required=True, help="tsv of the listed videos")
    parser.add_argument("--dataset", type=Path, required=True, help="what its paths start from")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    args = parser.parse_args()

    if not args.root.is_dir():
        raise UserError(f"{args.root}: no such folder; see calibration.root in the config")
    scored = Scored([args.dataset / video.path for video in listing.read_list(args.list)])
    with whole_folder(args.output) as folder:
        made = islice(clips(shuffled(args.root), scored, args.sampler, folder), args.videos)
        found = sum(1 for _ in with_progress(made, args.videos, "calibration clips"))
        if found < args.videos:
            raise UserError(
                f"{args.root}: {found} videos that can be decoded and are not scored, "
                f"calibration.videos is {args.videos}"
            )


if __name__ == "__main__":
    errors.run(main)
