"""A made-up run of any size, as the page gets it: no model, no video.

`python tests/made_up.py FOLDER [VIDEOS CLASSES]` writes one as a results folder, with its page.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from tsf.data.k400_info import ScoredVideo, write_skipped
from tsf.data.strips import strip
from tsf.data.tables import write_table
from tsf.evaluation import accuracy, results_folder, verdict
from tsf.evaluation.details import details
from tsf.evaluation.gallery import choose, described
from tsf.evaluation.performance import end_to_end
from tsf.evaluation.prediction_table import write_predictions
from tsf.files import read_json, sha256, write_json, write_text
from tsf.inference.results import summary
from tsf.report.page.write import page

ENGINES = ("onnxruntime", "openvino_tsf_opt", "openvino_tsf_opt_bf16")

SKIPPED = 300
REASONS = ("missing file", "undecodable: Invalid data found when processing input")
RECIPE = {
    "clip": {
        "sampling": {
            "sampler": "mmaction2-0.x",
            "clip_len": 8,
            "frame_interval": 32,
            "num_clips": 1,
        },
        "source": "rawframes",
        "preprocessing": "mmaction2-0.x",
        "short_side": 224,
        "crops": "three",
        "side": 224,
        "mean": [127.5, 127.5, 127.5],
        "std": [127.5, 127.5, 127.5],
        "channels": "rgb",
    },
    "fusion": "mean_softmax",
    "origin": {"sampler": "model.config", "side": "model.config", "fusion": "model.config"},
}


def scores(labels: np.ndarray, classes: int, seed: int) -> np.ndarray:
    """(videos, classes) probabilities, the label's mostly the highest."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (len(labels), classes)).astype(np.float32)
    hard = np.random.default_rng(0).normal(5.2, 1.9, len(labels))  # of a video, for every engine
    logits[np.arange(len(labels)), labels] += hard
    logits[np.arange(len(labels)), (labels + 1) % classes] += 2
    powers = np.exp(1.6 * logits)
    return powers / powers.sum(axis=1, keepdims=True)


