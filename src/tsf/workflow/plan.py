"""Helpers of the rules: who makes a file, its name, which setups to compare and to measure."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

from tsf.data.classes import class_names, classes_source
from tsf.engines.setup import Setup, batch_suffix, with_batch
from tsf.errors import UserError
from tsf.files import sha256
from tsf.model.weights_file import weights_file
from tsf.recipe import huggingface

RESULTS = Path("results")


def is_made(path: str | Path) -> bool:
    """Whether the workflow makes the file or folder; if not, it is the user's."""
    return Path(path).is_relative_to(RESULTS)


def beside_snakefile(name: str, home: Path) -> str:
    """A path of the config: as it is, or else relative to `home`, the Snakefile's folder."""
    if not Path(name).exists() and (home / name).exists():
        return os.path.relpath(home / name)
    return name


def refuse_absent(key: str, paths: Iterable[str | Path]) -> list[str | Path]:
    """The paths. Raises UserError for a path of the user's that does not exist.

    Snakemake's own message takes ten lines and does not name the config's key.
    """
    paths = list(paths)
    for path in paths:
        if not is_made(path) and not Path(path).exists():
            raise UserError(f"{path}: no such file or folder; see {key} in the config")
    return paths


def refuse_made_meanwhile(key: str, paths: Iterable[str | Path], outputs: Iterable[str]) -> None:
    """Raises UserError for a path of the user's that a rule of another workflow makes, or parts of.

    It is looked at while the jobs are planned, before they make anything. outputs: of all rules,
    with their wildcards, each of which may stand for any name in its folder.
    """
    places = [Path(os.path.abspath(path)) for path in paths if not is_made(path)]
    for output in outputs:
        if is_made(output):
            continue
        folder, wildcard, _ = output.partition("{")
        made = os.path.abspath(os.path.dirname(folder) if wildcard else output)
        for place in places:
            holds = not wildcard and place.is_relative_to(made)
            if holds or Path(made).is_relative_to(place):
                raise UserError(
                    f"{key} is looked at while the jobs are planned, but a rule makes {output}: "
                    "make it before, by a command of its own, or in results/ (docs/as-a-module.md)"
                )


def refuse_absent_folder(model: dict) -> None:
    """Raises UserError for a checkpoint that is not there, where it has to say all of the network.

    model: of the config. A file beside a model.config is asked for when it is read.
    """
    where = model["checkpoint"]
    if model["config"] is None and not ("://" in where or is_made(where) or Path(where).exists()):
        raise UserError(
            f"model.checkpoint {where}: no such file or folder; a model of the Hugging Face Hub "
            "has to be downloaded as a folder, of which this is the path"
        )


def refuse_braces(key: str, value: str | Path) -> None:
    """Raises UserError for text in which Snakemake would take braces for a wildcard."""
    if "{" in str(value) or "}" in str(value):
        raise UserError(f"{key} is {str(value)!r}, but Snakemake expands braces; write it without")


def refuse_unwritable() -> None:
    """Raises UserError if the working directory can take no results, or no records of Snakemake."""
    for folder in (RESULTS, Path(".snakemake")):
        place = folder if folder.exists() else Path()
        if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            raise UserError(
                f"{place.absolute()}: no right to read and write there; give it to the user who "
                "runs this, or run in another folder, with --directory"
            )


def checkpoint_name(url: str) -> str:
    """The name of the file that a URL is downloaded to."""
    return Path(urlsplit(url).path).name


def checkpoint_file(where: str, home: Path) -> str:
    """The path of the weights: the configured file or folder, or where a URL is downloaded to."""
    if "://" in where:
        return str(RESULTS / "checkpoint" / checkpoint_name(where))
    return beside_snakefile(where, home)


def checkpoint_digest(path: str, expected: str | None) -> str | None:
    """Identifies the weights, so that their file may be touched or moved without a new export.

    path: a file, or a Hugging Face folder, of whose files it is the weights'. expected: the
    config's model.sha256, at least its first digits. Raises UserError for a file with another
    digest. A file that the workflow makes is checked when it is made.
    """
    if is_made(path) or not Path(path).exists():
        return expected
    file = weights_file(Path(path))
    found = sha256(file)
    if not found.startswith(expected or ""):
        raise UserError(f"{file}: sha256 is {found}, but model.sha256 in the config is {expected}")
    return found


def classes_file(classes: str | None, checkpoint: str | None, home: Path) -> str | None:
    """The file that names the model's classes, but a dataset's own train.csv.

    classes: the config's dataset.classes. checkpoint: which names them itself if it is a Hugging
    Face folder with an id2label.
    """
    if classes is not None:
        return beside_snakefile(classes, home)
    config = Path(checkpoint or "", huggingface.CONFIG)
    named = checkpoint is not None and config.is_file() and huggingface.labels(config)
    return str(config) if named else None


@cache  # two rules ask, and the train.csv of Kinetics-400 takes a second or two
def refuse_other_classes(layout: str, root: Path, classes: str | None, number: int) -> None:
    """Raises UserError if the classes' names are there and are not `number`, as the model's."""
    source = classes_source(layout, root, Path(classes) if classes else None)
    if source is not None and source.is_file():
        class_names(layout, root, source, number)


