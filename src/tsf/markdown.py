"""Tables in Markdown."""

from collections.abc import Sequence

from tabulate import tabulate


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose cells stand as they are given; a bar in one stays in its cell."""
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    text = tabulate(escaped, header, tablefmt="pipe", disable_numparse=True)
    return f"{text}\n"
