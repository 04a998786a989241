"""Tables in Markdown."""

from collections.abc import Sequence

from tabulate import tabulate


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The cells as they are given, none read as a number; a | within a cell is escaped."""
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    text = tabulate(escaped, header, tablefmt="pipe", disable_numparse=True)
    return f"{text}\n"