def content(videos: int, classes: int, engines: tuple[str, ...]) -> dict:
    """The JSON files of the page by name; `skipped`, `strips` and `tables` beside them."""
    random = np.random.default_rng(1)
    names = [f"class of human motion number {n}" for n in range(classes)]
    labels = random.integers(0, classes, videos)
    info = [ScoredVideo(n, f"video{n:06}_000010_000020", int(labels[n])) for n in range(videos)]
    paths = {video.name: f"val/{video.name}.mp4" for video in info}
    found = {name: scores(labels, classes, seed) for seed, name in enumerate(engines)}
    tables = {name: accuracy.predictions(s, info, paths, names) for name, s in found.items()}
    table = pd.concat(tables, names=["engine", None]).reset_index("engine")
    heads = pd.DataFrame(
        {
            "width": random.choice([320.0, 340, 640, 1280], videos),
            "height": random.choice([240.0, 360, 720, np.nan], videos),
            "fps": random.choice([15.0, 25, 29.97, 60], videos),
            "frames": random.integers(30, 330, videos).astype(float),
        },
        index=[video.name for video in info],
    )
    of_run = {
        "engines": {
            name: accuracy.assess(s, info, SKIPPED)
            | {"device": "a processor", "batch": 1, "model": "results/tsf_sim.onnx"}
            for name, s in found.items()
        },
        "listed": videos + SKIPPED,
        "scored": videos,
        "skipped": SKIPPED,
        "skipped_reasons": {REASONS[0]: SKIPPED // 2, REASONS[1]: SKIPPED // 2},
        "recipe": RECIPE | {"classes": classes},
        "moved_by_sampler": {"other": "mmaction2-1.x", "videos": videos // 2},
        "paired": accuracy.comparisons(found, info, names),
    }
    times = np.random.default_rng(2).gamma(30, 4, videos).tolist()
    summaries = {name: summary({}, times, {"batchsize": 1, "device": ""}) for name in engines}
    reference = {"source": "a paper", "dataset": "Kinetics-400", "top1": 77.92}
    gallery = {"videos": [described(table, *chosen) for chosen in choose(table)]}
    files = {
        "accuracy": of_run,
        "details": {
            "engines": {
                name: details(table[table["engine"] == name], names, heads) for name in engines
            }
        },
        "verdict": verdict.verdict(of_run, summaries, "Kinetics-400", reference),
        "gallery": gallery,
        "measured": performance(engines) | {"choice": choice(engines)},
        "verify": {"clips": ["a", "b"], "boundaries": boundaries(engines)},
        "provenance": provenance(),
    }
    # through JSON, as the page gets them
    return json.loads(json.dumps(files, default=np.generic.item)) | {
        "skipped": [(f"skipped{n}", names[0], REASONS[n % 2]) for n in range(SKIPPED)],
        "strips": {video["video"]: noise(n) for n, video in enumerate(gallery["videos"])},
        "tables": {"predictions": table, "heads": heads},
    }


def rendered(content: dict) -> str:
    """The page of a run."""
    rest = {name: found for name, found in content.items() if name != "tables"}
    return page(rest, rest.pop("skipped"), rest.pop("strips"))


def write_results(folder: Path, content: dict) -> None:
    """What a finished run leaves and the comparison reads, as its steps write it."""
    for name in (path.removesuffix(".json") for path in results_folder.FILES):
        if name in content:
            write_json(folder / f"{name}.json", content[name])
    tables = content["tables"]
    write_predictions(folder / "predictions.csv", tables["predictions"].set_index("engine"))
    heads = [
        [row[0], *("" if np.isnan(number) else str(number) for number in row[1:])]
        for row in tables["heads"].itertuples()
    ]
    write_table(folder / "video_heads.tsv", ("video", *tables["heads"].columns), heads)
    write_skipped(folder / "skipped.tsv", content["skipped"])
    note(folder)


def note(folder: Path) -> None:
    """In provenance.json, the files that lie beside it as those of its run."""
    path = folder / "provenance.json"
    parts = [name for name in results_folder.FILES if name != path.name]
    write_json(path, read_json(path) | {"results": {name: sha256(folder / name) for name in parts}})


def noise(seed: int) -> bytes:
    """The frames of a video that compresses badly."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (8, 60, 106, 3), np.uint8)
    return strip([cv2.resize(picture, (426, 240)) for picture in coarse])


def boundaries(engines: tuple[str, ...]) -> list[dict]:
    one = {"relative_l2": 2e-7, "cosine": 0.99999, "values": 48, "top1_agreement": 1.0}
    equal = {"name": "uint8 .bin, normalised", "max_abs": 0.0, "allowed": 0.0}
    exact = {"name": "tsf_sim.onnx", "max_abs": 2.4e-6, "allowed": 1e-4}
    rows = [
        {"measure": "max_abs", "precision": "f32"} | one | row
        for row in (equal, exact, *({"name": name} | exact for name in engines[1:]))
    ]
    bf16 = {"name": "tsf_opt.onnx (openvino_bf16)", "measure": "relative_l2", "allowed": 0.05}
    return [*rows, rows[1] | bf16 | {"relative_l2": 0.007, "precision": "bf16"}]


def performance(engines: tuple[str, ...]) -> dict:
    rows = []
    for number, name in enumerate(engines):
        for batch in (1, 4):
            speed = (1 + number) * (2 + batch / 10)
            stages = {"video to clip": 0.1, "write .bin": 0.01, "read .bin": 0.01}
            stages |= {"model": 1 / speed, "write result": 0.001}
            rows.append(
                {
                    "engine": name,
                    "model": "tsf_sim.onnx",
                    "precision": "f32" if number < 2 else "bf16",
                    "batch": batch,
                    "device": "a processor",
                    "milliseconds": dict.fromkeys(("p50", "p90", "p99"), 1000 * batch / speed),
                    "videos_per_second": speed,
                    "gflops": 180 * speed,
                    "gemm_gflops": 2000 if number < 2 else 4000,
                    "gemm_share": 180 * speed / 2000,
                    "operations_per_byte": 300 * batch,
                    "memory_gb_per_second": 40,
                    "memory_mb": 1200,
                    "load_seconds": 2,
                    "threads": 2,
                    "end_to_end": end_to_end(stages, speed),
                }
            )
    faults = dict.fromkeys(("parity", "performance", "choice", "ascend_performance"))
    return {
        "parity": None,
        "performance": {"measurements": rows},
        "ascend_performance": None,
        "faults": faults,
    }


def choice(engines: tuple[str, ...]) -> dict:
    """choice.json where the last engine, if there are several, is not exact, and the fastest."""
    compared = {"against": engines[0], "labelled": 120, "mcnemar_p": 0.5, "difference": -0.83}
    compared |= {"difference95": [-2.9, 1.2]}
    rows = [
        {
            "name": name,
            "config": [f"engines: [{name}]", "bin: uint8"],
            "videos_per_second": 1.0 + number,
            "comparison": compared if number and name == engines[-1] else None,
            "within_limits": True,
            "elsewhere": False,
        }
        for number, name in enumerate(engines)
    ]
    made = {"exact": engines[0], "fastest": engines[-1], "cpus": ["a processor"]}
    return made | {"engines": rows[::-1]}


def provenance() -> dict:
    return {
        "commit": {"commit": "0" * 40, "changed": True},
        "command": "snakemake all --cores 2",
        "versions": {"python": "3.11.7", "numpy": "2.3.5"},
        "machine": {
            "system": "Linux",
            "processor": "a processor",
            "cores": 2,
            "memory_mb": 24000.0,
        },
        "sha256": {kind: {kind: "0" * 64} for kind in ("checkpoint", "models", "lists", "patches")},
        "stages": [
            {
                "stage": "infer/onnxruntime",
                "jobs": 50,
                "seconds": 4321.0,
                "longest_seconds": 99.0,
                "memory_mib": 1234.0,
                "start": "2026-01-01 00:00:00",
                "end": "2026-01-01 01:12:01",
            }
        ],
        "disk": {"out_bin": 287_000_000_000, "rawframes": 9_000_000_000},
        "config": {"keep": "frames", "model": {"config": "models/a.py", "checkpoint": "a.pth"}},
    }


if __name__ == "__main__":
    where, *size = sys.argv[1:]
    made = content(*map(int, size or (2000, 8)), ENGINES)
    Path(where).mkdir(parents=True, exist_ok=True)
    write_results(Path(where), made)
    write_text(Path(where, "report.html"), rendered(made))
