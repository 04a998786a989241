"""The form of every measurement of speed, on CPU, GPU and NPU."""

import statistics

import numpy as np

UNKNOWN = (
    "cpu",  # of the machine that measured, whatever ran the model
    "threads",
    "macs",
    "gflops",
    "gemm_gflops",
    "gemm_share",
    "operations_per_byte",
    "memory_gb_per_second",
    "memory_mb",
    "load_seconds",
    "end_to_end",
    "h2d_milliseconds",
    "d2h_milliseconds",
)


def latencies(milliseconds: list[float]) -> dict[str, float]:
    """The statistics of the runs' times, in milliseconds."""
    return {
        "mean": statistics.fmean(milliseconds),
        "min": min(milliseconds),
        "p50": float(np.percentile(milliseconds, 50)),
        "p90": float(np.percentile(milliseconds, 90)),
        "p99": float(np.percentile(milliseconds, 99)),
        "max": max(milliseconds),
    }


def performance_record(
    engine: str,
    model: str,
    precision: str,
    batch: int,
    device: str,
    milliseconds: list[float],
    **measured: float | dict | str | None,
) -> dict:
    """The figures of a loop of runs. milliseconds: of each run after the warm-up.

    videos_per_second is ais_bench's throughput: 1000 * batch / mean, of the model alone. measured:
    figures among UNKNOWN; the others are None.
    """
    times = latencies(milliseconds)
    return {
        "engine": engine,
        "model": model,
        "precision": precision,
        "batch": batch,
        "device": device,
        "runs": len(milliseconds),
        "milliseconds": times,
        "videos_per_second": 1000 * batch / times["mean"],
        **dict.fromkeys(UNKNOWN),
        **measured,
    }
