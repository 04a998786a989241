"""An engine's file, results/engines/<name>.json: how a model is run, and on what.

Every step that runs an engine reads it, and it is made anew when the model, the engine's code or
a setting changes. Those steps may therefore wait for the proof of the engine without depending on
it: where a job is due, Snakemake (9.27) does not look for the other reasons of the jobs that have
its output as an ancient() input, but it follows their other inputs.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tsf import errors
from tsf.data.bins import add_dtype_argument
from tsf.data.sampling import add_sampler_argument
from tsf.engines.setup import DEFAULTS, Setup
from tsf.files import sha256, write_text


@dataclass(frozen=True)
class DescribedEngine:
    """A setup, its model's file, and the clips that it gets."""

    setup: Setup
    file: Path
    sha256: dict[str, str]  # of the model's files, by name
    sampler: str
    dtype: str  # of the .bin files


def read_described(path: Path) -> DescribedEngine:
    content = json.loads(path.read_text(encoding="utf-8"))
    setup, file = Setup(**content.pop("setup")), Path(content.pop("file"))
    return DescribedEngine(setup, file, **content)


def write_described(path: Path, described: DescribedEngine) -> None:
    content = asdict(described) | {"file": str(described.file)}
    write_text(path, json.dumps(content, indent=2) + "\n")


def describe(setup: Setup, file: Path, sampler: str, dtype: str) -> DescribedEngine:
    """file: the model; what OpenVINO quantised has its weights in a second file beside it."""
    weights = file.with_suffix(".bin") if file.suffix == ".xml" else file
    digests = {path.name: sha256(path) for path in (file, weights)}
    return DescribedEngine(setup, file, digests, sampler, dtype)


def add_engine_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", type=Path, required=True, help="json of engines.described")
    parser.add_argument("--threads", type=int, default=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=list(DEFAULTS), default="onnxruntime")
    parser.add_argument("--model", default="tsf_sim", help="its name")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--batch", type=int, default=1, help="for a model that takes any")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--file", type=Path, required=True, help="the model")
    add_sampler_argument(parser)
    add_dtype_argument(parser)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    setup = Setup(args.engine, args.model, args.precision, args.batch, args.device)
    write_described(args.output, describe(setup, args.file, args.sampler, args.dtype))


if __name__ == "__main__":
    errors.run(main)
