"""Measure one setup: the model alone, and from the video to the result, a stage at a time."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data.bins import bin_path, fill_batch, read_for_model
from tsf.data.listing import Dataset, add_dataset_arguments, dataset_of
from tsf.engines.cpu import cpu_name
from tsf.engines.described import (
    DescribedEngine,
    add_engine_argument,
    read_described,
    refuse_other_model,
)
from tsf.engines.device import device_of
from tsf.engines.engine import Engine, load_engine
from tsf.engines.setup import Setup
from tsf.evaluation.performance_record import performance_record
from tsf.files import write_json
from tsf.inference import results
from tsf.recipe.record import ClipRecipe

VIDEOS = 4  # the fewest to measure from end to end
# Imports within functions: until its peak memory is read, this process must import no more than
# tsf.inference.infer does, so that the memory is that of the inference.


def gflops(macs: int, milliseconds: float) -> float:
    """GFLOP/s of a run with that many multiply-adds, of two operations each."""
    return 2 * macs / milliseconds / 1e6


def share(reached: float | None, gemm: float | None) -> float | None:
    """The part of the GEMM limit that a run reaches, both in GFLOP/s."""
    return None if reached is None or gemm is None else reached / gemm


def end_to_end(seconds: dict[str, float], videos_per_second: float) -> dict:
    """The speed from the video to the result, and the slowest stage.

    seconds: of a video in each stage; the stages use the same cores, one after the other.
    videos_per_second: of the model alone.
    """
    total = sum(seconds.values())
    return {
        "seconds": seconds,
        "total_seconds": total,
        "videos_per_second": 1 / total,
        "share_of_model_only": 1 / total / videos_per_second,
        "bottleneck": max(seconds, key=seconds.__getitem__),
    }


def make_bins(
    dataset: Dataset, number: int, recipe: ClipRecipe, dtype: str, folder: Path
) -> tuple[int, float, float]:
    """Write <n>.bin of the first videos that decode, on one core.

    Returns how many, and the seconds a video of decoding to a clip and of writing it.
    """
    import cv2

    from tsf.data.bins import write_bin
    from tsf.data.first_clips import first_clips
    from tsf.data.listed_clip import clip_of

    cv2.setNumThreads(1)
    # not timed: finds the videos that decode, and makes the libraries load their lazy parts
    videos = [video for video, _ in first_clips(dataset, number, recipe, dtype)]
    decoding = writing = 0.0
    for n, video in enumerate(videos):
        start = time.perf_counter()
        _, clip = clip_of(video, dataset.root, recipe, dtype)
        made = time.perf_counter()
        write_bin(clip, bin_path(folder, str(n)))
        decoding += made - start
        writing += time.perf_counter() - made
    return len(videos), decoding / len(videos), writing / len(videos)


def read_bins(
    engine: Engine, bins: list[Path], recipe: ClipRecipe, dtype: str
) -> tuple[np.ndarray, float]:
    """The first batch, (batch, views, 3, frames, y, x), and the seconds a video of reading all."""
    batches: list[np.ndarray] = []
    seconds = 0.0
    for number in range(0, len(bins), engine.batch):
        start = time.perf_counter()
        paths = bins[number : number + engine.batch]
        read = [read_for_model(path, recipe, dtype, engine.dtype) for path in paths]
        clips = fill_batch(read, engine.batch)
        seconds += time.perf_counter() - start
        batches = batches or [clips]
    return batches[0], seconds / len(bins)


def run_model(
    engine: Engine, clips: np.ndarray, warm_up: int, runs: int
) -> tuple[np.ndarray, list[float]]:
    """The logits, (batch * views, classes), and the milliseconds of each run after the warm-up."""
    milliseconds = []
    for _ in range(warm_up + runs):
        start = time.perf_counter()
        logits = engine.run(clips)
        milliseconds.append(1000 * (time.perf_counter() - start))
    return logits, milliseconds[warm_up:]


def write_results(logits: np.ndarray, videos: int, folder: Path) -> float:
    """Write a result file a video. Returns the seconds a video. logits: (views, classes)."""
    start = time.perf_counter()
    for number in range(videos):
        results.write_logits(results.result_path(folder, str(number)), logits)
    return (time.perf_counter() - start) / videos


def gemm_gflops(setup: Setup, threads: int) -> float | None:
    return limit("gemm", setup, threads, "--precision", setup.precision)


def limit(module: str, setup: Setup, threads: int, *options: str) -> float | None:
    """Run tsf.evaluation.<module> in a process of its own: its memory is not counted here."""
    command = [sys.executable, "-m", f"tsf.evaluation.{module}", *options]
    command += ["--device", setup.device, "--threads", str(threads)]
    # it inherits the lock on the device, and would keep that one busy if this process were killed
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, close_fds=False)
    found: float | None = json.loads(ended.stdout)
    return found


def operations_per_byte(macs: int, model_bytes: int, precision: str, other_bytes: int) -> float:
    """The operations of a run for each byte that it moves at least; it may move more.

    At least: the weights, in the type that they are multiplied in, input and logits, once each.
    model_bytes: of the model's file, float32 unless it is quantised; other_bytes: of input and
    logits.
    """
    halved = precision in ("bf16", "fp16")
    return 2 * macs / ((model_bytes / 2 if halved else model_bytes) + other_bytes)


def peak_memory() -> float:
    """The peak memory of this process until now, in MB of 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure(described: DescribedEngine, args: argparse.Namespace) -> dict:
    """All that is measured of an engine. args: of `main`."""
    setup = described.setup
    start = time.perf_counter()
    engine = load_engine(setup, described.file, args.threads)
    load_seconds = time.perf_counter() - start

    args.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.output.parent) as scratch:
        folder = Path(scratch)
        wanted = (dataset_of(args), max(engine.batch, VIDEOS), described.recipe)
        # so that decoding's memory is not counted here; a process of a Pool could not start the
        # workers that read the videos
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            made = pool.submit(make_bins, *wanted, described.dtype, folder)
            videos, decoding, writing = made.result()
        bins = [bin_path(folder, str(number)) for number in range(videos)]
        clips, reading = read_bins(engine, bins, described.recipe, described.dtype)
        gemm_before = gemm_gflops(setup, args.threads)
        logits, milliseconds = run_model(engine, clips, args.warm_up, args.runs)
        memory = peak_memory()
        gemm_after = gemm_gflops(setup, args.threads)
        reporting = write_results(logits[: described.recipe.views], videos, folder)

    from tsf.model.macs import macs  # it loads onnx, then the whole model

    count = macs(args.onnx)
    record = performance_record(
        setup.engine,
        described.file.name,
        setup.precision,
        engine.batch,
        engine.device,
        milliseconds,
        cpu=cpu_name(),
    )
    reached = None if count is None else gflops(count, record["milliseconds"]["p50"])
    per_byte = None
    if count is not None:
        model_bytes = sum(
            (described.file.parent / name).stat().st_size for name in described.sha256
        )
        moved = clips.nbytes + logits.nbytes
        per_byte = operations_per_byte(count, model_bytes, setup.precision, moved)
    gemm = max((found for found in (gemm_before, gemm_after) if found is not None), default=None)
    videos_per_second = record["videos_per_second"]
    seconds = {
        "video to clip": decoding / args.threads,
        "write .bin": writing,
        "read .bin": reading,
        "model": 1 / videos_per_second,
        "write result": reporting,
    }
    return record | {
        "setup": asdict(setup),
        "sha256": described.sha256,
        "threads": args.threads,
        "macs": count,
        "gflops": reached,
        "gemm_gflops": gemm,
        "gemm_share": share(reached, gemm),
        "operations_per_byte": per_byte,
        "memory_gb_per_second": limit("bandwidth", setup, args.threads),
        "memory_mb": memory,
        "load_seconds": load_seconds,
        "videos": videos,
        "end_to_end": end_to_end(seconds, videos_per_second),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_engine_argument(parser)
    parser.add_argument("--onnx", type=Path, required=True, help="to count multiply-adds in")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--warm-up", type=int, default=2, help="first runs, which are not measured")
    add_dataset_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    described = read_described(args.engine)
    refuse_other_model(described)
    with device_of(described.setup):
        content = measure(described, args)
    write_json(args.output, content)
    p50, speed = content["milliseconds"]["p50"], content["videos_per_second"]
    print(f"{described.file.name}: {p50:.1f} ms, {speed:.2f} videos/s")


if __name__ == "__main__":
    errors.run(main)
