"""docs/what-can-go-wrong.md names a test for each promise, and the Chinese page the same ones."""

import re

import pytest
from runs import ROOT

PAGES = [ROOT / "docs/what-can-go-wrong.md", ROOT / "docs/what-can-go-wrong.zh-CN.md"]


def named(page):
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8"))


def test_both_pages_name_the_same_tests():
    english, chinese = map(named, PAGES)
    assert english == chinese and len(english) == len(set(english)) > 20


def test_every_row_of_a_promise_names_one():
    for page in PAGES:
        rows = re.findall(r"^\| .* \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert sum("::" in row for row in rows) == len(named(page))


@pytest.mark.parametrize(("file", "name"), named(PAGES[0]))
def test_it_is_there(file, name):
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
