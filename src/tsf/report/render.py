"""The command line of a report that renders one JSON file."""

import argparse
from collections.abc import Callable
from pathlib import Path

from tsf.files import read_json, write_text


def render(description: str | None, option: str, markdown: Callable[[dict], str]) -> None:
    """Write what `markdown` makes of the JSON file that the command line gives as `option`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(option, dest="json", type=Path, required=True, help="json to read")
    parser.add_argument("--output", type=Path, required=True, help="markdown to write")
    args = parser.parse_args()
    write_text(args.output, markdown(read_json(args.json)))
