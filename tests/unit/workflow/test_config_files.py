"""The configuration's files: each fault of their text is told in one line, with the file."""

import pytest
from runs import ROOT

from tsf.errors import UserError
from tsf.workflow.config_files import refuse_faulty


def test_what_is_shipped_is_read():
    refuse_faulty([ROOT / "config.yaml", *(ROOT / "config").glob("*.yaml")])


def test_json_with_tabs_and_a_merged_mapping_are_read(tmp_path):
    (tmp_path / "a.json").write_text('{\n\t"shards": 2\n}')
    (tmp_path / "b.yaml").write_text("a: &a {b: 1}\nc:\n  <<: *a\n  b: 2\n")
    refuse_faulty([tmp_path / "a.json", tmp_path / "b.yaml"])


@pytest.mark.parametrize(
    "text, fault",
    [
        ("shards: [\n", ", line 2: no YAML (expected the node content"),
        ("shards: 4: 5\n", ", line 1: no YAML (mapping values are not allowed here)"),
        ("model:\n\tconfig: x\n", ", line 2: no YAML (found character '\\t'"),
        ("dataset:\n  name: 数据\n".encode("gbk"), ": is not UTF-8 text; save it as UTF-8"),
        ("shards: 4\n1: 2\n", ": line 2: the key 1 is no text; put it in quotes"),
        ("? [a]\n: 1\n", ": line 1: the key ['a'] is no text; put it in quotes"),
        ("shards: 2\nkeep: bins\nshards: 3\n", ": line 3: shards is there twice"),
        ("parity:\n  clips: 2\n  clips: 3\n", ": line 3: clips is there twice"),
        ("engines: [{engine: a, engine: b}]", ": line 1: engine is there twice"),
        ('{"shards": 2, "shards": 3}', ": shards is there twice"),
        ("", ": holds no keys with values"),
        ("- shards\n", ": holds no keys with values"),
        ("shards: !!python/name:os.system\n", ", line 1: no YAML (could not determine"),
        ("a: " + "[" * 5000, ": its values are nested too deeply"),
        ("a: \0", ": unacceptable character #x0000"),
    ],
)
def test_a_faulty_text_is_told_in_one_line(tmp_path, text, fault):
    file = tmp_path / "config.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError) as raised:
        refuse_faulty([file])
    assert str(raised.value).startswith(f"{file}{fault}")
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none.yaml: cannot be read \(No such file"):
        refuse_faulty([tmp_path / "none.yaml"])


def test_another_workflow_s_config_may_have_numbers_as_keys(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("samples: {1: a}\n")
    refuse_faulty([file], text_keys=False)
    file.write_text("samples: {1: a, 1: b}\n")
    with pytest.raises(UserError, match="line 1: 1 is there twice"):
        refuse_faulty([file], text_keys=False)
