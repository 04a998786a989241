"""A recipe that a damaged file states is refused."""

import json
from dataclasses import asdict

import pytest
from recipes import GUIDE

from tsf.errors import UserError
from tsf.recipe.record import ClipRecipe, read_part


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("side", "224"),
        ("side", None),
        ("sampling", 8),
        ("crops", "four"),
        ("source", ["video"]),
        ("mean", [1.0, 2.0]),
        ("mean", [1.0, 2.0, None]),
        ("unknown", 1),
    ],
)
def test_a_field_that_is_none_is_refused(field, value):
    with pytest.raises(UserError, match="no recipe"):
        read_part(json.dumps(asdict(GUIDE) | {field: value}), ClipRecipe)
