"""Read an mmaction2 config file without running it.

mmcv and mmengine run a config file as Python. Nearly all of them are assignments of plain values,
which are read here from the syntax tree, so that a config of unknown origin runs no code. Files
named in `_base_` are merged as mmcv's Config._merge_a_into_b merges them.
"""

import ast
import hashlib
import json
import operator
import os
import re
import runpy
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from tsf.errors import UserError

RUN = "mmaction2 runs a config file as Python, model.run_config: true lets this one be run"
# what mmcv and mmengine replace in a file's text before they run it
TEMPLATE = re.compile(r"\{\{\s*(\$|_base_\b|file(Dirname|Basename|BasenameNoExtension|Extname)\b)")
OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
LONGEST_INTEGER = 10_000  # bits; Python does not print more than 4300 digits
LONGEST_RANGE = 10**6  # one of 10**12 would fill the memory


class NotPlain(UserError):
    """More than an assignment of plain values."""


def read_config(path: Path, run: bool = False) -> dict[str, Any]:
    """Every name that the config file assigns, merged over the files of its `_base_`.

    run: run the files as Python, as mmaction2 does. Raises UserError, with the file and the line,
    for a file that cannot be read or, without `run`, holds anything but plain assignments.
    """
    try:
        return _read(path, run, ())
    except RecursionError:
        raise UserError(f"{path}: its values are nested too deeply") from None


def read_text(text: str, where: Path, names: Iterable[str]) -> dict[str, Any]:
    """Those of the names that the text of a config without `_base_` assigns; it is not run.

    where: the text is from, for messages. What only other names need may be anything, as an
    optimizer of the user's own. Raises UserError as `read_config`.
    """
    try:
        assigned = _assigned(where, _needed(_tree(text, where), names))
        return {name: assigned[name] for name in names if name in assigned}
    except RecursionError:
        raise UserError(f"{where}: its values are nested too deeply") from None


def digest(content: Any) -> str:
    """Identifies what `read_config` returns, wherever the file lies and however it is laid out."""
    return hashlib.sha256(json.dumps(_canonical(content)).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted([repr(key), _canonical(item)] for key, item in value.items())
    # in a list, so that a dict is not the same as the list of its items
    return {"list": [_canonical(item) for item in value]} if _is_row(value) else value


def _is_row(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _read(path: Path, run: bool, above: tuple[Path, ...]) -> dict[str, Any]:
    """above: the files whose `_base_` led here."""
    if path.resolve() in above:
        raise UserError(f"{path}: its _base_ leads back to it")
    tree = _parsed(path)
    try:
        assigned = _run(path) if run else _assigned(path, tree)
    except NotPlain as fault:
        raise UserError(f"{fault}; {RUN}") from None
    content = {name: value for name, value in assigned.items() if not name.startswith("__")}
    bases = content.pop("_base_", [])
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise UserError(f"{path}: _base_ is {bases!r}, neither a path nor a list of paths")
    inherited: dict[str, Any] = {}
    for base in bases:
        file = Path(os.path.normpath(path.parent / base))
        if not file.is_file():
            raise UserError(f"{path}: _base_ {base!r} is no file ({file})")
        read = _read(file, run, (*above, path.resolve()))
        twice = sorted(inherited.keys() & read.keys())
        if twice:
            raise UserError(f"{path}: two files of _base_ assign {twice[0]}")
        inherited |= read
    return _merged(content, inherited, path)


def _parsed(path: Path) -> ast.Module:
    if path.suffix != ".py":
        raise UserError(f"{path}: a config is a .py file")
    try:
        return _tree(path.read_text(encoding="utf-8"), path)
    except OSError as fault:
        raise UserError(f"{path}: cannot be read ({fault.strerror})") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text") from None


def _tree(text: str, path: Path) -> ast.Module:
    try:
        tree = ast.parse(text)
        compile(text, str(path), "exec", dont_inherit=True)  # a keyword given twice parses
    except SyntaxError as fault:
        raise UserError(f"{path}, line {fault.lineno}: no Python ({fault.msg})") from None
    except (ValueError, MemoryError) as fault:
        raise UserError(f"{path}: no Python ({fault or 'nested too deeply'})") from None
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(word)):
                template = TEMPLATE.search(word) is not None
            case ast.Set(elts=[ast.Set(), *_]):  # {{ _base_.x }} without quotes
                template = True
            case _:
                continue
        if template:
            raise UserError(
                f"{path}, line {node.lineno}: {_short(node)} is a template of mmcv, which is not "
                "implemented; write the value in its place"
            )
    return tree


def _run(path: Path) -> dict[str, Any]:
    try:
        assigned = runpy.run_path(str(path))
    except (Exception, SystemExit) as fault:
        reason = " ".join(f"{type(fault).__name__}: {fault}".split())
        raise UserError(f"{path}: running it failed ({reason})") from None
    # what it imported or defined is no value of the config
    return {
        name: _plain(value, f"{path}: {name}")
        for name, value in assigned.items()
        if not (name.startswith("__") or callable(value) or isinstance(value, types.ModuleType))
    }


def _plain(value: Any, where: str) -> Any:
    """The value as a file that is not run would have it; a class is known by its name."""
    if isinstance(value, dict):
        return {key: _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, range)):
        return [_plain(item, where) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item, where) for item in value)
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if value is None or type(value) in (bool, int, float, str):
        try:
            return _bounded(value)
        except ValueError as fault:
            raise UserError(f"{where} is {fault}") from None
    raise UserError(f"{where} is a {type(value).__name__}, no plain value")


