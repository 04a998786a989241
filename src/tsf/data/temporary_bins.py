"""Make a shard's .bin files, run a command on them, and delete them even if it fails.

    python -m tsf.data.temporary_bins --root DIR --table TSV --folder BINS -- COMMAND ...

So the disk never holds the .bin files of the whole dataset, but only those of the shards that are
being inferred at a time. With --scratch they are on the node's own disk, and BINS links to them.
With --early the command loads its model meanwhile.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path

from tsf import errors
from tsf.data.bins import MADE, delete_bins
from tsf.data.decoded import Decoded, read_decoded
from tsf.data.listing import add_shard_arguments, videos_of_shard
from tsf.data.preprocess import add_bin_arguments, bins_from_videos
from tsf.data.scratch import job_folder
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


@contextmanager
def running(command: list[str], stdin: int | None = None) -> Iterator[subprocess.Popen]:
    """`command` as a process; what ends this process ends the command, too."""
    with subprocess.Popen(command, stdin=stdin) as step:
        try:
            yield step
        except BaseException:
            # it ends what it has started on an NPU, which takes some seconds
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            step.terminate()
            step.wait()
            raise


@contextmanager
def deleted_afterwards(folder: Path) -> Iterator[None]:
    """Delete `folder`, or the link to one, if it is still the one that is there now.

    A new run may have put its own there, as this job goes on if Snakemake alone is killed.
    """
    made = os.open(folder, os.O_RDONLY)  # while it is open, no other folder gets its number
    try:
        yield
    finally:
        with suppress(OSError):
            if os.path.samestat(os.stat(folder), os.fstat(made)):
                delete_bins(folder)
        os.close(made)


@contextmanager
def temporary_folder(args: argparse.Namespace) -> Iterator[None]:
    """`args.folder`, empty, and gone afterwards; in `args.scratch`, if that is given.

    args: of `main`. Raises UserError if `args.scratch` has no room for the shard's .bin files.
    """
    delete_bins(args.folder)  # the files of a killed run
    if args.scratch:
        mb = ceil(len(videos_of_shard(args)) * args.recipe.bin_bytes(args.dtype) / 1e6)
        with job_folder(args.scratch, args.folder.name, mb, args.disk_mb) as folder:
            args.folder.parent.mkdir(parents=True, exist_ok=True)
            args.folder.symlink_to(folder)
            with deleted_afterwards(args.folder):
                yield
    else:
        args.folder.mkdir(parents=True)
        with deleted_afterwards(args.folder):
            yield


def make(args: argparse.Namespace) -> None:
    """Make the .bin files in `args.folder`. Raises UserError if a video has another outcome."""
    place = f" in {args.folder.resolve()}" if args.scratch else ""
    announce(f"decode shard {args.shard:03d}{place}, processes: {args.processes}")
    found = bins_from_videos(args, args.folder)
    refuse_other_outcome(read_decoded(args.table), found, args.table)
    announce(f"decoded shard {args.shard:03d}")


def main() -> None:
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    command = sys.argv[split + 1 :]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_shard_arguments(parser)
    add_bin_arguments(parser)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the .bin files")
    parser.add_argument("--scratch", default="", help="where they are instead: a folder, or $NAME")
    parser.add_argument("--disk-mb", type=int, help="what those of all jobs may take in --scratch")
    parser.add_argument(
        "--early",
        action="store_true",
        help="start the command at once; it finds `made` in its standard input when the files are",
    )
    args = parser.parse_args(sys.argv[1:split])
    if not command:
        parser.error("no command after --")

    # so that a terminated job, too, runs the `finally` below and leaves no gigabytes behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with temporary_folder(args):
        if args.early:
            with running(command, subprocess.PIPE) as step:
                make(args)
                early = step.poll()
                step.communicate(MADE)
                status = step.returncode
        else:
            make(args)
            early = None
            with running(command) as step:
                status = step.wait()
    if status < 0:
        raise UserError(f"{' '.join(command[:3])} was killed by {signal.Signals(-status).name}")
    if early == 0:
        raise UserError(f"{' '.join(command[:3])} ended before it had any .bin file to read")
    sys.exit(status)


if __name__ == "__main__":
    errors.run(main)
