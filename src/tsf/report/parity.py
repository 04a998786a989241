"""parity.md: how far each boundary, from the bytes to each engine's logits, is from PyTorch."""

from tsf import errors
from tsf.markdown import table
from tsf.report.render import render


def parity_table(boundaries: list[dict]) -> str:
    """How far each boundary is from the reference, and how far it may be."""
    rows = [
        [
            boundary["name"],
            f"{boundary['max_abs']:.2g}",
            f"{boundary['relative_l2']:.2g}",
            f"{boundary['cosine']:.9f}",
            "-" if boundary["top1_agreement"] is None else f"{boundary['top1_agreement']:.0%}",
            f"{boundary['measure'].replace('_', ' ')} {boundary['allowed']:g}",
        ]
        for boundary in boundaries
    ]
    header = ["boundary", "max abs", "relative L2", "cosine", "top-1 agreement", "allowed"]
    return table(header, rows)


def markdown(content: dict) -> str:
    return f"""# Parity

Against mmaction2 in PyTorch, float32, on {len(content["clips"])} real clips:
{", ".join(content["clips"])}.

A row of bytes compares a uint8 .bin file, once it is normalised, with the float32 file; the others
compare every logit. A row without an engine is ONNX Runtime's. A model that ends in _u8 reads the
bytes. An .om file's logits are an NPU's, and pass through ais_bench's text, of six decimals. The
cosine is that of the worst view.

{parity_table(content["boundaries"])}"""


def main() -> None:
    render(__doc__, "--parity", markdown)


if __name__ == "__main__":
    errors.run(main)
