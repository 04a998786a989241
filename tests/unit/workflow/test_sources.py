"""A step is redone when a module that it imports changes: those found are those imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tsf.workflow import sources

STEPS = sorted(
    ".".join(path.relative_to(sources.PACKAGE).with_suffix("").parts)
    for path in sources.PACKAGE.rglob("*.py")
    if "errors.run(main)" in path.read_text(encoding="utf-8") or path.stem == "dataset"
)


def really_imported(module):
    """The package's files that the interpreter has loaded after importing the module."""
    script = (
        "import sys, importlib; importlib.import_module('tsf.' + sys.argv[1])\n"
        "for name, module in list(sys.modules.items()):\n"
        "    if name.split('.')[0] == 'tsf': print(module.__file__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(sources.PACKAGE.parent)}
    result = subprocess.run(
        [sys.executable, "-c", script, module],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {Path(line) for line in result.stdout.splitlines()}


def test_the_steps_are_known():
    assert {"frames", "preprocess", "infer", "gather", "accuracy", "sample.dataset"} <= set(STEPS)


# one after the other they would take a minute, torch being imported again and again
@pytest.mark.parametrize("module", ["preprocess", "infer", "accuracy", "sample.dataset"])
def test_the_modules_found_are_those_that_are_imported(module):
    loaded = really_imported(module)
    assert loaded <= set(sources.sources(module))
    # but not simply everything: what only other steps run is left out
    others = {"report.py", "upstream.py", "gather.py", "simplify.py"}
    assert not others & {path.name for path in sources.sources(module)}


def test_a_change_of_a_shared_module_reaches_every_step():
    for module in STEPS:
        names = {path.name for path in sources.sources(module)}
        assert f"{module.split('.')[-1]}.py" in names
    for module in ("frames", "preprocess"):
        names = {path.name for path in sources.sources(module)}
        assert {"decode.py", "sampling.py", "files.py"} <= names
