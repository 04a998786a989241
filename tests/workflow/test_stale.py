"""The steps that a change of a module redoes, as a table made from the rules for a person to read.

`python tests/workflow/test_stale.py` writes stale.tsv anew; look at the difference before you
commit it. A module that no step runs is imported while the jobs are planned, or is wording.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

import rules

from tsf.workflow.sources import PACKAGE

TABLE = Path(__file__).with_name("stale.tsv")
CONFIG = """
keep: {keep}
engines: [onnxruntime, openvino, torch, ascend]
"""
ENGINES = ("onnxruntime", "openvino", "torch")
INFERENCE = {"describe_engine": "infer", "describe_ascend": "infer_ascend"}


def redone() -> dict[str, list[str]]:
    """By module: the rules that are redone when it changes, before those that follow from them."""
    found: dict[str, set[str]] = {}
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("templates/*")]):
        found[str(path.relative_to(PACKAGE))] = set()
    for keep in ("frames", "bins", "nothing"):
        for name, rule in rules.load(CONFIG.format(keep=keep)).items():
            runs_engine = name in ("describe_engine", "compare_logits", "measure")
            for engine in ENGINES if runs_engine else (None,):
                label = f"{INFERENCE.get(name, name)}{f':{engine}' if engine else ''}"
                for file in rules.sources(rule, engine):
                    found[file].add(label)
    return {module: sorted(steps) for module, steps in found.items()}


def table() -> str:
    """One line a module; an engine that is left out means every engine."""
    lines = []
    for module, steps in redone().items():
        for name in ("infer", "compare_logits", "measure"):
            each = [f"{name}:{engine}" for engine in ENGINES]
            if set(each) <= set(steps):
                steps = sorted({*steps, name} - set(each))
        lines.append(f"{module}\t{', '.join(steps)}\n")
    return "module\tredone when it changes\n" + "".join(lines)


def test_the_table_is_that_of_the_rules():
    assert table() == TABLE.read_text(encoding="utf-8"), f"read {__doc__}"


def test_wording_redoes_nothing():
    steps = redone()
    assert steps["errors.py"] == steps["progress.py"] == []


def test_what_renders_redoes_renderings_alone():
    for module, steps in redone().items():
        if module.startswith("report/") or module == "markdown.py":
            # the bundle's model card is rendered too
            others = [step for step in steps if not step.endswith("_report")]
            assert others in ([], ["build_bundle"]), module


def test_an_engine_redoes_that_engine_alone():
    steps = redone()
    for engine in ENGINES:
        expected = [f"{step}:{engine}" for step in ("compare_logits", "infer", "measure")]
        assert steps[f"engines/{engine}.py"] == expected


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
