"""rewrites.md: the savings of each exact rewrite of the optimised model."""

from tsf import errors
from tsf.markdown import table
from tsf.report.render import render


def markdown(content: dict) -> str:
    """The savings and the operators as two tables."""
    plain, optimised = content["models"]["plain"], content["models"]["optimised"]
    total, rows = content["total"], []
    for saving in (*content["rewrites"], total):
        percent = 100 * saving["macs"] / content["plain_macs"]
        rows.append(
            [
                str(saving.get("number", "")),
                saving.get("rewrite", "all"),
                f"{saving['macs'] / 1e9:.3f}" if saving["macs"] else "",
                f"{percent:.2f}" if saving["macs"] else "",
                f"{saving['parameters']:,}" if saving["parameters"] else "",
                f"{saving['values'] / 1e6:.1f}" if saving["values"] else "",
                saving.get("also", ""),
            ]
        )
    header = ["", "rewrite", "G multiply-adds", "%", "parameters", "M values", "also saved"]
    changed = sorted(
        (row for row in content["operators"].items() if row[1][0] != row[1][1]),
        key=lambda row: (-abs(row[1][1] - row[1][0]), row[0]),
    )
    uncounted = [
        content["models"][kind] for kind, found in content["counted"].items() if found is None
    ]
    evidence = (
        f"Multiply-adds could not be counted in {' and '.join(uncounted)}: the shapes are computed "
        "in the graph."
        if uncounted
        else f"The multiply-adds saved are exactly those that {optimised} has fewer than {plain}, "
        "counted in both."
    )
    left = content["plain_macs"] - total["macs"]
    return f"""# What the exact rewrites save

Of a view, one of a video's {content["views"]}: {content["plain_macs"] / 1e9:.2f} G multiply-adds in
mmaction2's model, {left / 1e9:.2f} G in the optimised one. Each row is the saving of a rewrite
after all those above it:

{table(header, rows)}
{evidence}

%: of the plain model's multiply-adds. M values: millions of floats that an Add or a Mul no longer
reads and writes. Rewrite 8 costs parameters: its constant is larger than the parts.

## Operators

{table(["", plain, optimised], [[kind, *map(str, counts)] for kind, counts in changed])}
Left out: Constant and the types of equal number. A Gemm of the one graph is a MatMul and an Add of
the other, and a MatMul with a Split behind it three MatMuls: those are not more work.
"""


def main() -> None:
    render(__doc__, "--rewrites", markdown)


if __name__ == "__main__":
    errors.run(main)
