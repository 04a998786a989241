"""Make a shard's .bin files, run a command on them, and delete them even if it fails.

    python -m tsf.data.temporary_bins --root DIR --table TSV --folder BINS -- COMMAND ...

So the disk never holds the .bin files of the whole dataset, but only those of the shards that are
being inferred at a time.
"""

import argparse
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tsf import errors
from tsf.data.decoded import Decoded, read_decoded
from tsf.data.listing import add_shard_arguments
from tsf.data.preprocess import add_bin_arguments, bins_from_videos
from tsf.errors import UserError
from tsf.progress import announce


def refuse_other_outcome(earlier: list[Decoded], found: list[Decoded], table: Path) -> None:
    """Raises UserError for the first video whose outcome differs from that in `table`."""
    by_name = {video.name: video for video in earlier}
    for video in found:
        if video != by_name.get(video.name):
            raise UserError(
                f"{video.name}: {outcome(video)} now, but {outcome(by_name.get(video.name))} in "
                f"{table}; delete {table} and run again"
            )


def outcome(video: Decoded | None) -> str:
    if video is None:
        return "not there"
    return video.skipped or f"{video.frames} frames"


def run(command: list[str]) -> int:
    """Run `command` and return its exit status; what ends this process ends the command, too."""
    with subprocess.Popen(command) as step:
        try:
            return step.wait()
        except BaseException:
            # it ends what it has started on an NPU, which takes some seconds
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            step.terminate()
            step.wait()
            raise


def main() -> None:
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    command = sys.argv[split + 1 :]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_shard_arguments(parser)
    add_bin_arguments(parser)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the .bin files")
    args = parser.parse_args(sys.argv[1:split])
    if not command:
        parser.error("no command after --")

    # so that a terminated job, too, runs the `finally` below and leaves no gigabytes behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    shutil.rmtree(args.folder, ignore_errors=True)  # the files of a killed run
    args.folder.mkdir(parents=True)
    try:
        announce(f"decode shard {args.shard:03d}, processes: {args.processes}")
        found = bins_from_videos(args, args.folder)
        refuse_other_outcome(read_decoded(args.table), found, args.table)
        announce(f"decoded shard {args.shard:03d}")
        status = run(command)
    finally:
        shutil.rmtree(args.folder, ignore_errors=True)
    sys.exit(status)


if __name__ == "__main__":
    errors.run(main)
