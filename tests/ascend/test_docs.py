"""Both languages of docs/ascend.md name every key, error code and doctor's line."""

import json

import pytest
from runs import ROOT

from tsf.ascend import atc


@pytest.mark.parametrize("name", ["ascend.md", "ascend.zh-CN.md"])
def test_nothing_is_left_out(name):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    schema = json.loads((ROOT / "config/schema.json").read_text(encoding="utf-8"))
    for key, about in schema["properties"]["ascend"]["properties"].items():
        for full in [f"{key}.{sub}" for sub in about.get("properties", {})] or [key]:
            assert f"| `{full}` |" in text, full
    for word in (*atc.HINTS, *atc.PRECISIONS):
        assert f"`{word}`" in text, word
