"""Put the measurements of every setup, on the NPU too, into performance.json."""

import argparse
import json
from pathlib import Path

from tsf import errors
from tsf.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="json, one a setup")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()
    measurements = [json.loads(path.read_text(encoding="utf-8")) for path in args.runs]
    write_text(args.output, json.dumps({"measurements": measurements}, indent=2) + "\n")


if __name__ == "__main__":
    errors.run(main)
