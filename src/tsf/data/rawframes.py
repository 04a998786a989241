"""Extract the raw frames of one shard's videos, as the guide's build_rawframes.py writes them."""

import argparse
import shutil
from functools import partial
from pathlib import Path

from tsf import errors
from tsf.data import decode
from tsf.data.byte_range import VideoFile
from tsf.data.decoded import Decoded, given_up, write_decoded
from tsf.data.listed_file import file_of
from tsf.data.listing import ListedVideo, add_shard_arguments, videos_of_shard
from tsf.data.rawframe_files import write_rawframes
from tsf.data.sampling import refuse_lost_fps
from tsf.files import delete_parts, whole_folder
from tsf.recipe.record import Sampling, add_recipe_argument
from tsf.workers import each


def extract(video: VideoFile, folder: Path, which: str, sampling: Sampling) -> int:
    """Write `folder`/img_00001.jpg, ... and return how many frames the video has.

    which: "needed" writes the clip's frames only, "all" every frame; a frame's name and bytes are
    the same in both. Raises SkippedVideo, and then leaves no folder.
    """
    with whole_folder(folder) as part:
        if which == "needed":
            total, _, jpegs = decode.clip_frames(video, sampling, decode.encode_rawframe)
            write_rawframes(part, jpegs.items())
            return total
        return write_rawframes(part, enumerate(decode.all_rawframes(video), 1))


def extract_or_skip(
    listed: ListedVideo, root: Path, folder: Path, which: str, sampling: Sampling
) -> Decoded:
    """`extract` into `folder`/<name>, its outcome as a row of the shard's table."""
    try:
        decode.refuse_long_name(listed.name)
        total = extract(file_of(listed, root), folder / listed.name, which, sampling)
    except decode.SkippedVideo as reason:
        return Decoded(listed.name, 0, str(reason))
    return Decoded(listed.name, total, "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_shard_arguments(parser)
    parser.add_argument("--frames", choices=["needed", "all"], default="needed")
    add_recipe_argument(parser, Sampling)
    parser.add_argument("--rawframes", type=Path, required=True, help="folder to write")
    parser.add_argument("--table", type=Path, required=True, help="tsv to write: frames a video")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    refuse_lost_fps(args.recipe)
    with whole_folder(args.rawframes) as folder:
        work = partial(
            extract_or_skip, root=args.root, folder=folder, which=args.frames, sampling=args.recipe
        )
        label = f"raw frames, shard {args.shard:03d}"
        videos = videos_of_shard(args)
        decoded = each(work, videos, args.processes, label, given_up, args.video_time_limit)
        for video in decoded:
            if video.skipped:
                shutil.rmtree(folder / video.name, ignore_errors=True)
        delete_parts(folder)
    write_decoded(args.table, decoded)


if __name__ == "__main__":
    errors.run(main)
