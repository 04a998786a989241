"""The cells of Markdown tables, however they are padded."""

import re


def rows(text: str) -> list[list[str]]:
    """Every row of every table in a text, the lines below the headers left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    split = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
    return [row for row in split if not all(re.fullmatch(":?-+:?", cell) for cell in row)]
