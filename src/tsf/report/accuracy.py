"""accuracy.md: the accuracy in the form of the guide's table, and the evidence for it."""

import argparse
import json
from pathlib import Path

from tsf import errors
from tsf.data.k400_info import read_skipped
from tsf.files import read_json, read_json_of, write_text
from tsf.markdown import table
from tsf.report.parity import parity_table

MOVED = 10  # classes shown of each pair of engines


def guide_table(accuracy: dict, fps: dict[str, float], dataset: str, reference: dict | None) -> str:
    """The guide's table: a row an engine, the reference figure below if there is one."""
    rows = [
        [
            f"{engine['device']} ({name})",
            str(engine["batch"]),
            dataset,
            f"top1 acc= {engine['top1']:.2f}, top5 acc= {engine['top5']:.2f}"
            if engine["videos"]
            else "no labels",
            f"{fps[name]:.2f} fps",
        ]
        for name, engine in accuracy["engines"].items()
    ]
    if reference is not None:
        figure = f"top1 acc= {reference['top1']:.2f}"
        rows.append([f"reference: {reference['source']}", "1", reference["dataset"], figure, "-"])
    return table(["chip", "batch size", "dataset", "accuracy", "performance"], rows)


def recipe_table(recipe: dict) -> str:
    """A row a value of the recipe, and where it was taken from."""
    clip = recipe["clip"]
    values = clip["sampling"] | clip | recipe
    rows = [[name, str(values[name]), origin] for name, origin in recipe["origin"].items()]
    return table(["", "value", "taken from"], rows)


def labelled_text(accuracy: dict) -> str:
    """How many of the scored videos the accuracy is over, if not over all."""
    labelled = {engine["videos"] for engine in accuracy["engines"].values()}
    if labelled == {accuracy["scored"]}:
        return ""
    return (
        f"Of the scored videos {', '.join(map(str, labelled))} have a label that is a class of the "
        "model; the accuracy is over these.\n"
    )


def sampler_text(accuracy: dict) -> str:
    """In how many videos the other release's sampler picks other frames."""
    moved = accuracy["moved_by_sampler"]
    if moved is None:
        return ""
    sampler = accuracy["recipe"]["clip"]["sampling"]["sampler"]
    return f"""Frames picked as in {sampler}; {moved["other"]} picks others in
{moved["videos"]} of the {accuracy["scored"]} scored videos.

"""


def interval_table(accuracy: dict) -> str:
    rows = []
    for name, engine in accuracy["engines"].items():
        for k in ("top1", "top5") if engine["videos"] else ():
            detail = engine[f"{k}_detail"]
            low, high = detail["interval95"]
            rows.append(
                [
                    name,
                    k,
                    f"{detail['percent']:.2f}",
                    f"{low:.2f} to {high:.2f}",
                    f"{detail['if_skipped_all_wrong']:.2f}",
                    f"{detail['if_skipped_all_right']:.2f}",
                ]
            )
    header = ["engine", "", "%", "95 % interval", "if all skipped were wrong", "... right"]
    return table(header, rows)


def paired_text(accuracy: dict) -> str:
    """Each engine against the first, on the same videos; nothing for a single engine."""
    if not accuracy["paired"]:
        return ""
    first = accuracy["paired"][0]["first"]
    pairs = [pair for pair in accuracy["paired"] if pair["first"] == first]
    rows = [
        [
            f"{pair['first']}, {pair['second']}",
            f"{pair['same_class']} of {pair['videos']}",
            str(pair["both_right"]),
            str(pair["first_only_right"]),
            str(pair["second_only_right"]),
            f"{pair['mcnemar_p']:.3g}",
            *difference_cells(pair),
        ]
        for pair in pairs
    ]
    header = ["engines", "same class", "both right", "only the first", "only the second", "p"]
    return f"""## The engines on the same videos

{table([*header, "second - first", "95 % interval"], rows)}
p: exact McNemar test, two-sided; small if one engine is right on more of the videos on which they
differ than chance allows. second - first: of the top-1 accuracies, in percentage points, with
Agresti and Min's interval for paired data. accuracy.json has every pair of engines.

{moved_text(pairs)}"""


