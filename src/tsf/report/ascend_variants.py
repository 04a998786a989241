"""ascend_variants.md: one table of what each variant of the compiled model gains and costs."""

from tsf import errors
from tsf.markdown import table
from tsf.report.render import render


def precision(variant: dict) -> str:
    return f"{variant['precision']}{', fast Gelu' if variant['fast_gelu'] else ''}"


def row(variant: dict) -> list[str]:
    settings = [variant["onnx"], precision(variant), str(variant["batch"])]
    if variant["refused"]:
        return [*settings, "-", "-", "-", "-", f"refused: {variant['refused']}"]
    speed, distance = variant["speed"], variant["distance"]
    return [
        *settings,
        f"{speed['videos_per_second']:.2f}",
        f"{distance['relative_l2']:.2g}",
        f"{distance['max_abs']:.2g}",
        f"{distance['top1_agreement']:.0%}",
        speed["device"],
    ]


def markdown(content: dict) -> str:
    variants = content["variants"]
    measured = [variant for variant in variants if not variant["refused"]]
    clips = measured[0]["distance"]["clips"]
    options = " ".join(variants[0]["atc_options"]) or "none"
    header = [
        "model",
        "precision",
        "batch",
        "fps",
        "relative L2",
        "max abs",
        "top-1 agreement",
        "measured on",
    ]
    return f"""# Variants of the compiled model

{table(header, [row(variant) for variant in variants])}
fps: 1000 * batch / mean, as ais_bench defines it: videos (all views of each) a second of the model
alone, on zeros, without copies, decoding and file reading. The distances are those of every logit
from mmaction2 in PyTorch, float32, on {len(clips)} real clips ({", ".join(clips)}), before softmax.
The top-1 agreement is of views, on those few clips: for an accuracy, score the dataset with the
variant.

Precision: the word of atc's --precision_mode. Further options of atc: {options}. A variant that atc
or the NPU refused has the reason in its row.
"""


def main() -> None:
    render(__doc__, "--variants", markdown)


if __name__ == "__main__":
    errors.run(main)
