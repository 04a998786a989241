"""Read the configuration's files before Snakemake does, which is not clear about their faults.

Snakemake reads --configfile before the Snakefile. It ends with a traceback if the text is not
UTF-8, does not name a file that is no YAML, and takes the last of two keys of one name.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tsf.errors import UserError, on_one_line


class _Loader(yaml.SafeLoader):
    """Plain values, and no key twice."""

    text_keys = False

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        pairs = [
            (self.construct_object(key, deep=True), key.start_mark.line + 1)
            for key, _ in node.value
            if key.tag != "tag:yaml.org,2002:merge"
        ]
        names = []
        for name, line in pairs:
            if self.text_keys and not isinstance(name, str):
                raise ValueError(f"line {line}: the key {name!r} is no text; put it in quotes")
            if name in names:
                raise ValueError(f"line {line}: {name} is there twice; leave one of them")
            names.append(name)
        made: dict = super().construct_mapping(node, deep)
        return made


class _LoaderOfText(_Loader):
    """Names as keys, too."""

    text_keys = True


def refuse_faulty(files: Iterable[str | Path], text_keys: bool = True) -> None:
    """Raises UserError for a file that is no mapping in YAML or JSON, or has a key twice.

    text_keys: whether a key that is a number is refused; another workflow's config may have some.
    """
    for file in files:
        try:
            content = _read(Path(file).read_text(encoding="utf-8"), text_keys)
        except OSError as error:
            raise UserError(f"{file}: cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise UserError(f"{file}: is not UTF-8 text; save it as UTF-8") from None
        except yaml.MarkedYAMLError as error:
            line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise UserError(f"{file}{line}: no YAML ({error.problem})") from None
        except RecursionError:
            raise UserError(f"{file}: its values are nested too deeply") from None
        except (yaml.YAMLError, ValueError) as error:
            raise UserError(f"{file}: {on_one_line(error)}") from None
        if not isinstance(content, dict):
            raise UserError(f"{file}: holds no keys with values, as in `shards: 4`")


def _read(text: str, text_keys: bool) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except json.JSONDecodeError:
        return yaml.load(text, Loader=_LoaderOfText if text_keys else _Loader)


def _distinct(pairs: list[tuple[str, Any]]) -> dict:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} is there twice; leave one of them")
    return content
