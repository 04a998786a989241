"""From a matplotlib figure to SVG within a page: its colours and its font are the page's."""

import io
import re
import warnings
from html import escape

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from tsf.report.page.words import CHINESE

# drawn in these colours, which then become the page's own, light or dark
INK, MUTED, GRID = "#000001", "#000002", "#000003"
SERIES = ["#000011", "#000012", "#000013", "#000014", "#000015", "#000016"]
VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--line"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES, 1)
}
STYLE = {
    "svg.fonttype": "none",
    "font.size": 8,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "text.parse_math": False,
}


def figure(width: float, height: float) -> Figure:
    """An empty figure. width, height: in pixels of the page, 96 an inch."""
    with matplotlib.rc_context(STYLE):
        return Figure(figsize=(width / 96, height / 96), layout="constrained")


def inline(drawn: Figure, description: str, *words: str) -> Markup:
    """The figure as an <svg> element.

    description: for a reader who does not see it, another one for each chart. words: those of its
    texts that are shown in both languages.
    """
    buffer = io.StringIO()
    # ids that are the same in every run, and other ones in every chart
    style = STYLE | {"svg.hashsalt": description}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # the glyphs are those of the reader's fonts, not of the font that measures the text here
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        drawn.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    # names of groups, which would be there once a chart
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    for english in words:
        spans = f'<tspan lang="en">{english}</tspan><tspan lang="zh">{CHINESE[english]}</tspan>'
        text = text.replace(f">{english}</text>", f">{spans}</text>")
    text = re.sub(r"\n\s*", "\n", text)
    label = f'<svg role="img" aria-label="{escape(description)}"'
    return Markup(text.replace("<svg", label, 1).strip())