def _needed(tree: ast.Module, names: Iterable[str]) -> ast.Module:
    """The statements that the names' values depend on: not the assignments of others alone."""
    needed, kept = set(names), []
    for statement in reversed(tree.body):
        used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) if name not in needed:
                continue
        needed |= used
        kept.append(statement)
    return ast.Module(kept[::-1], [])


def _assigned(path: Path, tree: ast.Module) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for statement in tree.body:
        match statement:
            case ast.Expr(value=ast.Constant()):  # a docstring
                pass
            case ast.Assign(targets=targets) if all(isinstance(t, ast.Name) for t in targets):
                value = _value(statement.value, names, path)
                names |= {target.id: value for target in targets if isinstance(target, ast.Name)}
            case _:
                _refuse(statement, path)
    return names


def _value(node: ast.expr, names: dict[str, Any], path: Path) -> Any:
    def value(node: ast.expr) -> Any:
        return _value(node, names, path)

    try:
        match node:
            case ast.Constant(value=None | bool() | int() | float() | str()):
                return _bounded(node.value)
            case ast.List():
                return [value(item) for item in node.elts]
            case ast.Tuple():
                return tuple(value(item) for item in node.elts)
            case ast.Dict():
                return _dict(zip(node.keys, node.values, strict=True), value)
            case ast.Call(func=ast.Name(id="dict"), args=[] | [ast.Dict()]):
                keys = [ast.Constant(k.arg) if k.arg else None for k in node.keywords]
                pairs = zip(keys, [k.value for k in node.keywords], strict=True)
                # mmcv writes dict({'a.b': 1}) where a key is no name
                first = value(node.args[0]) if node.args else {}
                return first | _dict(pairs, value, call=True)
            case ast.Call(func=ast.Name(id="range"), keywords=[]):  # of gpu_ids
                row = range(*map(value, node.args))
                if len(row) > LONGEST_RANGE:
                    raise ValueError("too long")
                return list(row)
            case ast.Name() if node.id in names:
                return names[node.id]
            case ast.UnaryOp(op=ast.USub()):
                return -value(node.operand)
            case ast.BinOp() if type(node.op) in OPERATORS:
                return _bounded(OPERATORS[type(node.op)](value(node.left), value(node.right)))
            case ast.JoinedStr():
                return "".join(map(value, node.values))
            case ast.FormattedValue(conversion=-1, format_spec=None):
                return format(value(node.value))
    except (TypeError, ValueError, ArithmeticError, MemoryError) as fault:
        reason = str(fault) or type(fault).__name__
        raise UserError(f"{path}, line {node.lineno}: {_short(node)}: {reason}") from None
    _refuse(node, path)


def _bounded(value: Any) -> Any:
    """The value, but for an integer that no message could show."""
    if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER:
        raise ValueError(f"an integer of more than {LONGEST_INTEGER} bits")
    return value


def _dict(
    pairs: Iterable[tuple[ast.expr | None, ast.expr]], value: Callable, call: bool = False
) -> dict:
    """call: as dict(**a, **b), which is an error for a name that is in both; {**a, **b} is not."""
    made: dict = {}
    for key, item in pairs:
        new = value(item) if key is None else {value(key): value(item)}
        if call and made.keys() & new.keys():
            raise TypeError(f"got {sorted(made.keys() & new.keys())[0]!r} twice")
        made |= new
    return made


def _refuse(node: ast.stmt | ast.expr, path: Path) -> NoReturn:
    unknown = "a name that is not assigned before, " if isinstance(node, ast.Name) else ""
    raise NotPlain(f"{path}, line {node.lineno}: {_short(node)} is {unknown}no plain value")


def _short(node: ast.AST) -> str:
    try:
        text = " ".join(ast.unparse(node).split())
    except ValueError:  # as `_bounded`
        return "a value"
    return f"`{text}`" if len(text) <= 60 else f"`{text[:57]}...`"


def _merged(child: dict, base: dict, path: Path, at: str = "") -> dict:
    """`child` over `base`: dicts key by key, unless the child's has `_delete_`."""
    merged = dict(base)
    for key, value in child.items():
        if isinstance(value, dict) and key in base:
            own = {name: item for name, item in value.items() if name != "_delete_"}
            if value.get("_delete_"):
                value = own
            elif isinstance(base[key], dict):
                value = _merged(own, base[key], path, f"{at}{key}.")
            else:
                raise UserError(
                    f"{path}: {at}{key} is a dict, but in its _base_ a "
                    f"{type(base[key]).__name__}; give it _delete_=True to replace that"
                )
        merged[key] = value
    return merged
