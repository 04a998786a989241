"""Extract the raw frames of one shard's videos, as the guide's build_rawframes.py writes them."""

import argparse
from functools import partial
from pathlib import Path

from tsf import errors
from tsf.data import decode, listing, tables
from tsf.files import whole_folder
from tsf.progress import each
from tsf.data.sampling import SAMPLERS


def extract(video: Path, folder: Path, which: str, sampler: str) -> int:
    """Write `folder`/img_00001.jpg, ... and return how many frames the video has.

    which: "needed" writes the clip's frames only, "all" writes every one; names and bytes are
    the same. Raises SkippedVideo, and then leaves no folder.
    """
    with whole_folder(folder) as part:
        if which == "needed":
            total, jpegs = decode.clip_rawframes(video, sampler)
            for number, jpeg in jpegs.items():
                (part / f"img_{number:05d}.jpg").write_bytes(jpeg)
            return total
        total = 0
        for jpeg in decode.all_rawframes(video):
            total += 1
            (part / f"img_{total:05d}.jpg").write_bytes(jpeg)
        return total


def extract_or_skip(
    listed: listing.Listed, root: Path, folder: Path, which: str, sampler: str
) -> tables.Decoded:
    """`extract` into `folder`/<video>, its outcome as a row of the shard's table."""
    try:
        total = extract(root / listed.path, folder / listed.video, which, sampler)
    except decode.SkippedVideo as reason:
        return tables.Decoded(listed.video, 0, str(reason))
    return tables.Decoded(listed.video, total, "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layout", choices=listing.LAYOUTS, default=listing.LAYOUTS[0])
    parser.add_argument("--root", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--frames", choices=["needed", "all"], default="needed")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--rawframes", type=Path, required=True, help="folder to write")
    parser.add_argument("--table", type=Path, required=True, help="tsv to write: frames a video")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    listed = listing.list_videos(args.layout, args.root)
    videos = listing.in_shard(listed, args.shard, args.shards)
    with whole_folder(args.rawframes) as folder:
        work = partial(
            extract_or_skip, root=args.root, folder=folder, which=args.frames, sampler=args.sampler
        )
        what = f"raw frames, shard {args.shard:03d}"
        decoded = list(each(work, videos, args.processes, what))
    tables.write_shard(args.table, decoded)


if __name__ == "__main__":
    errors.run(main)
