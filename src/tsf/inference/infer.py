"""Run an engine over a folder of .bin files, and write the results in the form of ais_bench."""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data.bins import MADE, bin_files, fill_batch, read_for_model
from tsf.engines.described import (
    DescribedEngine,
    add_engine_argument,
    read_described,
    refuse_other_model,
)
from tsf.engines.device import device_of
from tsf.engines.engine import Engine, load_engine
from tsf.errors import UserError
from tsf.files import whole_folder, write_json
from tsf.inference import results
from tsf.progress import with_progress


def infer(
    engine: Engine,
    bins: list[Path],
    described: DescribedEngine,
    folder: Path,
    milliseconds: list[float],
) -> Iterator[Path]:
    """Write every clip's result into `folder`, and yield the clip's path.

    milliseconds: gets the model's time of each run.
    Raises UserError if the model gives another number of views, or values that are not finite.
    """
    recipe, dtype = described.recipe, described.dtype
    for first in range(0, len(bins), engine.batch):
        paths = bins[first : first + engine.batch]
        read = [read_for_model(path, recipe, dtype, engine.dtype) for path in paths]
        clips = fill_batch(read, engine.batch)  # (batch, views, 3, frames, y, x)
        start = time.perf_counter()
        logits = engine.run(clips)  # (batch * views, classes)
        milliseconds.append(1000 * (time.perf_counter() - start))
        if logits.shape[0] != engine.batch * recipe.views:
            raise UserError(
                f"{paths[0]}: the model gave {logits.shape[0]} rows of logits for {engine.batch} "
                f"videos, expected {engine.batch * recipe.views}"
            )
        for path, views in zip(paths, np.split(logits, engine.batch), strict=False):
            if not np.isfinite(views).all():
                raise UserError(f"{path}: the model gave values that are not finite")
            results.write_logits(results.result_path(folder, path.stem), views)
            yield path


def wait_for_bins(folder: Path) -> None:
    """Return when standard input says that `folder` is complete. Raises UserError if it ends."""
    if sys.stdin is None or sys.stdin.buffer.readline() != MADE:
        raise UserError(f"{folder}: what made the .bin files ended before all were there")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_engine_argument(parser)
    parser.add_argument("--input", type=Path, required=True, help="folder of .bin files")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--early",
        action="store_true",
        help="the files of --input are still being made, until standard input says `made`",
    )
    args = parser.parse_args()

    described = read_described(args.engine)
    refuse_other_model(described)
    milliseconds: list[float] = []
    # a GPU, or an NPU, is not kept from other jobs while the files are made
    if args.early and described.setup.accelerator:
        wait_for_bins(args.input)
    with device_of(described.setup), whole_folder(args.output) as folder:
        engine = load_engine(described.setup, described.file, args.threads)
        if args.early and not described.setup.accelerator:
            wait_for_bins(args.input)
        bins = bin_files(args.input)
        label = f"{described.setup.name} {args.input.name}"
        work = infer(engine, bins, described, folder, milliseconds)
        for _ in with_progress(work, len(bins), label):
            pass
        files = {str(p): str(results.result_path(args.output, p.stem)) for p in bins}
        arguments = {
            "model": str(described.file),
            "input": str(args.input),
            "output": str(args.output),
            "outfmt": "TXT",
            "batchsize": engine.batch,
            "engine": described.setup.engine,
            "precision": described.setup.precision,
            "device": engine.device,
            "threads": args.threads,
        }
        content = results.summary(files, milliseconds, arguments)
        write_json(folder / results.SUMMARY, content)


if __name__ == "__main__":
    errors.run(main)
