"""Write report.html, one self-contained page: the run's results, rendered."""

import argparse
import base64
from pathlib import Path

from tsf import errors
from tsf.data.k400_info import read_skipped
from tsf.errors import UserError
from tsf.files import read_json, write_text
from tsf.report.choice import sentences
from tsf.report.page import charts
from tsf.report.page.layout import environment
from tsf.report.page.words import both, code

SKIPPED = 200  # videos shown by name
JSON = ("accuracy", "details", "verdict", "gallery", "measured", "verify", "provenance")


def page(
    content: dict[str, dict], skipped: list[tuple[str, str, str]], strips: dict[str, bytes]
) -> str:
    """The page's text. content: by the names of JSON; strips: WebP by video."""
    pictures = {name: base64.b64encode(webp).decode() for name, webp in strips.items()}
    made = content["measured"]
    fresh = made["choice"] and not made["faults"]["choice"]
    said = (
        [code(both(text, **values)) for text, values in sentences(made["choice"])] if fresh else []
    )
    template = environment().get_template("page.html.j2")
    return template.render(
        content, choice=said, charts=charts, skipped=skipped[:SKIPPED], pictures=pictures
    )


def read_strip(path: Path) -> bytes:
    """Raises UserError for a WebP file of another length than its first bytes tell."""
    webp = path.read_bytes()
    if webp[:4] != b"RIFF" or int.from_bytes(webp[4:8], "little") + 8 != len(webp):
        raise UserError(f"{path}: not a whole WebP picture; delete {path.parent} and run again")
    return webp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in JSON:
        parser.add_argument(f"--{name}", type=Path, required=True, help="json")
    parser.add_argument("--skipped", type=Path, required=True, help="tsv")
    parser.add_argument("--strips", type=Path, required=True, help="folder of WebP files")
    parser.add_argument("--output", type=Path, required=True, help="html to write")
    args = parser.parse_args()

    content = {name: read_json(getattr(args, name)) for name in JSON}
    strips = {
        video["video"]: read_strip(args.strips / f"{video['video']}.webp")
        for video in content["gallery"]["videos"]
    }
    text = page(content, read_skipped(args.skipped), strips)
    write_text(args.output, text)
    print(f"{args.output}: {len(text.encode()):,} bytes")


if __name__ == "__main__":
    errors.run(main)
