"""A step is redone when a module that it imports changes: those found are those imported."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tsf.workflow import sources

STEPS = sorted(
    ".".join(path.relative_to(sources.PACKAGE).with_suffix("").parts)
    for path in sources.PACKAGE.rglob("*.py")
    if "errors.run(main)" in path.read_text(encoding="utf-8")
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
    known = {"data.rawframes", "data.preprocess", "inference.infer", "evaluation.accuracy"}
    assert known | {"sample.dataset"} <= set(STEPS)


# one after the other they would take a minute, torch being imported again and again
@pytest.mark.parametrize(
    "module", ["data.preprocess", "inference.infer", "evaluation.accuracy", "sample.dataset"]
)
def test_the_modules_found_are_those_that_are_imported(module):
    loaded = {path for path in really_imported(module) if path.name != "__init__.py"}
    wording = {sources.PACKAGE / "errors.py", sources.PACKAGE / "progress.py"}
    assert loaded - wording == set(sources.sources(module))


def parsed(path):
    """What Python's own parser finds of the package's modules in a file's imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import is not found"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.startswith("tsf")}


def test_the_imports_of_every_file_are_those_that_the_parser_finds():
    for path in sources.PACKAGE.rglob("*.py"):
        assert set(sources.read(path).imports) == parsed(path), path


def test_imports_are_found_in_every_form(tmp_path):
    file = tmp_path / "step.py"
    file.write_text(
        "import os\nimport tsf.data\nimport tsf.model as model\nfrom tsf import files, errors\n"
        "from tsf.data.bins import (\n    read_bin as read,  # not tsf.files\n    bin_path,\n)\n"
        "def late():\n    from tsf.data import scratch as place\n"
    )
    assert len(parsed(file)) == 9
    assert set(sources.read(file).imports) == parsed(file)


def test_a_package_that_does_something_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PACKAGE", tmp_path)
    sources.sources.cache_clear()
    (tmp_path / "__init__.py").write_text('"""Words."""\n')
    (tmp_path / "room").mkdir()
    (tmp_path / "room/__init__.py").write_text('"""Words."""\n\nLIMIT = 3\n')
    (tmp_path / "room/step.py").write_text("from tsf.room import LIMIT\n")
    assert [path.name for path in sources.sources("room.step")] == ["__init__.py", "step.py"]
    sources.sources.cache_clear()


def test_a_step_is_among_its_own_sources():
    for module in STEPS:
        names = {path.name for path in sources.sources(module)}
        assert f"{module.split('.')[-1]}.py" in names


def test_an_engine_is_not_among_the_sources_of_what_loads_it_by_name():
    """The rule that knows the engine adds its sources, and a change of another redoes nothing."""
    found = {path.name for path in sources.sources("inference.infer")}
    assert "engine.py" in found and not found & {"onnxruntime.py", "openvino.py", "torch.py"}
    found = {path.name for path in sources.sources("engines.torch")}
    assert {"torch.py", "cpu.py", "setup.py"} <= found
    assert not found & {"onnxruntime.py", "openvino.py"}


def test_a_change_of_a_shared_module_reaches_every_way_to_the_bins():
    for module in ("rawframes", "preprocess", "count_frames", "temporary_bins"):
        names = {path.name for path in sources.sources(f"data.{module}")}
        assert {"decode.py", "sampling.py", "files.py"} <= names
