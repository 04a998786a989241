"""Every locked package has a licence that is known, and that is permissive or accepted by name."""

import runpy

import pytest
from runs import ROOT

LICENCES = runpy.run_path(str(ROOT / "envs/licences.py"), run_name="licences")
accepted = LICENCES["accepted"]
PACKAGES = {name: lock for name, _, lock in LICENCES["locked"]()}


def rows():
    """Package -> licence of the table in the document."""
    lines = (ROOT / "docs/licences.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if line.count("|") == 5]
    return {row[1]: row[3] for row in cells[2:]}


def test_the_document_is_up_to_date():
    """If not: `.venv/bin/python envs/licences.py`."""
    assert (ROOT / "docs/licences.md").read_text(encoding="utf-8") == LICENCES["table"]()


def test_it_has_every_locked_package():
    assert rows().keys() == PACKAGES.keys() and len(PACKAGES) > 100


@pytest.mark.parametrize("name", PACKAGES)
def test_the_licence_is_accepted(name):
    assert accepted(name, rows()[name]), rows()[name]


def test_what_is_accepted_by_name_is_locked():
    for known in LICENCES["NAMED"]:
        assert any(name == known or name.startswith(known) for name in PACKAGES), known


@pytest.mark.parametrize(
    ("stated", "fits"),
    [
        ("MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("(MIT OR GPL-2.0-only) AND LGPL-3.0-only", False),
        ("GPL-3.0-or-later", False),
        ("unknown", False),
    ],
)
def test_a_licence_that_asks_for_more_is_not(stated, fits):
    assert accepted("a-package", stated) == fits
