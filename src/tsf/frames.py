"""Extract the raw frames of one shard's videos, as the guide's build_rawframes.py writes them."""

import argparse
from functools import partial
from pathlib import Path

from tsf import decode, errors, kinetics, tables
from tsf.files import whole_folder
from tsf.progress import each
from tsf.sampling import SAMPLERS


def extract(video: Path, folder: Path, which: str, sampler: str) -> int:
    """Write `folder`/img_00001.jpg, ... and return how many frames the video has.

    which: "needed" writes the clip's frames only, "all" writes every one; names and bytes are
    the same. Raises SkippedVideo, and then leaves no folder.
    """
    if which == "needed":
        total, jpegs = decode.clip_rawframes(video, sampler)
        with whole_folder(folder) as part:
            for number, jpeg in jpegs.items():
                (part / f"img_{number:05d}.jpg").write_bytes(jpeg)
        return total
    with whole_folder(folder) as part:
        total = 0
        for jpeg in decode.all_rawframes(video):
            total += 1
            (part / f"img_{total:05d}.jpg").write_bytes(jpeg)
    return total


def extract_or_skip(name: str, videos: Path, folder: Path, which: str, sampler: str):
    """`extract` of the video called `name`, its outcome as a row of the shard's table."""
    try:
        total = extract(videos / f"{name}.mp4", folder / name, which, sampler)
    except decode.SkippedVideo as reason:
        return tables.Decoded(name, 0, str(reason))
    return tables.Decoded(name, total, "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=Path, required=True, help="csv that lists the videos")
    parser.add_argument("--videos", type=Path, required=True, help="folder of <name>.mp4")
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--frames", choices=["needed", "all"], default="needed")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--rawframes", type=Path, required=True, help="folder to write")
    parser.add_argument("--table", type=Path, required=True, help="tsv to write: frames a video")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    rows = kinetics.read_annotations(args.annotations)
    names = kinetics.videos_of_shard(rows, args.shard, args.shards)
    with whole_folder(args.rawframes) as folder:
        work = partial(
            extract_or_skip,
            videos=args.videos,
            folder=folder,
            which=args.frames,
            sampler=args.sampler,
        )
        what = f"raw frames, shard {args.shard + 1} of {args.shards}"
        decoded = list(each(work, names, args.processes, what))
    tables.write_shard(args.table, decoded)


if __name__ == "__main__":
    errors.run(main)
