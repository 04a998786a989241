"""Each package says in its docstring which others it may import, and imports no other."""

import ast
import re

import pytest
from runs import ROOT

from tsf.workflow.sources import PACKAGE, read

ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
# beside the rooms, for every one of them
SHARED = {"digests", "errors", "files", "markdown", "progress", "workers"}


def may_import(room: str) -> set[str]:
    docstring = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text()))
    if docstring.endswith("Imports no other room."):
        return set()
    return set(re.search(r"May import ([\w, ]+)\.$", docstring)[1].split(", "))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_it_says(room):
    found = {
        name.split(".")[1]
        for path in (PACKAGE / room).glob("*.py")
        for name in read(path).imports
        if name.startswith("tsf.")
    }
    assert found & set(ROOMS) - {room} == may_import(room)
    assert found <= {*ROOMS, *SHARED}


def test_no_two_rooms_import_each_other():
    for room in ROOMS:
        assert not [other for other in may_import(room) if room in may_import(other)]


def test_contributing_draws_every_room():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \| .* \| (.*) \|$", text, re.MULTILINE)
    drawn = {room: set() if others == "none" else set(others.split(", ")) for room, others in rows}
    assert drawn == {room: may_import(room) for room in ROOMS}
