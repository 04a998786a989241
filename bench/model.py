"""The full-size model measured: every engine and precision, taking turns in one process.

    PYTHONPATH=src python bench/model.py      (`make bench-model` makes what it needs before)

Round after round, in an order that moves on by one each time, every way runs once on the same real
clip, and the GEMM limit is measured once in every precision. A ratio is of two runs of one round.
The weights are random, which is as fast as trained ones. The logits are compared with mmaction2's
own model in PyTorch, eager, which is one of the ways.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from tsf import errors
from tsf.data.make_clip import clip_from_video
from tsf.data.model_input import normalise
from tsf.engines.cpu import cpu_name
from tsf.engines.engine import Engine, load_engine
from tsf.engines.setup import ONNX, Setup
from tsf.errors import UserError
from tsf.evaluation import gemm
from tsf.evaluation.gemm import fastest_gflops
from tsf.evaluation.parity import logit_distances
from tsf.evaluation.performance import gflops
from tsf.files import write_json
from tsf.markdown import table
from tsf.model.load import load
from tsf.model.macs import macs
from tsf.model.recogniser import build_recogniser, reference_logits
from tsf.model.settings_argument import read_settings
from tsf.recipe.record import Recipe, read_part

if TYPE_CHECKING:
    from tsf.engines.openvino import OpenVino

CONFIG = "timesformer_divST_8x32x1_15e_kinetics400_rgb"
SETUPS = [
    Setup("onnxruntime", "tsf_sim", "f32"),
    Setup("onnxruntime", "tsf_opt", "f32"),
    Setup("openvino", "tsf_sim", "f32"),
    Setup("openvino", "tsf_opt", "f32"),
    Setup("openvino", "tsf_opt", "bf16"),
    Setup("openvino", "tsf_opt", "int8"),
    Setup("openvino", "tsf_opt", "int8_bf16"),
    Setup("openvino", "tsf_opt_u8", "int8_bf16"),
    Setup("torch", "tsf", "f32"),
]
REFERENCE, EAGER = SETUPS[0].name, "PyTorch eager"
# of the best way in a precision: how often as fast as the reference, and the part of the GEMM limit
TARGETS = {"f32": 1.3, "bf16": 2.8, "int8": 4.5}
SHARE = 0.9
# the settings that a model compiled for profiling takes over from the engine's
SETTINGS = (
    "INFERENCE_PRECISION_HINT",
    "PERFORMANCE_HINT",
    "INFERENCE_NUM_THREADS",
    "ENABLE_CPU_PINNING",
)


@dataclass
class Way:
    """One way to run the model, and what was found of it."""

    precision: str  # of its multiplications
    macs: int
    seconds: list[float] = field(default_factory=list)  # a round
    cpu_seconds: list[float] = field(default_factory=list)  # a round
    difference: dict[str, float] = field(default_factory=dict)  # of its logits from PyTorch's


def measure(
    runs: dict[str, Callable[[], np.ndarray]],
    ways: dict[str, Way],
    limits: dict[str, list[float]],
    rounds: int,
    threads: int,
) -> dict[str, np.ndarray]:
    """Fill in the seconds of `ways` and the GFLOP/s of `limits`, by precision; return the logits.

    The first round warms up and is not among them.
    """
    logits = {}
    names = [*runs, *limits]
    for turn in range(rounds + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            if name in limits:
                reached = fastest_gflops(name, "cpu", threads)
                limits[name] += [reached] if turn and reached is not None else []
                continue
            wall, cpu = time.perf_counter(), time.process_time()
            logits[name] = runs[name]()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if turn:
                ways[name].seconds.append(wall)
                ways[name].cpu_seconds.append(cpu)
        print(f"round {turn} of {rounds}", file=sys.stderr, flush=True)
    return logits


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratio(above: list[float], below: list[float]) -> dict[str, float]:
    """Of the rounds, one by one."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def figures(ways: dict[str, Way], limits: dict[str, list[float]]) -> dict[str, dict]:
    """The figures of each way in the table."""
    found = {}
    for name, way in ways.items():
        reached = [gflops(way.macs, 1000 * seconds) for seconds in way.seconds]
        found[name] = {
            "seconds": statistics.median(way.seconds),
            "cpu_seconds": statistics.median(way.cpu_seconds),
            "to_reference": ratio(ways[REFERENCE].seconds, way.seconds),
            "to_eager": ratio(ways[EAGER].seconds, way.seconds),
            "gflops": statistics.median(reached),
            "gemm_share": ratio(reached, limits[way.precision]),
        }
    return found


