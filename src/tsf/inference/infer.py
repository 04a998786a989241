"""Run an engine over a folder of .bin files and write what ais_bench would write."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.engines.setup import add_setup_arguments, load_engine, setup_from_arguments
from tsf.inference import results
from tsf.data.model_input import BIN_BYTES, CLIP_SHAPE, CROPS, refuse_wrong_size
from tsf.errors import UserError
from tsf.files import whole_folder
from tsf.data.pixels import normalise
from tsf.progress import with_progress


def read_bin(path: Path, values: str) -> np.ndarray:
    """One clip, (3, 3, 8, 224, 224) of `values`, float32 or uint8.

    Raises UserError for a file of another size.
    """
    refuse_wrong_size(path, values)
    return np.fromfile(path, np.dtype(values).newbyteorder("<")).reshape(CLIP_SHAPE)


def refuse_other_values(engine, model: Path, values: str) -> None:
    """Raises UserError if the engine takes bytes and the .bin files hold something else."""
    if engine.dtype == "uint8" and values != "uint8":
        raise UserError(f"{model} takes bytes, and --bin is {values}")


def read_batch(engine, bins: list[Path], values: str) -> np.ndarray:
    """The engine's input, (batch, 3, 3, 8, 224, 224); what `bins` does not fill are zeros."""
    clips = np.zeros((engine.batch, *CLIP_SHAPE), engine.dtype)  # (batch, 3, 3, 8, 224, 224)
    for clip, path in zip(clips, bins, strict=False):
        read = read_bin(path, values)
        clip[:] = normalise(read) if values == "uint8" and engine.dtype == "float32" else read
    return clips


def infer(
    engine, bins: list[Path], values: str, folder: Path, milliseconds: list[float]
) -> Iterator[Path]:
    """Run every clip, write its result into `folder` and append the model's time of each run."""
    for first in range(0, len(bins), engine.batch):
        paths = bins[first : first + engine.batch]
        clips = read_batch(engine, paths, values)
        start = time.perf_counter()
        logits = engine.run(clips)  # (batch * 3, classes)
        milliseconds.append(1000 * (time.perf_counter() - start))
        if logits.shape[0] != engine.batch * CROPS:
            raise UserError(f"{paths[0]}: the model gave {logits.shape} for {engine.batch} videos")
        for path, views in zip(paths, np.split(logits, engine.batch), strict=False):
            if not np.isfinite(views).all():
                raise UserError(f"{path}: the model gave values that are not finite")
            results.write_logits(folder / f"{path.stem}{results.SUFFIX}", views)
            yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_setup_arguments(parser)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True, help="folder of .bin files")
    parser.add_argument("--bin", choices=list(BIN_BYTES), default="float32", help="their values")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    setup = setup_from_arguments(args)
    engine = load_engine(setup, args.model, args.threads)
    refuse_other_values(engine, args.model, args.bin)
    bins = sorted(args.input.glob("*.bin"))
    milliseconds: list[float] = []
    with whole_folder(args.output) as folder:
        what = f"{args.engine} {args.input.name}"
        work = infer(engine, bins, args.bin, folder, milliseconds)
        for _ in with_progress(work, len(bins), what):
            pass
        files = {str(p): str(args.output / f"{p.stem}{results.SUFFIX}") for p in bins}
        arguments = {
            "model": str(args.model),
            "input": str(args.input),
            "output": str(args.output),
            "outfmt": "TXT",
            "batchsize": engine.batch,
            "engine": args.engine,
            "precision": args.precision,
            "device": engine.device,
            "threads": args.threads,
        }
        content = results.summary(files, milliseconds, arguments)
        results.write_summary(folder / results.SUMMARY, content)


if __name__ == "__main__":
    errors.run(main)
