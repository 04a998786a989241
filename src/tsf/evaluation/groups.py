"""The accuracy of short and long, small and large, slow and fast videos."""

import numpy as np
import pandas as pd

from tsf.evaluation.intervals import wilson_interval

# the groups' bounds; a video on a bound is in the group above it
BOUNDS: dict[str, list[float]] = {
    "seconds": [2, 4, 6, 8, 9.5],
    "short_side": [240, 320, 480, 720],
    "fps": [20, 27, 35],
}


def by_group(values: np.ndarray, bounds: list[float], right: np.ndarray) -> list[dict]:
    """The accuracy of each group that has a video; last the group whose value is not known.

    values: (videos,) NaN if not known; bounds: rising, a group from `low` to below `high`, None at
    either end; right: (videos,) bool.
    """
    edges = [None, *bounds, None]
    place = np.digitize(values, bounds)  # (videos,) 0 .. len(bounds); NaN: beyond, so it is apart
    known = ~np.isnan(values)
    masks = [(edges[n], edges[n + 1], known & (place == n)) for n in range(len(bounds) + 1)]
    masks.append((None, None, ~known))
    groups = []
    for low, high, inside in masks:
        videos, hits = int(inside.sum()), int(right[inside].sum())
        if videos:
            groups.append(
                {
                    "low": low,
                    "high": high,
                    "known": not (low is None and high is None),
                    "videos": videos,
                    "percent": 100 * hits / videos,
                    "interval95": wilson_interval(hits, videos),
                }
            )
    return groups


def properties(heads: pd.DataFrame) -> dict[str, np.ndarray]:
    """What the groups are made by, (videos,) each. heads: rows of tsf.data.video_heads."""
    frames, fps = heads["frames"], heads["fps"]
    return {
        "seconds": (frames / fps).to_numpy(float),
        "short_side": heads[["width", "height"]].min(axis=1, skipna=False).to_numpy(float),
        "fps": fps.to_numpy(float),
    }


def groups(heads: pd.DataFrame, right: np.ndarray) -> dict[str, list[dict]]:
    """`by_group` for each of BOUNDS. heads: a row a video of `right`, (videos,) bool."""
    of_videos = properties(heads)
    return {key: by_group(of_videos[key], bounds, right) for key, bounds in BOUNDS.items()}
