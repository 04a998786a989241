"""How the times of an engine's runs are distributed."""

import numpy as np

BINS = 40


def histogram(milliseconds: list[float]) -> dict | None:
    """Equal bins from the shortest run to the 99th percentile, and how many runs are beyond.

    milliseconds: of each run. Returns None where there is none.
    """
    if not milliseconds:
        return None
    times = np.array(milliseconds)
    low, p50, p90, p99 = np.percentile(times, [0, 50, 90, 99])
    within = times[times <= p99]
    counts, edges = np.histogram(within, BINS, (low, max(p99, low * (1 + 1e-9))))
    return {
        "runs": len(times),
        "p50": float(p50),
        "p90": float(p90),
        "p99": float(p99),
        "max": float(times.max()),
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "beyond": len(times) - len(within),
    }
