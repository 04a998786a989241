"""Measure one setup: the model alone, and from the video to the result, a stage at a time."""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data import listing, tables
from tsf.engines.setup import add_setup_arguments, load_engine, setup_from_arguments
from tsf.inference import results
from tsf.data.model_input import BIN_BYTES, CROPS
from tsf.engines.setup import Setup
from tsf.errors import UserError
from tsf.files import write_text
from tsf.inference.infer import read_batch, refuse_other_values
from tsf.data.sampling import SAMPLERS

VIDEOS = 4  # at least, from end to end
# what this process imports before the peak of its memory is read is what tsf.inference.infer imports


def gflops(macs: int | None, milliseconds: float) -> float | None:
    """GFLOP/s of a run with that many multiply-adds, of two operations each."""
    return None if macs is None else 2 * macs / milliseconds / 1e6


def share(reached: float | None, limit: float | None) -> float | None:
    return None if None in (reached, limit) else reached / limit


def end_to_end(seconds: dict[str, float], videos_per_second: float) -> dict:
    """The sum of the stages, and which is the bottleneck.

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


def make_bins(videos: list[Path], sampler: str, values: str, folder: Path) -> tuple[float, float]:
    """Write <number>.bin of each video, on one core.

    values: float32 or uint8. Returns the seconds a video of decoding to a clip and of writing it.
    """
    import cv2

    from tsf.data.preprocess import clip_from_video, write_bin

    cv2.setNumThreads(1)
    clip_from_video(videos[0], sampler, values)  # what is loaded at first use
    decoding = writing = 0.0
    for number, video in enumerate(videos):
        start = time.perf_counter()
        _, clip = clip_from_video(video, sampler, values)
        made = time.perf_counter()
        write_bin(clip, folder / f"{number}.bin")
        decoding += made - start
        writing += time.perf_counter() - made
    return decoding / len(videos), writing / len(videos)


def read_bins(engine, bins: list[Path], values: str) -> tuple[np.ndarray, float]:
    """The first batch, (batch, 3, 3, 8, 224, 224), and the seconds a video of reading them all."""
    first, seconds = None, 0.0
    for number in range(0, len(bins), engine.batch):
        start = time.perf_counter()
        clips = read_batch(engine, bins[number : number + engine.batch], values)
        seconds += time.perf_counter() - start
        first = clips if first is None else first
    return first, seconds / len(bins)


def run_model(engine, clips: np.ndarray, warm_up: int, runs: int) -> tuple[np.ndarray, list[float]]:
    """The logits, (batch * 3, classes), and the milliseconds of each run after the warm-up."""
    milliseconds = []
    for _ in range(warm_up + runs):
        start = time.perf_counter()
        logits = engine.run(clips)
        milliseconds.append(1000 * (time.perf_counter() - start))
    return logits, milliseconds[warm_up:]


def write_results(logits: np.ndarray, videos: int, folder: Path) -> float:
    """Seconds a video. logits: (3, classes)."""
    start = time.perf_counter()
    for number in range(videos):
        results.write_logits(folder / f"{number}{results.SUFFIX}", logits)
    return (time.perf_counter() - start) / videos


def gemm_limit(setup: Setup, threads: int) -> float | None:
    """`tsf.evaluation.gemm` in a process of its own, whose memory is not the model's."""
    command = [sys.executable, "-m", "tsf.evaluation.gemm", "--precision", setup.precision]
    command += ["--device", setup.device, "--threads", str(threads)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def peak_memory() -> float:
    """What this process held at most until now, in MB of 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_setup_arguments(parser)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--onnx", type=Path, required=True, help="to count multiply-adds in")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--warm-up", type=int, default=2, help="runs before, that do not count")
    parser.add_argument("--info", type=Path, required=True, help="k400.info: the scored videos")
    parser.add_argument("--list", type=Path, required=True, help="tsv of the listed videos")
    parser.add_argument("--root", type=Path, required=True, help="what its paths are relative to")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
    parser.add_argument("--bin", choices=list(BIN_BYTES), default="float32", help="its values")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    scored = tables.read_info(args.info)
    if not scored:
        raise UserError(f"{args.info}: no video is scored, so there is none to measure on")
    setup = setup_from_arguments(args)
    start = time.perf_counter()
    engine = load_engine(setup, args.model, args.threads)
    load_seconds = time.perf_counter() - start
    refuse_other_values(engine, args.model, args.bin)

    paths = {video.video: args.root / video.path for video in listing.read_list(args.list)}
    videos = [paths[video.video] for video in scored[: max(engine.batch, VIDEOS)]]
    args.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.output.parent) as scratch:
        folder = Path(scratch)
        with get_context("spawn").Pool(1) as pool:  # what decoding holds is not the model's
            decoding, writing = pool.apply(make_bins, (videos, args.sampler, args.bin, folder))
        bins = [folder / f"{number}.bin" for number in range(len(videos))]
        clips, reading = read_bins(engine, bins, args.bin)
        limits = [gemm_limit(setup, args.threads)]
        logits, milliseconds = run_model(engine, clips, args.warm_up, args.runs)
        memory = peak_memory()
        limits.append(gemm_limit(setup, args.threads))
        reporting = write_results(logits[:CROPS], len(videos), folder)

    from tsf.model.macs import macs  # onnx and the whole model: after the memory is read

    times = results.latencies(milliseconds)
    count = macs(args.onnx)
    reached = gflops(count, times["p50"])
    limit = None if None in limits else max(limits)
    videos_per_second = 1000 * engine.batch / times["mean"]
    seconds = {
        "video to clip": decoding / args.threads,
        "write .bin": writing,
        "read .bin": reading,
        "model": 1 / videos_per_second,
        "write result": reporting,
    }
    content = {
        "engine": setup.engine,
        "model": args.model.name,
        "precision": setup.precision,
        "batch": engine.batch,
        "device": engine.device,
        "threads": args.threads,
        "runs": args.runs,
        "milliseconds": times,
        "videos_per_second": videos_per_second,
        "macs": count,
        "gflops": reached,
        "gemm_gflops": limit,
        "gemm_share": share(reached, limit),
        "memory_mb": memory,
        "load_seconds": load_seconds,
        "videos": len(videos),
        "end_to_end": end_to_end(seconds, videos_per_second),
    }
    write_text(args.output, json.dumps(content, indent=2) + "\n")
    print(f"{args.model.name}: {times['p50']:.1f} ms, {videos_per_second:.2f} videos/s")


if __name__ == "__main__":
    errors.run(main)
