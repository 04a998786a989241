"""Put the measurements of every setup, on the NPU too, into performance.json."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.files import read_json, write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="json, one a setup")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()
    measurements = [read_json(path) for path in args.runs]
    write_json(args.output, {"measurements": measurements})


if __name__ == "__main__":
    errors.run(main)