def targets(ways: dict[str, Way], found: dict[str, dict]) -> list[dict]:
    """The best way of each precision that has a target, and whether it meets it."""
    rows = []
    for precision, wanted in TARGETS.items():
        names = [name for name, way in ways.items() if way.precision == precision]
        if names:
            best = max(names, key=lambda name: found[name]["to_reference"]["median"])
            reached = found[best]["to_reference"]["median"]
            share = found[best]["gemm_share"]["median"]
            rows.append(
                {
                    "precision": precision,
                    "best": best,
                    "ratio": reached,
                    "ratio_wanted": wanted,
                    "share": share,
                    "share_wanted": SHARE,
                    "met": reached >= wanted and share >= SHARE,
                }
            )
    return rows


def multiply_adds(path: Path) -> int:
    """Of a run of an ONNX model. Raises UserError if they cannot be counted."""
    count = macs(path)
    if count is None:
        raise UserError(f"{path}: not simplified, so its multiply-adds cannot be counted")
    return count


def operators(engine: "OpenVino", path: Path, clips: np.ndarray) -> list[dict]:
    """Where OpenVINO's engine spends a run: its operators by type, the longest first.

    clips: (1, 3, 3, 8, 224, 224) of the engine's type.
    """
    import openvino

    settings = {name: engine.compiled.get_property(name) for name in SETTINGS}
    compiled = openvino.Core().compile_model(path, "CPU", settings | {"PERF_COUNT": True})
    request = compiled.create_infer_request()
    for _ in range(2):  # the first warms up
        request.infer({"imgs": clips})
    kinds: dict[tuple[str, str], dict] = {}
    for node in request.profiling_info:
        milliseconds = 1000 * node.real_time.total_seconds()
        if milliseconds:
            kind = {"node_type": node.node_type, "exec_type": node.exec_type}
            row = kinds.setdefault(tuple(kind.values()), kind | {"count": 0, "milliseconds": 0.0})
            row["count"] += 1
            row["milliseconds"] += milliseconds
    return sorted(kinds.values(), key=lambda row: -row["milliseconds"])


def way_table(ways: dict[str, Way], found: dict[str, dict]) -> str:
    rows = []
    for name, figure in found.items():
        reference, difference = figure["to_reference"], ways[name].difference
        rows.append(
            [
                name,
                f"{figure['seconds']:.3f}",
                f"{figure['cpu_seconds']:.3f}",
                f"{reference['median']:.2f} [{reference['min']:.2f}, {reference['max']:.2f}]",
                f"{figure['to_eager']['median']:.2f}",
                f"{figure['gflops']:,.0f}",
                f"{figure['gemm_share']['median']:.0%}",
                f"{difference['max_abs']:.2g}",
                f"{difference['relative_l2']:.2g}",
            ]
        )
    header = ["", "s", "CPU s", f"times as fast as {REFERENCE}", f"as {EAGER}", "GFLOP/s"]
    return table([*header, "of GEMM", "max abs", "relative L2"], rows)


def target_table(rows: list[dict]) -> str:
    cells = [
        [
            row["precision"],
            row["best"],
            f"{row['ratio']:.2f}",
            verdict(row["ratio"], row["ratio_wanted"], ".1f"),
            f"{row['share']:.0%}",
            verdict(row["share"], row["share_wanted"], ".0%"),
        ]
        for row in rows
    ]
    return table(["precision", "best", "times as fast", "target", "of GEMM", "target"], cells)


