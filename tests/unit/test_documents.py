"""The documents' links lead somewhere, and every Chinese text has the glossary's words."""

import re

import pytest
from runs import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/*/README.md")]
CHINESE = [
    *ROOT.glob("*.zh-CN.md"),
    *ROOT.glob("docs/*.zh-CN.md"),
    ROOT / "docs/results.md",
    ROOT / "config/schema.json",
    ROOT / "src/tsf/report/page/templates/zh.json",
    ROOT / "src/tsf/report/ascend_table.py",
    ROOT / "src/tsf/bundle/card.py",
]


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings: lower case, dashes for blanks, no punctuation."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


def rejected() -> dict[str, str]:
    """The words that the glossary of CONTRIBUTING.md rejects, each with the one to use."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text[text.index("\n## Chinese\n") :].split("\n## ")[1]
    rows = re.findall(r"^\|(.*)\|(.*)\|(.*)\|(.*)\|$", section, re.MULTILINE)[
        2:
    ]  # behind the header
    return {
        word: chinese.strip()
        for _, chinese, words, _ in rows
        for word in words.strip().split("、")
        if word
    }


@pytest.mark.parametrize("file", CHINESE, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_rejected_word_is_nowhere(file):
    words = rejected()
    assert len(words) > 15
    text = re.sub(
        r"\s*\n\s*", "", file.read_text(encoding="utf-8")
    )  # a word may be broken by a line
    assert {word: words[word] for word in words if word in text} == {}
