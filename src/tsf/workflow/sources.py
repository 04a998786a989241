"""Which of the package's files a step runs, so that the workflow redoes it when one changes."""

import ast
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
        if imported.startswith("tsf"):
            _collect(imported, found)


class Module(NamedTuple):
    """What a file says of itself."""

    imports: tuple[str, ...]  # dotted names; of `from x import y` both x and x.y
    is_docstring_alone: bool


@cache  # most files are behind many steps
def read(path: Path) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    docstring_alone = all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in tree.body
    )
    return Module(tuple(names), docstring_alone)


@cache
def _file(name: str) -> Path | None:
    base = PACKAGE.joinpath(*name.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
