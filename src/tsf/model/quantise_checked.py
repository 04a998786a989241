"""Quantise a model to int8 as far as the accuracy on labelled clips does not drop by more than 1 %.

NNCF quantises as in tsf.model.quantise and compares the top-1 accuracy with that of the float32
model, on the same clips. If it has dropped by more, NNCF ranks the quantised operators by what they
do to it and puts them back into float32 one after the other until it has not.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from tsf import errors
from tsf.data.tables import read_lines
from tsf.model.quantise import (
    add_quantise_arguments,
    clip_files,
    clip_reader,
    nncf,
    openvino,
    read_network,
    save,
)
from tsf.recipe.fusion import video_scores
from tsf.recipe.record import Recipe, add_recipe_argument

MAX_DROP = 0.01  # of the top-1 accuracy, which is from 0 to 1

Labelled = tuple[Path, int]  # a clip's .bin file, and its class


def read_labels(table: Path, clips: list[Path]) -> list[Labelled]:
    """table: tsv of tsf.data.calibration_labels, a row a clip."""
    rows = (line.split("\t") for line in read_lines(table))
    classes = {name: int(number) for name, number in rows}
    return [(clip, classes[clip.stem]) for clip in clips]


def quantise_checked(
    model: openvino.Model, labelled: list[Labelled], recipe: Recipe
) -> openvino.Model:
    """model: for one video at a time. Its top-1 is measured on the clips that calibrate it."""
    read = clip_reader(model, recipe.clip)

    def top1(
        compiled: openvino.CompiledModel, clips: Iterable[Labelled]
    ) -> tuple[float, list[float]]:
        """The share of the clips that are right, and for each of them 1 or 0."""
        hits = []
        for path, label in clips:
            logits = compiled(read(path))[0]  # (views, classes)
            hits.append(float(video_scores(logits, recipe.fusion).argmax() == label))
        return sum(hits) / len(hits), hits

    return nncf.quantize_with_accuracy_control(
        model,
        calibration_dataset=nncf.Dataset([path for path, _ in labelled], read),
        validation_dataset=nncf.Dataset(labelled, lambda clip: read(clip[0])),
        validation_fn=top1,
        max_drop=MAX_DROP,
        subset_size=len(labelled),
        model_type=nncf.ModelType.TRANSFORMER,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_quantise_arguments(parser)
    add_recipe_argument(parser, Recipe)
    parser.add_argument("--labels", type=Path, required=True, help="tsv: clip, class")
    args = parser.parse_args()

    labelled = read_labels(args.labels, clip_files(args.clips, args.recipe.clip))
    model = read_network(args.model)
    save(quantise_checked(model, labelled, args.recipe), args.output)
    print(f"{args.output}: calibrated and checked on {len(labelled)} clips")


if __name__ == "__main__":
    errors.run(main)