def difference_cells(pair: dict) -> list[str]:
    """The difference of a pair's accuracies and its interval."""
    if pair["difference"] is None:
        return ["no labels", "-"]
    low, high = pair["difference95"]
    return [f"{pair['difference']:+.2f}", f"{low:+.2f} to {high:+.2f}"]


def moved_text(pairs: list[dict]) -> str:
    """The labels of the videos that only one engine of a pair has right."""
    if not any(pair["other_class"] for pair in pairs):
        return "Every video gets the same class from every engine.\n\n"
    if not any(pair["moved"] for pair in pairs):
        return "No labelled video is right with one engine and wrong with another.\n\n"
    rows = []
    for pair in pairs:
        engines = f"{pair['first']}, {pair['second']}"
        for row in pair["moved"][:MOVED]:
            only = (row["first_only_right"], row["second_only_right"])
            rows.append([engines, row["class"], *map(str, only)])
        if len(pair["moved"]) > MOVED:
            more = f"... and {len(pair['moved']) - MOVED} more in accuracy.json"
            rows.append([engines, more, "", ""])
    header = ["engines", "label", "only the first", "only the second"]
    return f"""Labels of the videos that one engine alone has right, the largest net change first:

{table(header, rows)}
"""


def markdown(
    accuracy: dict,
    fps: dict[str, float],
    skipped: list[tuple[str, str, str]],
    simplified: dict,
    verify: dict,
    dataset: str,
    reference: dict | None,
    compiled: dict | None = None,
) -> str:
    """compiled: how atc made tsf.om, if it was used."""
    before, after = simplified["nodes"]
    onnx = (
        f"tsf_sim.onnx was simplified by onnxsim: {before} nodes became {after}."
        if simplified["simplified"]
        else f"tsf_sim.onnx is tsf.onnx unchanged, because {simplified['reason']}."
    )
    if compiled:
        command = " ".join(compiled["command"])
        onnx += f"\n\n{Path(compiled['onnx']).name} was compiled to an .om file by\n`{command}`."
    shown = table(["video", "label", "reason"], [list(row) for row in skipped[:50]])
    more = f"\n... and {len(skipped) - 50} more in skipped.tsv\n" if len(skipped) > 50 else ""
    return f"""# Accuracy

{guide_table(accuracy, fps, dataset, reference)}
fps: videos, of all their views, a second of model time alone, without decoding, copies and file
reading, at the batch size of the row.

## Every listed video

{accuracy["listed"]} listed = {accuracy["scored"]} scored + {accuracy["skipped"]} skipped.
{labelled_text(accuracy)}

{interval_table(accuracy)}
{"No video was skipped." if not skipped else shown + more}

{paired_text(accuracy)}## The recipe

How a video becomes the model's input, and the logits of its views a prediction:

{recipe_table(accuracy["recipe"])}
{sampler_text(accuracy)}## The model

{onnx}

On {len(verify["clips"])} real clips, every logit of the models, on ONNX Runtime, against mmaction2
in PyTorch, and where the recipe has one, a uint8 .bin file, normalised, against the float32 file:

{parity_table(verify["boundaries"])}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accuracy", type=Path, required=True)
    parser.add_argument("--summaries", type=Path, nargs="+", required=True, help="an engine each")
    parser.add_argument("--skipped", type=Path, required=True)
    parser.add_argument("--simplified", type=Path, required=True)
    parser.add_argument("--verify", type=Path, required=True)
    parser.add_argument("--om", type=Path, help="json: how atc made tsf.om")
    parser.add_argument("--dataset", required=True, help="its name in the table")
    parser.add_argument("--reference", type=json.loads, required=True)
    parser.add_argument("--output", type=Path, required=True, help="markdown to write")
    args = parser.parse_args()

    accuracy, simplified, verify = (
        read_json(path) for path in (args.accuracy, args.simplified, args.verify)
    )
    summaries = read_json_of(accuracy["engines"], args.summaries)
    fps = {name: summary["throughput"] for name, summary in summaries.items()}
    skipped = read_skipped(args.skipped)
    compiled = read_json(args.om) if args.om else None
    text = markdown(
        accuracy, fps, skipped, simplified, verify, args.dataset, args.reference, compiled
    )
    write_text(args.output, text)


if __name__ == "__main__":
    errors.run(main)
