"""Write compare.html, one self-contained page: two runs side by side."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.files import read_json, write_text
from tsf.report.page.layout import environment


def page(content: dict) -> str:
    """The page's text. content: compare.json."""
    return environment().get_template("compare.html.j2").render(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", type=Path, required=True, help="json")
    parser.add_argument("--output", type=Path, required=True, help="html to write")
    args = parser.parse_args()

    text = page(read_json(args.compare))
    write_text(args.output, text)
    print(f"{args.output}: {len(text.encode()):,} bytes")


if __name__ == "__main__":
    errors.run(main)
