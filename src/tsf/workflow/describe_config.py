"""Write what config/schema.json says of the configuration's keys where a person reads it.

The comments in config.yaml and the tables in README and docs/ascend, each in two languages, are the
schema's descriptions: `description` in English, `x-zh` in Chinese. The defaults are config.yaml's.
"""

import argparse
import json
import re
import textwrap
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import yaml

from tsf import errors
from tsf.errors import UserError
from tsf.files import write_text

BEGIN, END = "<!-- the config's keys, written by `make docs` -->\n", "<!-- end of the keys -->\n"
ENGLISH, CHINESE = "description", "x-zh"
HEADER = {ENGLISH: ["key", "default", "meaning"], CHINESE: ["键", "默认值", "含义"]}
OWN_TABLE = "ascend"  # the key whose keys have a table of their own, in docs/ascend


def leaves(schema: dict, defaults: dict, name: str = "") -> Iterator[tuple[str, object, dict]]:
    """Every key whose default has no keys of its own: dotted name, default, what the schema says.

    A key with a table of its own counts as one.
    """
    for key, about in schema["properties"].items():
        full = f"{name}.{key}".lstrip(".")
        if isinstance(defaults[key], dict) and full != OWN_TABLE:
            yield from leaves(about, defaults[key], full)
        else:
            yield full, defaults[key], about


def table(schema: dict, defaults: dict, language: str) -> str:
    """A row a key: its name, its default and its meaning."""
    rows = [HEADER[language], ["---"] * 3]
    for name, value, about in leaves(schema, defaults):
        default = "" if name == OWN_TABLE else f"`{json.dumps(value)}`".replace('"', "")
        rows.append([f"`{name}`", default, about[language]])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_table(text: str, new: str) -> str:
    """The text with what stands between its two markers replaced. Raises UserError."""
    found = re.fullmatch(f"(.*{re.escape(BEGIN)}).*({re.escape(END)}.*)", text, re.DOTALL)
    if not found:
        raise UserError(f"the lines {BEGIN.strip()} and {END.strip()} are missing")
    return f"{found[1]}\n{new}\n{found[2]}"


def with_comments(text: str, schema: dict) -> str:
    """config.yaml with the comment right above each key replaced by the schema's description."""
    lines: list[str] = []
    path: list[str] = []
    for line in text.splitlines():
        if key := re.match(r"( *)(\w+):", line):
            indent, name = key.groups()
            path[len(indent) // 2 :] = [name]
            while lines and lines[-1].startswith(f"{indent}#"):
                lines.pop()
            about = reduce(lambda about, name: about["properties"][name], path, schema)
            lines += textwrap.wrap(
                about[ENGLISH],
                width=100,
                initial_indent=f"{indent}# ",
                subsequent_indent=f"{indent}# ",
                break_on_hyphens=False,
            )
        lines.append(line)
    return "\n".join(lines) + "\n"


def described(home: Path) -> dict[Path, str]:
    """What each file that speaks of the keys must hold, by path. Raises UserError."""
    schema = json.loads((home / "config/schema.json").read_text(encoding="utf-8"))
    text = (home / "config.yaml").read_text(encoding="utf-8")
    defaults = yaml.safe_load(text)
    files = {home / "config.yaml": with_comments(text, schema)}
    ascend = schema["properties"][OWN_TABLE], defaults[OWN_TABLE]
    for name, (keys, values), language in (
        ("README.md", (schema, defaults), ENGLISH),
        ("README.zh-CN.md", (schema, defaults), CHINESE),
        ("docs/ascend.md", ascend, ENGLISH),
        ("docs/ascend.zh-CN.md", ascend, CHINESE),
    ):
        path = home / name
        try:
            new = with_table(path.read_text(encoding="utf-8"), table(keys, values, language))
        except UserError as fault:
            raise UserError(f"{path}: {fault}") from None
        files[path] = new
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, help="the checkout's folder")
    for path, text in described(parser.parse_args().home).items():
        write_text(path, text)


if __name__ == "__main__":
    errors.run(main)
