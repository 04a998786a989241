"""performance.md: the speed of every measured setup, of the model alone and from end to end."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.files import read_json, write_text
from tsf.markdown import table
from tsf.report.choice import paragraph

PARAGRAPH = "\n\n"


def cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def setup_cells(measurement: dict) -> list[str]:
    m = measurement
    return [m["engine"], m["model"], m["precision"], str(m["batch"])]


SETUP = ["engine", "model", "precision", "batch"]


def model_table(measurements: list[dict]) -> str:
    rows = [
        [
            *setup_cells(m),
            m["device"],
            *(f"{m['milliseconds'][name]:.1f}" for name in ("p50", "p90", "p99")),
            f"{m['videos_per_second']:.2f}",
            cell(m["gflops"], ",.0f"),
            cell(m["gemm_gflops"], ",.0f"),
            cell(m["gemm_share"], ".0%"),
            cell(m["memory_mb"], ",.0f"),
            cell(m["load_seconds"], ".1f"),
        ]
        for m in measurements
    ]
    header = [*SETUP, "device", "p50 ms", "p90 ms", "p99 ms", "videos/s", "GFLOP/s", "GEMM limit"]
    return table([*header, "share", "memory MB", "load s"], rows)


def stage_table(measurements: list[dict]) -> str:
    stages = list(measurements[0]["end_to_end"]["seconds"])
    rows = []
    for m in measurements:
        whole = m["end_to_end"]
        rows.append(
            [
                *setup_cells(m),
                *(f"{whole['seconds'][stage]:.4f}" for stage in stages),
                f"{whole['total_seconds']:.4f}",
                f"{whole['videos_per_second']:.2f}",
                f"{whole['share_of_model_only']:.0%}",
                whole["bottleneck"],
            ]
        )
    header = [*SETUP, *stages, "sum", "videos/s", "of model only", "bottleneck"]
    return table(header, rows)


def markdown(measurements: list[dict], choice: dict | None = None) -> str:
    """choice: choice.json, None where the dataset was not scored."""
    whole = [m for m in measurements if m["end_to_end"]]
    return f"""# Performance

{f"{paragraph(choice)}{PARAGRAPH}" if choice else ""}## The model alone

{model_table(measurements)}
videos/s: 1000 * batch / mean, as ais_bench defines it: videos (all views of each) a second of the
model alone, after the warm-up. It includes what the engine does from the clips in memory to the
logits in memory, on a GPU the copies too. It does not include decoding, preprocessing, writing and
reading .bin files, writing results and loading the model; on an NPU, as ais_bench counts, nor the
copies.

p50, p90, p99: of the runs, at the batch size of the row, on real clips; ascend's on zeros. GFLOP/s:
two operations a multiply-add of MatMul, Gemm and Conv, by p50; for int8 they are integer
operations. GEMM limit: the best that any library here reaches in that precision in one matrix
multiplication of the model's shapes, measured before and after the runs, of which the better
counts; share: of that. memory: the most that the process held, with the model and one batch. load:
until the model can run. -: not known.
{end_to_end_text(whole) if whole else ""}"""


def end_to_end_text(measurements: list[dict]) -> str:
    threads = sorted({m["threads"] for m in measurements})
    return f"""
## From the video to the result

Seconds a video in each stage, with {" or ".join(map(str, threads))} threads:

{stage_table(measurements)}
The stages use the same cores one after the other, so a video takes their sum. video to clip:
decoding, the raw frames as JPEGs in memory and preprocessing, measured on one core and divided by
the threads, as the workflow decodes in so many processes at a time. The .bin file goes to the
system's cache and is read back from it, and normalised if it holds bytes and the model takes
float32. model: as in the table above, by the mean. Not included: starting Python and loading the
model, once a shard, and Snakemake's own time.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--performance", type=Path, required=True, help="json to read")
    parser.add_argument("--choice", type=Path, help="json: which engine to use")
    parser.add_argument("--output", type=Path, required=True, help="markdown to write")
    args = parser.parse_args()
    choice = read_json(args.choice) if args.choice else None
    write_text(args.output, markdown(read_json(args.performance)["measurements"], choice))


if __name__ == "__main__":
    errors.run(main)
