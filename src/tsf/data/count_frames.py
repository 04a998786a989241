"""Count the frames of one shard's videos, where neither raw frames nor .bin files are kept.

Before any engine runs, the file list needs the true frame count of every video, and the account
needs to know which videos decode.
"""

import argparse
from functools import partial
from pathlib import Path

from tsf import errors
from tsf.data import decode
from tsf.data.decoded import Decoded, given_up, write_decoded
from tsf.data.listed_file import file_of
from tsf.data.listing import ListedVideo, add_shard_arguments, videos_of_shard
from tsf.data.rawframe_folder import read_pictures
from tsf.recipe.record import Sampling, add_recipe_argument
from tsf.workers import each


def count_or_skip(listed: ListedVideo, root: Path, sampling: Sampling) -> Decoded:
    """The outcome of decoding a video as a row of the shard's table."""
    try:
        decode.refuse_long_name(listed.name)
        if listed.rawframes is None:
            return Decoded(listed.name, decode.count_frames(file_of(listed, root), sampling), "")
        with decode.decoder_faults():
            # it is skipped if one is damaged
            read_pictures(root / listed.path, listed.rawframes, sampling)
        return Decoded(listed.name, listed.rawframes.total, "")
    except decode.SkippedVideo as reason:
        return Decoded(listed.name, 0, str(reason))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_shard_arguments(parser)
    add_recipe_argument(parser, Sampling)
    parser.add_argument("--table", type=Path, required=True, help="tsv to write: frames a video")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    work = partial(count_or_skip, root=args.root, sampling=args.recipe)
    label = f"count frames, shard {args.shard:03d}"
    videos = videos_of_shard(args)
    limit = args.video_time_limit
    write_decoded(args.table, each(work, videos, args.processes, label, given_up, limit))


if __name__ == "__main__":
    errors.run(main)
