"""Run an engine over a folder of .bin files and write what ais_bench would write."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tsf import engines, errors, results
from tsf.clip import CLIP_SHAPE, CROPS, refuse_wrong_size
from tsf.errors import UserError
from tsf.files import whole_folder
from tsf.progress import with_progress


def read_bin(path: Path) -> np.ndarray:
    """One clip, (3, 3, 8, 224, 224) float32. Raises UserError for a file of another size."""
    refuse_wrong_size(path)
    return np.fromfile(path, "<f4").reshape(CLIP_SHAPE)


def infer(engine, bins: list[Path], folder: Path, milliseconds: list[float]) -> Iterator[Path]:
    """Run every clip, write its result into `folder` and append the model's time."""
    for path in bins:
        clips = read_bin(path)[np.newaxis]  # (1, 3, 3, 8, 224, 224)
        start = time.perf_counter()
        logits = engine.run(clips)  # (3, classes)
        milliseconds.append(1000 * (time.perf_counter() - start))
        if logits.shape[0] != CROPS or not np.isfinite(logits).all():
            raise UserError(f"{path}: the model gave {logits.shape} or values that are not finite")
        results.write_logits(folder / f"{path.stem}{results.SUFFIX}", logits)
        yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=engines.NAMES, default="onnxruntime")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input", type=Path, required=True, help="folder of .bin files")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    engine = engines.load(args.engine, args.model, args.threads)
    bins = sorted(args.input.glob("*.bin"))
    milliseconds: list[float] = []
    with whole_folder(args.output) as folder:
        what = f"{args.engine} {args.input.name}"
        for _ in with_progress(infer(engine, bins, folder, milliseconds), len(bins), what):
            pass
        files = {str(p): str(args.output / f"{p.stem}{results.SUFFIX}") for p in bins}
        arguments = {
            "model": str(args.model),
            "input": str(args.input),
            "output": str(args.output),
            "outfmt": "TXT",
            "batchsize": 1,
            "engine": args.engine,
            "device": engine.device,
            "threads": args.threads,
        }
        content = results.summary(files, milliseconds, arguments)
        results.write_summary(folder / results.SUMMARY, content)


if __name__ == "__main__":
    errors.run(main)
