"""The configuration: what is shipped is valid, and every fault is told in one line with a hint."""

import json

import pytest
import yaml
from runs import ROOT

from tsf.errors import UserError
from tsf.model import checkpoints
from tsf.recipe import named
from tsf.recipe.fields import FIELDS, WORDS
from tsf.workflow.config import check

SCHEMA = ROOT / "config/schema.json"
SHIPPED = sorted((ROOT / "config").glob("*.yaml"))


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def merge(base, changes):
    """As Snakemake lays one configuration over another."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged


@pytest.fixture
def default():
    return load(ROOT / "config.yaml")


def fault_of(config):
    with pytest.raises(UserError) as fault:
        check(config, SCHEMA)
    message = str(fault.value)
    assert message.startswith("config: ") and "\n" not in message
    return message


def test_the_default_is_valid(default):
    check(default, SCHEMA)


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_the_shipped_configurations_are_valid_over_the_default(path, default):
    check(merge(default, load(path)), SCHEMA)


@pytest.mark.parametrize("path", [ROOT / "config.yaml", *SHIPPED], ids=lambda path: path.stem)
def test_editors_find_the_schema(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert schema != first and (path.parent / schema).resolve() == SCHEMA


def test_the_full_set_has_the_guides_checkpoint_and_checks_it(default):
    config = merge(default, load(ROOT / "config/kinetics400.yaml"))
    where, digits = checkpoints.checkpoint(config["model"])
    assert where.startswith("https://") and digits == "3f8e5d03"
    assert where.endswith("/timesformer_divST_8x32x1_15e_kinetics400_rgb-3f8e5d03.pth")


def test_what_may_be_null(default):
    check(merge(default, {"recipe": None, "reference": None, "model": {"config": None}}), SCHEMA)
    fault = fault_of(merge(default, {"model": {"config": None, "checkpoint": None}}))
    assert "model.checkpoint is null, but mmaction2 has no checkpoint for model.config" in fault


def test_a_sha256_that_nothing_would_check_is_refused(default):
    made = {"checkpoint": "results/checkpoint/x.random0.pth", "sha256": "0" * 8}
    assert "set model.sha256: null" in fault_of(merge(default, {"model": made}))


def test_a_recipe_of_every_field(default):
    recipe = named.config_stated(named.CONFIGS[0]).fields | {"name": "facebook-kinetics"}
    recipe |= {"mean": list(recipe["mean"]), "std": list(recipe["std"])}
    check(default | {"recipe": recipe}, SCHEMA)


def test_the_schema_has_the_recipes_fields_and_words():
    schema = json.loads(SCHEMA.read_text())["properties"]["recipe"]["properties"]
    assert list(schema) == ["name", *FIELDS]
    assert schema["name"]["enum"] == list(named.RECIPES)
    assert {key: tuple(schema[key]["enum"]) for key in WORDS} == WORDS


def test_a_named_checkpoint_comes_before_mmaction2s():
    chosen = {"config": "timesformer_divST_8x32x1_15e_kinetics400_rgb", "sha256": "12345678"}
    assert checkpoints.checkpoint(chosen | {"checkpoint": "x.pth"}) == ("x.pth", "12345678")


def objects(schema, path=""):
    """Every mapping that the schema describes, with its path."""
    if "properties" in schema:
        yield path, schema
        for name, value in schema["properties"].items():
            yield from objects(value, f"{path}.{name}".strip("."))


def test_the_schema_describes_every_key_and_forbids_others(default):
    for path, schema in objects(json.loads(SCHEMA.read_text())):
        assert schema["additionalProperties"] is False, path
        here = default
        for name in filter(None, path.split(".")):
            here = here[name]
        # a recipe need not have every field
        assert path == "recipe" or schema["properties"].keys() == here.keys(), path
        for name, value in schema["properties"].items():
            assert value.get("description"), f"{path}.{name}"


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"shard": 4}, "'shard' is not a key of the top level; did you mean 'shards'?"),
        ({"xyz": 1}, "'xyz' is not a key of the top level; its keys are "),
        (
            {"model": {"checkpont": "x"}},
            "'checkpont' is not a key of model; did you mean 'check",
        ),
        (
            {"keep": "frame"},
            "keep is 'frame', but must be one of all_frames, frames, bins, ",
        ),
        ({"recipe": {"sampler": "mmaction2-1"}}, "did you mean 'mmaction2-1.x'?"),
        (
            {"recipe": {"name": "facebook"}},
            "recipe.name is 'facebook', but must be one of mmaction2-0.x, ",
        ),
        ({"recipe": {"frame_intervall": 4}}, "did you mean 'frame_interval'?"),
        ({"recipe": {"clip_len": 0}}, "recipe.clip_len is 0, which is less than the minimum"),
        ({"recipe": {"mean": [127.5]}}, "recipe.mean is [127.5], which is too short"),
        ({"recipe": {"std": [1, 1, 0]}}, "recipe.std.2 is 0"),
        ({"recipe": "huggingface"}, "recipe is 'huggingface', which is not of type 'object', 'n"),
        ({"model": {"run_config": "yes"}}, "With --config it is True or False"),
        ({"scratch": "disk"}, "scratch is 'disk', which does not match "),
        ({"scratch": "$A/b"}, "scratch is '$A/b', which does not match "),
        ({"scratch": "/tmp"}, "keep is frames, whose files stay in results; write scratch: null"),
        ({"shards": 100_000}, "shards is 100000, which is greater than the maximum of 99999"),
        ({"shards": "four"}, "shards is 'four', which does not match '^auto$'. Jobs that"),
        ({"shards": 0}, "shards is 0, which is less than the minimum of 1"),
        ({"shards": True}, "shards is True, which is not of type 'integer', 'string'"),
        ({"keep": True}, "keep is True, but must be one of "),
        ({"dataset": {"root": ""}}, "dataset.root is ''"),
        ({"dataset": None}, "dataset is None, which is not of type 'object'"),
        ({"engines": []}, "engines is []"),
        ({"engines": ["onnxruntme"]}, "did you mean 'onnxruntime'?"),
        ({"engines": ["onnxruntime", {"engine": "onnxruntime"}]}, "onnxruntime is listed twice"),
        ({"engines": [{"engine": "openvino", "precison": "bf16"}]}, "did you mean 'precision'?"),
        ({"engines": [{"precision": "bf16"}]}, "'engine' is missing in engines.0"),
        ({"engines": [{"engine": "openvino", "precision": "fp16"}]}, "has no precision 'fp16'"),
        ({"engines": [{"engine": "torch", "model": "tsf_opt"}]}, "torch has no model 'tsf_opt'"),
        ({"engines": [{"engine": "openvino", "device": "cuda"}]}, "has no device 'cuda', but cpu"),
        ({"engines": [{"engine": "onnxruntime", "model": "tsf_opt_u8"}]}, "set bin: uint8"),
        ({"engines": [{"engine": "ascend", "batch": 4}]}, "from the key ascend"),
        (
            {"engines": ["ascend"], "bin": "uint8"},
            "ascend.onnx: tsf_sim takes float32, but bin is uint8; set bin: float32, or "
            "ascend.onnx to tsf_opt_u8 or tsf_npu_u8",
        ),
        (
            {"engines": ["ascend"], "ascend": {"onnx": "tsf_npu_u8"}},
            "ascend.onnx: tsf_npu_u8 takes uint8, but bin is float32; set bin: uint8, or "
            "ascend.onnx to one without _u8, as tsf_opt",
        ),
        ({"model": {"sha256": "3F8E5D03"}}, "model.sha256 is '3F8E5D03'"),
        # unquoted digits are a number to YAML
        ({"model": {"sha256": 12345678}}, "in quotes if they are all digits"),
        ({"ascend": {"soc_version": "310P3"}}, "as in Ascend310P3"),
        ({"reference": {"top1": 101}}, "reference.top1 is 101"),
        (
            {"model": {"checkpoint": "https://example.org/x.pth", "sha256": None}},
            "model.checkpoint is a URL, so model.sha256 must be set",
        ),
    ],
)
def test_a_fault_is_told_with_its_key_and_a_hint(default, changes, expected):
    assert expected in fault_of(merge(default, changes))


def test_a_missing_key_is_named(default):
    del default["model"]["config"]
    assert "'config' is missing in model" in fault_of(default)


def test_every_fault_is_told_at_once(default):
    message = fault_of(merge(default, {"keep": "x", "shards": 0, "extra": 1}))
    assert all(word in message for word in ("keep", "shards", "extra"))


def test_the_key_that_recipe_replaced_is_refused_with_what_to_write(default):
    message = fault_of(default | {"sampler": "mmaction2-1.x"})
    assert "in its place write recipe: {sampler: mmaction2-1.x}" in message


@pytest.mark.parametrize(
    "old, keep",
    [
        ({"frames": "all"}, "all_frames"),
        ({"frames": "needed"}, "frames"),
        ({"frames": "none"}, "bins"),
        ({"keep_bin": True}, "frames"),
        ({"frames": "none", "keep_bin": False}, "nothing"),
        ({"frames": "none", "keep_bin": "False"}, "nothing"),  # as --config nests it
    ],
)
def test_the_keys_that_keep_replaced_are_refused_with_its_value(default, old, keep):
    message = fault_of(merge(default, old))
    assert f"write keep: {keep} in their place" in message


@pytest.mark.parametrize(
    "key, value, fault",
    [
        ("shards", 1.0, "shards is 1.0, which is not of type 'integer', 'string'"),
        ("shards", "1.0", "shards is '1.0', which does not match '^auto$'"),
        ("performance.batches", [1.0], "performance.batches.0 is 1.0, which is not of type"),
        ("parity.max_abs", float("inf"), "parity.max_abs is inf, which is no number"),
        ("parity.relative_l2.fp16", float("nan"), "parity.relative_l2.fp16 is nan"),
        ("parity.max_abs", "1e400", "parity.max_abs is inf"),
        ("dataset.root", "data{x}", "dataset.root is 'data{x}', but Snakemake expands braces"),
        ("upstream.archives", "}", "upstream.archives is '}', but Snakemake expands braces"),
        (
            "model.checkpoint",
            "https://x.org/a?b={c}",
            "model.checkpoint is 'https://x.org/a?b={c}'",
        ),
        ("model.checkpoint", "https://x.org/", "model.checkpoint https://x.org/ names no file"),
        ("model.checkpoint", "https://x.org", "model.checkpoint https://x.org names no file"),
        ("model.checkpoint", "https://x.org/..", "model.checkpoint https://x.org/.. names no file"),
        ("model", {1: 2}, "'1' is not a key of model"),
    ],
)
def test_values_that_would_fail_later_or_switch_a_check_off(default, key, value, fault):
    changes = value
    for name in reversed(key.split(".")):
        changes = {name: changes}
    assert fault in fault_of(merge(default, changes))


def test_a_value_that_holds_itself(default):
    default["engines"].append(default["engines"])
    assert "a value holds itself" in fault_of(default)


@pytest.mark.parametrize(
    "url", ["https://x.org/a.pt", "https://x.org/a", "https://x.org/a.pth?b=c"]
)
def test_the_url_of_a_checkpoint_may_have_any_ending_or_a_query(default, url):
    check(merge(default, {"model": {"checkpoint": url, "sha256": "0" * 8}}), SCHEMA)
