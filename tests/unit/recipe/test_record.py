"""A recipe that a damaged file states is refused."""

import json
from dataclasses import asdict

import pytest
from recipes import GUIDE

from tsf.errors import UserError
from tsf.files import write_json
from tsf.recipe.record import ClipRecipe, read_origin, read_part


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


def test_where_the_values_are_from_is_json_or_the_recipes_file(tmp_path):
    origin = {"mean": "recipe.mean", "std": "model.config"}
    assert read_origin(json.dumps(origin)) == origin
    write_json(tmp_path / "recipe.json", {"classes": 8, "origin": origin})
    assert read_origin(str(tmp_path / "recipe.json")) == origin


@pytest.mark.parametrize("text", ["{", '{"mean": 1}', '{"origin": []}', "absent.json"])
def test_other_origins_are_refused(text):
    with pytest.raises(UserError, match="no origins"):
        read_origin(text)
