"""Compare two engines video by video, which shows differences that two accuracies alone hide."""

from collections import Counter

import numpy as np
from scipy.stats import binomtest, norm

Z95 = float(norm.ppf(0.975))


def mcnemar_exact(first_only: int, second_only: int) -> float:
    """Two-sided p of the exact McNemar test.

    first_only, second_only: how many videos only the first, only the second engine has right. If
    the two were equally good, each such video would be the toss of a fair coin.
    """
    flips = first_only + second_only
    return float(binomtest(first_only, flips).pvalue) if flips else 1.0


def difference95(first_only: int, second_only: int, videos: int) -> tuple[float, float]:
    """The 95 % interval of the second accuracy minus the first, in percentage points.

    first_only, second_only: as in `mcnemar_exact`, of this many videos. The interval for paired
    data of Agresti and Min, Simple improved confidence intervals for comparing
    matched proportions, Statistics in Medicine 24 (2005), 729-740: half a video more in each cell
    of the 2 x 2 table, then Wald's interval, cut at 100 points. Its middle is not the observed
    difference but somewhat nearer to zero.
    """
    total = videos + 2
    change = (second_only - first_only) / total
    half = Z95 * ((first_only + second_only + 1) / total - change**2) ** 0.5 / total**0.5
    return max(-100.0, 100 * (change - half)), min(100.0, 100 * (change + half))


def moved(right_first: np.ndarray, right_second: np.ndarray, labels: np.ndarray) -> list[dict]:
    """The classes with a video that only one engine has right, the largest net change first.

    right_first, right_second: (videos,) bool; labels: (videos,).
    """
    first_only = Counter(labels[right_first & ~right_second].tolist())
    second_only = Counter(labels[right_second & ~right_first].tolist())
    classes = sorted(
        first_only.keys() | second_only.keys(),
        key=lambda label: (-abs(second_only[label] - first_only[label]), label),
    )
    return [
        {
            "class": label,
            "first_only_right": first_only[label],
            "second_only_right": second_only[label],
        }
        for label in classes
    ]


def compare_engines(first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> dict:
    """How the second engine's classes and accuracy differ from the first's.

    first, second: (videos,) each engine's best class; labels: (videos,), negative if unknown.
    `difference` is that of the accuracies, the second minus the first, in percentage points over
    the labelled videos; it and its interval are None if there are none.
    """
    labelled = labels >= 0
    right_first = (first == labels) & labelled
    right_second = (second == labels) & labelled
    first_only = int((right_first & ~right_second).sum())
    second_only = int((right_second & ~right_first).sum())
    videos, same_class, known = len(first), int((first == second).sum()), int(labelled.sum())
    return {
        "videos": videos,
        "same_class": same_class,
        "other_class": videos - same_class,
        "labelled": known,
        "both_right": int((right_first & right_second).sum()),
        "first_only_right": first_only,
        "second_only_right": second_only,
        "mcnemar_p": mcnemar_exact(first_only, second_only),
        "difference": 100 * (second_only - first_only) / known if known else None,
        "difference95": difference95(first_only, second_only, known) if known else None,
        "moved": moved(right_first, right_second, labels),
    }
