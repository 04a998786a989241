"""The page's two languages: every English text and its Chinese."""

import json
import re
from pathlib import Path

from markupsafe import Markup, escape

TEMPLATES = Path(__file__).with_name("templates")
CHINESE = json.loads((TEMPLATES / "zh.json").read_text("utf-8"))


def both(english: str, **values: object) -> Markup:
    """The text in both languages, of which the page's style shows one.

    values: what the text's {names} stand for. Raises KeyError for a text without Chinese.
    """
    shown = {name: escape(value) for name, value in values.items()}
    texts = {"en": english, "zh": CHINESE[english]}
    return Markup("").join(
        Markup('<span lang="{}">{}</span>').format(language, Markup(text).format(**shown))
        for language, text in texts.items()
    )


def code(text: Markup) -> Markup:
    """What stands between backticks, as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(text)))
