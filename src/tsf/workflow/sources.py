"""Which of the package's files a step runs, so that the workflow redoes it when one changes."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parent.parent
# messages and progress lines, which no result contains: a change of them redoes nothing
WORDING = {"tsf.errors", "tsf.progress"}


@cache
def sources(module: str) -> tuple[Path, ...]:
    """The files of `tsf.<module>` and of every tsf module that it imports, directly or not.

    An engine's module is not among them, as it is imported by a computed name: the rule that knows
    the name adds its sources. Files that no result depends on are left out: WORDING, and packages
    that hold a docstring alone.
    """
    found: dict[str, Path] = {}
    _collect(f"tsf.{module}", found)
    return tuple(sorted(found.values()))


def _collect(name: str, found: dict[str, Path]) -> None:
    path = _file(name)
    if path is None or name in found or name in WORDING:
        return
    module = read(path)
    if not module.is_docstring_alone:
        found[name] = path
    if "." in name:
        _collect(name.rpartition(".")[0], found)  # importing a module runs its package first
    for imported in module.imports:
        _collect(imported, found)


class Module(NamedTuple):
    """What a file says of itself."""

    imports: tuple[str, ...]  # of the package's modules; of `from x import y` both x and x.y
    is_docstring_alone: bool


# `import x`, or `from x import` and the names, on one line or in brackets. Python's own parser
# takes a quarter of a second for all files, which every start of Snakemake would pay; a test
# compares what is found with what the parser finds.
IMPORT = re.compile(
    r"^[ \t]*(?:import (tsf[\w.]*)|from (tsf[\w.]*) import (\([^)]*\)|.*))", re.MULTILINE
)
NO_NAME = re.compile(r"\bas \w+|#.*")


@cache  # most files are behind many steps
def read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    imports: list[str] = []
    for whole, source, names in IMPORT.findall(text):
        imported = re.findall(r"\w+", NO_NAME.sub("", names))
        imports += [whole or source, *(f"{source}.{name}" for name in imported)]
    return Module(tuple(imports), path.name == "__init__.py" and _is_docstring_alone(text))


def _is_docstring_alone(text: str) -> bool:
    return all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for node in ast.parse(text).body
    )


@cache
def _file(name: str) -> Path | None:
    base = PACKAGE.joinpath(*name.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
