"""Tables in Markdown."""

from collections.abc import Sequence

from tabulate import tabulate


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The cells as they are given, none read as a number, HTML or the end of its cell."""
    cells = [[escaped(cell) for cell in row] for row in rows]
    text = tabulate(cells, header, tablefmt="pipe", disable_numparse=True)
    return f"{text}\n"


def escaped(text: str) -> str:
    """A name that is shown as it is: not as HTML, which Markdown may hold, nor as two cells."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", r"\|")