def named(setups: Iterable[Setup]) -> dict[str, Setup]:
    return {setup.name: setup for setup in setups}


def on_onnxruntime(model: str, batch: int = 1) -> Setup:
    """The setup that runs an ONNX model on ONNX Runtime, which every machine has."""
    return Setup("onnxruntime", model, "f32", batch)


# the models of the guide's chain, which every run makes and proves
DELIVERED = ["tsf", "tsf_sim"]


def exact_setups(engine: Setup, ascend_onnx: str, ascend_batch: int) -> dict[str, Setup]:
    """The setups that must agree with PyTorch before `engine` may start on the dataset.

    `engine` is the last of them, after the models that its own model is made from: so the first
    setup that differs is the one at fault. ascend_onnx: the model that tsf.om is compiled from, at
    ascend_batch videos a run.
    """
    if engine.engine == "ascend":
        models = [on_onnxruntime(m, ascend_batch) for m in (*DELIVERED, ascend_onnx)]
        return named([*models, engine])
    # tsf_opt is exported by itself, so its engine need not wait for the chain of tsf_sim
    before = [] if engine.model.startswith("tsf_opt") else DELIVERED
    return named([*map(on_onnxruntime, [*before, engine.model]), engine])


def at_batch_sizes(engines: Iterable[Setup], batches: Iterable[int]) -> dict[str, Setup]:
    """Each engine at its own batch size and at the `batches`."""
    return named(
        replace(engine, batch=batch)
        for engine in engines
        for batch in sorted({engine.batch, *batches})
    )


@dataclass(frozen=True)
class Variant:
    """A way to compile the model for an NPU, to be compared with others."""

    onnx: str  # the file that it is compiled from
    precision: str
    batch: int


def variants(onnx: list[str], precisions: list[str], batches: list[int]) -> dict[str, Variant]:
    """Every model in every precision at every batch size, by the names of their files.

    onnx: names of models, as ascend.onnx.
    """
    found = {}
    for model, precision, batch in product(onnx, precisions, batches):
        name = with_batch(model, batch_suffix(batch))
        found[f"{name}_{precision}"] = Variant(f"{RESULTS}/{name}.onnx", precision, batch)
    return found


def macs_model(setup: Setup) -> str:
    """The ONNX file to count a setup's multiply-adds in: the same operations, in float32."""
    model = "tsf_sim" if setup.engine == "torch" else setup.model
    return replace(setup, engine="onnxruntime", precision="f32", model=model).file


def boundaries(setups: Iterable[str], has_uint8: bool) -> list[str]:
    """The files of the measured distances: the .bin files' bytes, then each setup's logits.

    has_uint8: whether the recipe has uint8 .bin files, whose bytes can be compared.
    """
    names = [*(["bytes"] if has_uint8 else []), *setups]
    return [f"{RESULTS}/parity/{name}.json" for name in names]


def files_digest(paths: Iterable[str | Path]) -> list[str]:
    """The sha256 of each file that is there."""
    return [sha256(Path(path)) for path in paths if Path(path).is_file()]


def compared_folders(folders: list[str] | None) -> list[str]:
    """The config's `compare`. Raises UserError if it is null, or a folder is not there."""
    if folders is None:
        raise UserError(
            "compare is null: name two folders of finished results, as in "
            "--config 'compare=[resultsA, resultsB]'"
        )
    for folder in folders:
        if not Path(folder).is_dir():
            raise UserError(f"{folder}: no such folder; see compare in the config")
    return folders


def without_places(config: dict) -> dict:
    """The config without the keys that say where the same things are: no result depends on them."""
    model = {key: value for key, value in config["model"].items() if key != "checkpoint"}
    places = ("devices", "python", "set_env")
    ascend = {key: value for key, value in config["ascend"].items() if key not in places}
    unlike = {"model": model, "ascend": ascend, "scratch": None, "compare": None, "cluster": None}
    return config | unlike


def error_lines(logs: Path, since: float) -> list[str]:
    """The lines `error: ...` of the logs, each with its log. since: of logs written after it."""
    return [
        f"{line}  [{path}]"
        for path, text in _written(logs.rglob("*.log"), since)
        for line in text.split("\n")
        if line.startswith("error: ")
    ]


def refused_submissions(logs: Path, since: float) -> list[str]:
    """What sbatch has said of the jobs that it refused, once each; their own logs are empty.

    logs: Snakemake's own. since: of logs written after it.
    """
    said = [
        words
        for _, text in _written(logs.glob("*.log"), since)
        for words in re.findall(
            r"SLURM sbatch failed\. The error message was '(.*?)'\.?$",
            text,
            re.DOTALL | re.MULTILINE,
        )
    ]
    return [f"error: {' '.join(words.split())}" for words in dict.fromkeys(said)]


def _written(logs: Iterable[Path], since: float) -> Iterator[tuple[Path, str]]:
    """The logs written after `since`, in order, and what they say."""
    for path in sorted(logs):
        if path.stat().st_mtime >= since:
            yield path, path.read_text("utf-8", "replace")
