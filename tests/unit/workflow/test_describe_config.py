"""What people read of the configuration's keys is what its schema says, in both languages."""

import json
import re

import pytest
import yaml
from runs import ROOT

from tsf.engines.setup import DEFAULTS, ONNX, PRECISIONS
from tsf.errors import UserError
from tsf.workflow.describe_config import BEGIN, END, described, table, with_comments, with_table

SCHEMA = {
    "properties": {
        "shards": {"description": "Jobs.", "x-zh": "作业数。"},
        "model": {
            "description": "The model.",
            "x-zh": "模型。",
            "properties": {
                "file": {"description": "A file; " + 20 * "and so ", "x-zh": "文件。"},
            },
        },
        "ascend": {
            "description": "The NPU.",
            "x-zh": "NPU。",
            "properties": {"batches": {"description": "Sizes.", "x-zh": "大小。"}},
        },
    }
}
CONFIG = """# The header stays.

# An old
# comment.
shards: 4

model:
  # Old.
  file: null
ascend:
  batches: [1, tsf]
"""
TABLES = ("README.md", "README.zh-CN.md", "docs/ascend.md", "docs/ascend.zh-CN.md")


def test_the_five_documents_say_what_the_schema_says():
    files = described(ROOT)
    assert files.keys() == {ROOT / name for name in ("config.yaml", *TABLES)}
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is not up to date: make docs"


def test_the_table_has_a_row_a_key_with_its_default():
    defaults = yaml.safe_load(CONFIG)
    rows = table(SCHEMA, defaults, "x-zh").splitlines()
    assert rows == [
        "| 键 | 默认值 | 含义 |",
        "| --- | --- | --- |",
        "| `shards` | `4` | 作业数。 |",
        "| `model.file` | `null` | 文件。 |",
        "| `ascend` |  | NPU。 |",
    ]
    ascend = table(SCHEMA["properties"]["ascend"], defaults["ascend"], "description")
    assert ascend.splitlines()[2:] == ["| `batches` | `[1, tsf]` | Sizes. |"]


def test_the_comments_are_replaced_and_nothing_else():
    text = with_comments(CONFIG, SCHEMA)
    assert yaml.safe_load(text) == yaml.safe_load(CONFIG)
    assert text.startswith("# The header stays.\n\n# Jobs.\nshards: 4\n\n# The model.\nmodel:\n")
    assert "ld" not in text
    long = [line for line in text.splitlines() if line.startswith("  # ")]
    assert len(long) == 3 and all(len(line) <= 100 for line in long)
    assert with_comments(text, SCHEMA) == text


def test_a_document_without_the_markers_is_told():
    assert with_table(f"a\n{BEGIN}old\n{END}b\n", "new\n") == f"a\n{BEGIN}\nnew\n\n{END}b\n"
    with pytest.raises(UserError, match="are missing"):
        with_table(f"a\n{BEGIN}old\n", "new\n")


def every_key(schema):
    for about in schema["properties"].values():
        yield about
        yield from every_key(about) if "properties" in about else ()


def test_every_key_is_described_in_both_languages():
    schema = json.loads((ROOT / "config/schema.json").read_text(encoding="utf-8"))
    for about in every_key(schema):
        assert about["description"].endswith(".") and re.search(r"[。…]$", about["x-zh"]), about
        assert "|" not in about["description"] + about["x-zh"]  # would end a cell


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_engines_table_is_that_of_the_code(name):
    """The models, precisions and devices of each engine, its defaults first."""
    rows = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) for cell in line.split(" | ")]
        if len(cells) == 4 and len(cells[0]) == 1:
            rows[cells[0][0]] = cells[1:]
    for engine, precisions in PRECISIONS.items():
        models, shown, devices = rows[engine]
        assert models == (["tsf"] if engine == "torch" else ONNX)
        assert shown == precisions
        default = DEFAULTS[engine]
        assert [default.model, default.precision, default.device] == [
            first for first, *_ in (models, shown, devices)
        ]
