"""A stand-in for tsf.data.count_frames that decodes nothing: every video has 300 frames."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.data.decoded import Decoded, write_decoded
from tsf.data.listing import add_shard_arguments, videos_of_shard
from tsf.recipe.record import Sampling, add_recipe_argument


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_shard_arguments(parser)
    add_recipe_argument(parser, Sampling)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()
    write_decoded(args.table, [Decoded(v.name, 300, "") for v in videos_of_shard(args)])


if __name__ == "__main__":
    errors.run(main)
