"""Measure how far a compiled model's logits, on the NPU, are from the reference on real clips."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.ascend import ais_bench
from tsf.ascend.work import work_folder
from tsf.data.bins import bin_path, write_bin
from tsf.engines.described import DescribedEngine
from tsf.engines.setup import DEFAULTS, input_dtype
from tsf.errors import UserError
from tsf.evaluation.parity import logit_distances
from tsf.evaluation.reference_file import Reference, read_reference
from tsf.files import read_json, write_json
from tsf.inference.results import read_logits, result_path
from tsf.recipe.record import ClipRecipe, add_recipe_argument


def om_distances(
    model: Path,
    status: dict,
    reference: Reference,
    recipe: ClipRecipe,
    devices: list[int],
    python: str,
    time_limit: Sequence[float],
    folder: Path,
) -> dict:
    """The distances of an .om file's logits from the reference's, in the form of parity.json.

    The logits pass through ais_bench's text files of six decimals, as those of the dataset do: of
    max_abs and of the root of the mean square of the differences that can be 5e-7.

    model: the .om file; status: atc's json beside it; devices: ids to choose from; python: the one
    that has ais_bench; folder: an empty one to work in. Raises UserError if ais_bench fails.
    """
    dtype = input_dtype(Path(status["onnx"]).stem)
    taken = reference.uint8_clips if dtype == "uint8" else reference.clips
    if taken is None:
        raise UserError(f"{model} takes uint8, but the recipe has no uint8 clips")
    clips = [bin_path(folder, str(n)) for n in range(len(taken))]
    for clip, path in zip(taken, clips, strict=True):
        write_bin(clip, path)
    engine = DescribedEngine(DEFAULTS["ascend"], model, {}, recipe, dtype)
    results = folder / "results"
    results.mkdir()
    summary = ais_bench.infer(engine, clips, status["batch"], devices, python, results, time_limit)
    found = [read_logits(result_path(results, path.stem), recipe.views) for path in clips]
    return {
        "clips": reference.names,
        "name": f"{model.name} ({ais_bench.device_name(summary, status)})",
        "precision": status["precision"],
        "advice": "; `snakemake ascend_blocks.json` finds the block that differs first",
        **logit_distances(reference.logits, np.concatenate(found)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help=".om file")
    parser.add_argument("--status", type=Path, required=True, help="json: how it was made")
    parser.add_argument("--reference", type=Path, required=True, help="npz: clips and logits")
    add_recipe_argument(parser, ClipRecipe)
    ais_bench.add_npu_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    status, reference = read_json(args.status), read_reference(args.reference)
    with work_folder(args.output) as work:
        found = om_distances(
            args.model,
            status,
            reference,
            args.recipe,
            args.devices,
            args.python,
            args.time_limit,
            work,
        )
    print(found)
    write_json(args.output, found)


if __name__ == "__main__":
    errors.run(main)
