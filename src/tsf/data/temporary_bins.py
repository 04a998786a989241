"""Make a shard's .bin files, run a command on them, and delete them, whatever comes.

    python -m tsf.data.temporary_bins --rawframes DIR --table TSV --folder BINS -- COMMAND ...

The files are on the disk while this runs and not after, which is what bounds the disk that a
whole dataset takes: the sum over the jobs that run at a time.
"""

import argparse
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tsf import errors
from tsf.data import preprocess


def main() -> None:
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    command = sys.argv[split + 1 :]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    preprocess.add_arguments(parser)
    parser.add_argument("--folder", type=Path, required=True, help="folder of the .bin files")
    args = parser.parse_args(sys.argv[1:split])
    if not command:
        parser.error("no command after --")

    # a terminated job must not leave gigabytes behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    shutil.rmtree(args.folder, ignore_errors=True)  # what a killed run left
    args.folder.mkdir(parents=True)
    try:
        preprocess.make_bins(args, args.folder)
        status = subprocess.run(command).returncode
    finally:
        shutil.rmtree(args.folder, ignore_errors=True)
    sys.exit(status)


if __name__ == "__main__":
    errors.run(main)
