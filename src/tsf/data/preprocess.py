"""Make the .bin files of one shard, from its raw frames or else from the videos themselves."""

import argparse
from functools import partial
from pathlib import Path
from typing import NoReturn

from tsf import errors
from tsf.data import decode
from tsf.data.bins import add_dtype_argument, bin_path, delete_bin, write_bin
from tsf.data.decoded import Decoded, given_up, read_decoded, write_decoded
from tsf.data.listed_clip import clip_of
from tsf.data.listing import ListedVideo, add_shard_arguments, videos_of_shard
from tsf.data.make_clip import clip_from_frames, refuse_impossible
from tsf.data.rawframe_files import read_rawframes
from tsf.data.sampling import frame_numbers, refuse_lost_fps
from tsf.errors import UserError
from tsf.files import delete_parts, whole_folder
from tsf.recipe.record import ClipRecipe, add_recipe_argument
from tsf.workers import each


def bin_from_rawframes(
    decoded: Decoded, rawframes: Path, folder: Path, recipe: ClipRecipe, dtype: str = "float32"
) -> None:
    """Write `folder`/<name>.bin from the raw frames in `rawframes`/<name>/. Raises UserError."""
    numbers = frame_numbers(decoded.frames, recipe.sampling)
    jpegs = read_rawframes(rawframes / decoded.name, numbers)
    write_bin(clip_from_frames(jpegs, numbers, recipe, dtype), bin_path(folder, decoded.name))


def bin_from_video(
    listed: ListedVideo, root: Path, folder: Path, recipe: ClipRecipe, dtype: str
) -> Decoded:
    """Write `folder`/<name>.bin from a listed video; its outcome is a row of the shard's table."""
    try:
        total, clip = clip_of(listed, root, recipe, dtype)
    except decode.SkippedVideo as reason:
        return Decoded(listed.name, 0, str(reason))
    write_bin(clip, bin_path(folder, listed.name))
    return Decoded(listed.name, total, "")


def bins_from_videos(args: argparse.Namespace, folder: Path) -> list[Decoded]:
    """Write the .bin file of every video of a shard into `folder`.

    args: of `add_shard_arguments`, `add_bin_arguments`. Returns the outcome of each video.
    """
    work = partial(
        bin_from_video, root=args.root, folder=folder, recipe=args.recipe, dtype=args.dtype
    )
    label = f"preprocess, shard {args.shard:03d}"
    videos = videos_of_shard(args)
    outcomes = each(work, videos, args.processes, label, given_up, args.video_time_limit)
    for video in outcomes:
        if video.skipped:  # it may have been written before its process died
            delete_bin(folder, video.name)
    delete_parts(folder)
    return outcomes


def add_bin_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every command that makes .bin files."""
    parser.add_argument("--table", type=Path, required=True, help="tsv: frames a video")
    add_recipe_argument(parser, ClipRecipe)
    add_dtype_argument(parser)
    parser.add_argument("--processes", type=int, default=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_shard_arguments(parser, root_required=False)
    add_bin_arguments(parser)
    parser.add_argument("--rawframes", type=Path, help="folder to read, instead of --root")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    if not args.rawframes and not args.root:
        parser.error("either --rawframes or --root is needed")

    def refuse(video: Decoded, reason: str) -> NoReturn:
        raise UserError(
            f"{args.rawframes / video.name}: {reason}; delete {args.rawframes} and run again"
        )

    refuse_impossible(args.recipe, args.dtype)
    if args.rawframes:
        refuse_lost_fps(args.recipe.sampling)
        if args.recipe.source != "rawframes":
            raise UserError("the recipe's source is the video, not raw frames; set keep: bins")
    with whole_folder(args.output) as folder:
        if args.rawframes:
            videos = [video for video in read_decoded(args.table) if not video.skipped]
            work = partial(
                bin_from_rawframes,
                rawframes=args.rawframes,
                folder=folder,
                recipe=args.recipe,
                dtype=args.dtype,
            )
            each(work, videos, args.processes, f"preprocess, {args.rawframes}", refuse)
        else:
            write_decoded(args.table, bins_from_videos(args, folder))


if __name__ == "__main__":
    errors.run(main)
