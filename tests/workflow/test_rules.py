"""What every rule and every environment file must have."""

import re

import pytest
import yaml
from runs import ROOT

from tsf.workflow import sources

RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))


def rules():
    """(name, text) of every rule in rules/."""
    for path in RULE_FILES:
        parts = re.split(r"^rule (\w+):\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            # up to the next line that is not indented
            yield pytest.param(re.split(r"^\S", text, maxsplit=1, flags=re.MULTILINE)[0], id=name)


RULES = list(rules())


def test_the_rules_are_found():
    names = {parameter.id for parameter in RULES}
    assert {"rawframes", "account", "out_bin", "onnx", "infer", "merge_shards", "accuracy"} <= names


@pytest.mark.parametrize("text", RULES)
def test_a_rule_has_log_message_and_environment(text):
    for keyword in ("log", "message", "conda", "shell"):
        assert re.search(rf"^    {keyword}:$", text, re.MULTILINE), f"no {keyword}:"
    environment = re.search(r'"\.\./envs/(\w+)\.yaml"', text)[1]
    assert (ROOT / f"envs/{environment}.yaml").is_file()
    assert "{log}" in text


@pytest.mark.parametrize("text", RULES)
def test_a_rule_depends_on_the_code_that_it_runs(text):
    run = set(re.findall(r"python -m tsf\.([\w.]+)", text))
    assert run, "runs no module of the package"
    for module in run:
        assert f'code("{module}")' in text, f"runs tsf.{module} without depending on its source"
        assert (sources.PACKAGE / (module.replace(".", "/") + ".py")).is_file()


@pytest.mark.parametrize("text", RULES)
def test_a_rule_shows_and_keeps_what_its_command_says(text):
    assert "2>&1 | tee {log}" in text
    assert "run:" not in text and "script:" not in text


def test_no_rule_needs_cores_to_be_given():
    """workflow.cores raises where --cores is not given, as on a cluster, and changes params."""
    for path in RULE_FILES:
        assert "workflow.cores" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_pip_pins_are_exact(path):
    dependencies = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    pins = next(entry["pip"] for entry in dependencies if isinstance(entry, dict))
    plain = [entry for entry in dependencies if isinstance(entry, str)]
    assert pins
    for pin in pins:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin), pin
    # the interpreter and pip themselves are conda's, pinned too
    assert {entry.split("=")[0] for entry in plain} >= {"python", "pip"}
    assert all(re.fullmatch(r"[\w.-]+=[\w.]+", entry) for entry in plain), plain


def test_the_cpu_side_pins_what_the_tests_run_on():
    """The versions on which every result and byte of these tests rests."""
    from importlib.metadata import version

    pins = yaml.safe_load((ROOT / "envs/cpu.yaml").read_text())["dependencies"][-1]["pip"]
    pinned = dict(pin.split("==") for pin in pins)
    for name in ("snakemake", "torch", "numpy", "opencv-python-headless", "onnx", "onnxruntime"):
        assert version(name).split("+")[0] == pinned[name], name
