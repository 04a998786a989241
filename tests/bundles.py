"""Bundles of a tiny model, built by the command line from made-up measurements."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import runs
from recipes import GUIDE

from tsf.data.tables import write_lines
from tsf.engines.described import describe, write_described
from tsf.engines.setup import Setup
from tsf.files import write_json
from tsf.recipe.record import Recipe

CLASSES = [f"class {n}" for n in range(8)]  # the tiny model's
DETAIL = {"percent": 75.0, "interval95": [70.0, 80.0]}


def build(
    folder: Path, setup: Setup, model: Path, /, recipe=GUIDE, dtype="float32", **changed
) -> Path:
    """folder/bundle. dtype: of the .bin files.

    changed: options of tsf.bundle.build that take the place of its own.
    """
    result = run_build(folder, setup, model, recipe, dtype, **changed)
    assert result.returncode == 0, result.stderr
    return folder / "bundle"


def run_build(
    folder: Path,
    setup: Setup,
    model: Path,
    /,
    recipe=GUIDE,
    dtype="float32",
    described=None,
    edited=None,
    **changed,
) -> subprocess.CompletedProcess:
    """Of the command line. described: the engine's description, if it is not of `model` as it is.

    edited: path -> text, of inputs that change after they were written. The others: as of `build`.
    """
    recipe_file = folder / "recipe.json"
    write_json(recipe_file, asdict(Recipe(recipe, "mean_softmax", 8)))
    engine = folder / f"{setup.name}.json"
    write_described(engine, described or describe(setup, model, recipe, dtype))
    boundary = {"name": model.name, "measure": "max_abs", "max_abs": 2e-6, "allowed": 1e-4}
    proof = folder / f"proofs/{setup.name}.json"
    write_json(proof, {"clips": ["a", "b"], "boundaries": [boundary]})
    figures = {"videos": 40, "top1_detail": DETAIL, "top5_detail": DETAIL}
    figures["device"] = "a chip, force_fp16, fast Gelu"
    accuracy = folder / "accuracy.json"
    content = {"engines": {setup.name: figures}, "listed": 42, "skipped": 2}
    write_json(accuracy, content)
    write_lines(folder / "classes.txt", CLASSES)
    for path, text in (edited or {}).items():
        path.write_text(text)
    options = {
        "engines": engine,
        "proofs": proof,
        "accuracy": accuracy,
        "recipe": recipe_file,
        "classes": folder / "classes.txt",
        "ascend": runs.ROOT / "envs/ascend.yaml",
        "dataset": "made-up videos",
        "model": "tiny.py",
        "checkpoint": "tiny.pth",
        "output": folder / "bundle",
    } | changed
    arguments = [f"--{key}={value}" for key, value in options.items()]
    arguments += ["--locks", *(runs.ROOT / f"envs/{name}.lock" for name in ("cpu", "openvino"))]
    return runs.module("bundle.build", *arguments)


def predict(bundle: Path, *arguments, **options) -> subprocess.CompletedProcess:
    """Run its predict.py from another folder."""
    options = {"cwd": "/", "python": sys.executable} | options
    command = [options.pop("python"), str(bundle / "predict.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def rows(result: subprocess.CompletedProcess) -> dict[str, list[tuple[str, float]]]:
    """The classes and probabilities of each video, by its path."""
    found = map(json.loads, result.stdout.splitlines())
    return {
        row["video"]: [(best["class"], best["probability"]) for best in row["classes"]]
        for row in found
    }
