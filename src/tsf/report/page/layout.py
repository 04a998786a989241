"""What the pages have in common: how their templates are read, their style and their script."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tsf.report.page.words import TEMPLATES, both


def environment() -> Environment:
    """Templates see `t`, a text in both languages."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # keys in their own order
    style, script = (
        Markup((TEMPLATES / name).read_text(encoding="utf-8")) for name in ("page.css", "page.js")
    )
    found.globals |= {"t": both, "style": style, "script": script}
    return found
