"""What the rules ask before any work: whose a file is, what it is called, what is measured."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tsf.engines.setup import Setup
from tsf.errors import UserError
from tsf.files import sha256

RESULTS = Path("results")


def is_made(path: str | Path) -> bool:
    """Whether the workflow makes the file or folder; all others the user brings."""
    return Path(path).is_relative_to(RESULTS)


def beside_snakefile(name: str, home: Path) -> str:
    """A path of the config: as it is, or else relative to `home`, the Snakefile's folder."""
    if not Path(name).exists() and (home / name).exists():
        return os.path.relpath(home / name)
    return name


def refuse_absent(key: str, paths: Iterable[str | Path]) -> list[str | Path]:
    """The paths. Raises UserError for one of the user's that is not there.

    Snakemake's own message takes ten lines and does not name the config's key.
    """
    paths = list(paths)
    for path in paths:
        if not is_made(path) and not Path(path).exists():
            raise UserError(f"{path}: no such file or folder; see {key} in the config")
    return paths


def checkpoint_file(where: str, home: Path) -> str:
    """Where the weights are: the configured file, or where those of a URL are saved."""
    if "://" in where:
        return str(RESULTS / "checkpoint" / Path(where).name)
    return beside_snakefile(where, home)


def checkpoint_digest(path: str, expected: str | None) -> str | None:
    """Identifies the weights, so that their file may be touched or moved without a new export.

    expected: the config's model.sha256, at least its first digits. Raises UserError for a file
    with another digest. A file that the workflow makes is checked when it is made.
    """
    if is_made(path) or not Path(path).is_file():
        return expected
    found = sha256(Path(path))
    if not found.startswith(expected or ""):
        raise UserError(f"{path}: sha256 is {found}, but model.sha256 in the config is {expected}")
    return found


def batch_suffix(batch: int) -> str:
    """What a model's name carries: none at batch 1, as in the guide's tsf.om, else as tsf_bs4."""
    return "" if batch == 1 else f"_bs{batch}"


def batch_of(suffix: str) -> int:
    """The batch size that `batch_suffix` made the suffix of."""
    return int(suffix.removeprefix("_bs") or 1)


def named(setups: Iterable[Setup]) -> dict[str, Setup]:
    return {setup.name: setup for setup in setups}


def on_onnxruntime(model: str) -> Setup:
    """An ONNX model on the engine that every machine has."""
    return Setup("onnxruntime", model, "f32")


def exact_setups(engine: Setup, ascend_onnx: str) -> dict[str, Setup]:
    """What must agree with PyTorch before `engine` may start on the dataset, itself the last.

    The models that its own is made from come first, so that the first that is off is at fault.
    ascend_onnx: the model that tsf.om is compiled from; what runs on the NPU is not compared.
    """
    npu = engine.engine == "ascend"
    models = ["tsf", "tsf_sim", ascend_onnx if npu else engine.model]
    return named([*map(on_onnxruntime, models), *([] if npu else [engine])])


def at_batch_sizes(engines: Iterable[Setup], batches: Iterable[int]) -> dict[str, Setup]:
    """Each engine at its own batch size and at the `batches`."""
    return named(
        replace(engine, batch=batch)
        for engine in engines
        for batch in sorted({engine.batch, *batches})
    )


def counted_model(setup: Setup) -> str:
    """The ONNX file that has the multiply-adds of what the setup runs, to count them in."""
    model = "tsf_sim" if setup.engine == "torch" else setup.model
    return replace(setup, engine="onnxruntime", precision="f32", model=model).file


def boundaries(setups: Iterable[str]) -> list[str]:
    """The measured distances' files, as the data goes: the bytes, then each setup's logits."""
    return [f"{RESULTS}/parity/{name}.json" for name in ("bytes", *setups)]


def error_lines(logs: Path, since: float) -> list[str]:
    """The lines `error: ...` of the logs that were written since, each with its log."""
    written = [path for path in sorted(logs.rglob("*.log")) if path.stat().st_mtime >= since]
    return [
        f"{line}  [{path}]"
        for path in written
        for line in path.read_text("utf-8", "replace").splitlines()
        if line.startswith("error: ")
    ]
