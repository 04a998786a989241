"""rewrites.md: the savings of each exact rewrite of the optimised model."""

from tsf import errors
from tsf.markdown import table
from tsf.report.render import render


def markdown(content: dict) -> str:
    """The savings and the operators as two tables."""
    plain, optimised, npu = (content["models"][m] for m in ("plain", "optimised", "npu"))
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
        (row for row in content["operators"].items() if len(set(row[1])) > 1),
        key=lambda row: (min(row[1]) - max(row[1]), row[0]),
    )
    uncounted = [
        content["models"][kind] for kind, found in content["counted"].items() if found is None
    ]
    evidence = (
        f"Multiply-adds could not be counted in {' and '.join(uncounted)}: the shapes are computed "
        "in the graph."
        if uncounted
        else f"The multiply-adds saved are exactly those that {optimised} has fewer than {plain}, "
        f"counted in both; those that the layout adds, counted too, {npu} has more."
    )
    left = content["plain_macs"] - total["macs"]
    layout = [
        [
            cost["letter"],
            cost["choice"],
            f"{cost['macs'] / 1e9:.3f}" if cost["macs"] else "",
            f"{100 * cost['macs'] / left:.2f}" if cost["macs"] else "",
        ]
        for cost in (
            *content["layout"],
            {"letter": "", "choice": "all", "macs": content["layout_macs"]},
        )
    ]
    return f"""# What the exact rewrites save

Of a view, one of a video's {content["views"]}: {content["plain_macs"] / 1e9:.2f} G multiply-adds in
mmaction2's model, {left / 1e9:.2f} G in the optimised one. Each row is the saving of a rewrite
after all those above it:

{table(header, rows)}
{evidence}

%: of the plain model's multiply-adds. M values: millions of floats that an Add or a Mul no longer
reads and writes. Rewrite 8 costs parameters: its constant is larger than the parts.

## What the layout for an NPU adds

{npu} is {optimised} with its values in whole blocks of 16, as an NPU's matrix unit takes them. Of
a view, {(left + content["layout_macs"]) / 1e9:.2f} G multiply-adds:

{table(["", "choice", "G multiply-adds more", "%"], layout)}
%: of the optimised model's multiply-adds. The unit rounds up to whole blocks by itself, so some of
these it computes in {optimised} too. Whether {npu} is the faster one on a chip, `snakemake
ascend_variants.json` measures there.

## Operators

{table(["", plain, optimised, npu], [[kind, *map(str, counts)] for kind, counts in changed])}
Left out: Constant and the types of equal number. A Gemm of the one graph is a MatMul and an Add of
the other, and a MatMul with a Split behind it three MatMuls: those are not more work.
"""


def main() -> None:
    render(__doc__, "--rewrites", markdown)


if __name__ == "__main__":
    errors.run(main)