def verdict(found: float, wanted: float, form: str) -> str:
    return f"{format(wanted, form)}: {'met' if found >= wanted else 'missed'}"


def operator_table(rows: list[dict]) -> str:
    cells = [
        [row["node_type"], row["exec_type"], str(row["count"]), f"{row['milliseconds']:.1f}"]
        for row in rows
    ]
    return table(["operator", "kernel", "count", "ms"], cells)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("results/bench_model/results"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=Path("results/bench_model.json"))
    args = parser.parse_args()

    results = args.results
    model_macs = {name: multiply_adds(results / f"{name}.onnx") for name in ONNX}
    model_macs["tsf"] = model_macs["tsf_sim"]
    video = min((results / "real_clips/val").glob("*.mp4"))
    recipe = read_part(str(results / "recipe.json"), Recipe)
    _, clip = clip_from_video(video, recipe.clip, "uint8")
    inputs = {"uint8": clip[np.newaxis], "float32": normalise(clip, recipe.clip)[np.newaxis]}

    loaded: dict[Setup, Engine] = {}
    skipped: dict[str, str] = {}
    for setup in SETUPS:
        try:
            loaded[setup] = load_engine(setup, results / setup.file, args.threads)
        except UserError as fault:
            skipped[setup.name] = str(fault)
    settings = read_settings(CONFIG, results / "mmaction2")
    checkpoint = results / f"checkpoint/{CONFIG}.random0.pth"
    recogniser = build_recogniser(
        results / "mmaction2", load(checkpoint, settings, recipe.clip, recipe.classes)
    )
    torch.set_num_threads(args.threads)
    runs: dict[str, Callable[[], np.ndarray]] = {
        setup.name: partial(engine.run, inputs[engine.dtype]) for setup, engine in loaded.items()
    }
    runs[EAGER] = lambda: reference_logits(recogniser, torch.from_numpy(inputs["float32"])).numpy()
    ways = {
        setup.name: Way(gemm.kind(setup.precision), model_macs[setup.model]) for setup in loaded
    }
    ways[EAGER] = Way("f32", model_macs["tsf"])
    limits: dict[str, list[float]] = {way.precision: [] for way in ways.values()}
    logits = measure(runs, ways, limits, args.rounds, args.threads)
    for name, way in ways.items():
        way.difference = logit_distances(logits[EAGER], logits[name])

    found = figures(ways, limits)
    aims = targets(ways, found)
    missed = {aim["best"] for aim in aims if not aim["met"]}
    profiles = {
        setup.name: operators(cast("OpenVino", engine), results / setup.file, inputs[engine.dtype])
        for setup, engine in loaded.items()
        if setup.name in missed and setup.engine == "openvino"
    }
    content = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": cpu_name(),
        "threads": args.threads,
        "packages": {name: version(name) for name in sorted({setup.engine for setup in loaded})},
        "rounds": args.rounds,
        "clip": video.name,
        "ways": {name: asdict(way) | found[name] for name, way in ways.items()},
        "gemm_gflops": limits,
        "skipped": skipped,
        "targets": aims,
        "operators": profiles,
    }
    write_json(args.output, content)
    print(way_table(ways, found))
    print(f"Medians of {args.rounds} rounds, {args.threads} threads, a ratio with [min, max].")
    print(f"max abs, relative L2: of the logits, from those of {EAGER}.")
    for precision, reached in limits.items():
        print(f"GEMM limit, {precision}: {statistics.median(reached):,.0f} GFLOP/s")
    for name, reason in skipped.items():
        print(f"not measured: {name}: {reason}")
    print(f"\n{target_table(aims)}")
    for name, rows in profiles.items():
        print(f"{name}, a run by operators:\n\n{operator_table(rows)}")


if __name__ == "__main__":
    errors.run(main)
