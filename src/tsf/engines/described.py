"""The description of an engine, results/engines/<name>.json: its settings, model and clips.

The file is made anew when the model, the engine's code or a setting changes, and every step that
runs the engine has it as an input. Such a step waits for the engine's proof by an ancient() input.
While the job behind an ancient() input is due, Snakemake (9.27) overlooks changed parameters and
files of the step itself; that another of its inputs is made anew it does notice. So everything
that shall redo the inference must redo this file.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

from tsf import errors
from tsf.data.bins import add_dtype_argument
from tsf.engines.setup import DEFAULTS, Setup, input_dtype
from tsf.errors import UserError, on_one_line
from tsf.files import read_json, sha256, write_json
from tsf.recipe.record import ClipRecipe, add_recipe_argument


@dataclass(frozen=True)
class DescribedEngine:
    """A setup, its model's file, and the clips that it gets."""

    setup: Setup
    file: Path
    sha256: dict[str, str]  # of the model's files, by name
    recipe: ClipRecipe  # of the clips that it gets
    dtype: str  # of the .bin files

    @property
    def takes(self) -> str:
        """The type of the model's input: ais_bench gives an .om file the .bin files as they are."""
        return self.dtype if self.setup.engine == "ascend" else input_dtype(self.setup.model)


def read_described(path: Path) -> DescribedEngine:
    """What `write_described` wrote. Raises UserError."""
    content = read_json(path)
    try:
        exact = {
            "setup": Setup(**content["setup"]),
            "file": Path(content["file"]),
            "recipe": ClipRecipe.from_dict(content["recipe"]),
        }
        return DescribedEngine(**content | exact)
    except (TypeError, ValueError) as fault:  # a key more or less
        raise UserError(
            f"{path}: no engine as this release describes one ({on_one_line(fault)}); delete it "
            "and run again"
        ) from None


def write_described(path: Path, described: DescribedEngine) -> None:
    content = asdict(described) | {"file": str(described.file)}
    write_json(path, content)


def digests(file: Path) -> dict[str, str]:
    """The sha256 of a model's files, by name.

    An .xml, OpenVINO's format, has its weights in a .bin beside it.
    """
    weights = file.with_suffix(".bin") if file.suffix == ".xml" else file
    return {path.name: sha256(path) for path in (file, weights)}


def describe(setup: Setup, file: Path, recipe: ClipRecipe, dtype: str) -> DescribedEngine:
    return DescribedEngine(setup, file, digests(file), recipe, dtype)


def refuse_other_model(described: DescribedEngine) -> None:
    """Raises UserError if the model is no longer the one that was described, and then proven.

    A file that was put in its place with its time kept is no reason for Snakemake to run a step.
    """
    if digests(described.file) != described.sha256:
        raise UserError(
            f"{described.file}: not the model that was proven, but cut short or changed since (by "
            "its sha256); delete it and run again"
        )


def add_engine_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", type=Path, required=True, help="json of engines.described")
    parser.add_argument("--threads", type=int, default=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=list(DEFAULTS), default="onnxruntime")
    parser.add_argument("--model", default="tsf_sim", help="the model's name")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--batch", type=int, default=1, help="videos a run")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--file", type=Path, required=True, help="the model's file")
    add_recipe_argument(parser, ClipRecipe)
    add_dtype_argument(parser)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    setup = Setup(args.engine, args.model, args.precision, args.batch, args.device)
    write_described(args.output, describe(setup, args.file, args.recipe, args.dtype))


if __name__ == "__main__":
    errors.run(main)
