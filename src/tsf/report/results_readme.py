"""Lay the list of what every file is beside the files."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", type=Path, required=True, help="docs/results.md")
    parser.add_argument("--output", type=Path, required=True, help="copy to write")
    args = parser.parse_args()

    write_text(args.output, args.list.read_text(encoding="utf-8"))


if __name__ == "__main__":
    errors.run(main)
