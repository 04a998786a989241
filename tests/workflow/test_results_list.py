"""docs/results.md names every file of a run and every output of the rules, in both languages."""

import re

import pytest
import rules
from runs import ROOT

LIST = (ROOT / "docs/results.md").read_text(encoding="utf-8")
CONFIG = "{keep: %s, engines: [onnxruntime, openvino, torch, ascend]}"


def rows(text):
    """The first cell's names and the second cell, of every row."""
    found = re.findall(r"^\| (`.*?) \| (.*) \|$", text, re.MULTILINE)
    return [(tuple(re.findall(r"`([^`]+)`", cell)), meaning) for cell, meaning in found]


def names_a(path, text):
    """Whether a row names the file: `<n>` is any part of a name, a folder all that is in it."""
    for names, _ in rows(text):
        for name in names:
            pattern = re.sub(r"<.*?>", "[^/]+", re.sub(r"[.+]", r"\\\g<0>", name))
            if re.fullmatch(pattern + ".*" * name.endswith("/"), path):
                return True
    return False


LANGUAGES = dict(zip(("English", "Chinese"), LIST.split("## 中文"), strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_output_of_a_rule_is_named(language):
    outputs = set()
    for keep in ("frames", "nothing"):
        for rule in rules.load(CONFIG % keep).values():
            outputs |= {(str(path), path.is_directory) for path in rule.output}
    missing = set()
    for path, folder in outputs:
        path = re.sub(r"{bs[^/]*?\)\?}", "", path.removeprefix("results/"))
        path = re.sub(r"{u8[^/]*?\)\?}", "_u8", path)
        path = re.sub(r"{.*?}(?!})", "x", re.sub(r"\\d[{]\d[}]", "", path)) + "/" * folder
        if not names_a(path, LANGUAGES[language]):
            missing.add(path)
    assert missing == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_of_the_sample_is_named(sample_run, language):
    files = [path for path in sample_run.results.rglob("*") if path.is_file()]
    shown = {str(path.relative_to(sample_run.results)) for path in files if path.name[0] != "."}
    assert (sample_run.results / "README.md").read_text(encoding="utf-8") == LIST
    assert {path for path in shown if not names_a(path, LANGUAGES[language])} == set()


@pytest.mark.parametrize("document", ["README.md", "README.zh-CN.md"])
def test_the_readme_says_the_same_of_the_files_it_names(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    start = text.index("`results/`\n\n|")
    said = dict(rows(LANGUAGES["English" if document == "README.md" else "Chinese"]))
    for names, meaning in rows(text[start : text.index("\n## ", start)]):
        names = tuple(n if "/" in n or n[0] != "." else names[0].split(".")[0] + n for n in names)
        assert said[names] == meaning, names
