"""Compare two engines on the same videos: unpaired, their accuracies could hardly be told apart."""

import numpy as np


def mcnemar_exact(first_only: int, second_only: int) -> float:
    """Two-sided p of the exact McNemar test.

    first_only, second_only: how many videos only the one, only the other has right. If the two
    were equally good, each such video would be a fair coin.
    """
    flips = first_only + second_only
    tail, ways = 0, 1
    for k in range(min(first_only, second_only) + 1):
        tail += ways  # to choose k of them
        ways = ways * (flips - k) // (k + 1)
    return min(1.0, 2 * tail / 2**flips)  # of integers: exact, however many flips


def compare(first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> dict:
    """What the second engine changes.

    first, second: (videos,) each engine's best class; labels: (videos,), negative if unknown.
    """
    labelled = labels >= 0
    right_first = (first == labels) & labelled
    right_second = (second == labels) & labelled
    first_only = int((right_first & ~right_second).sum())
    second_only = int((right_second & ~right_first).sum())
    return {
        "videos": len(first),
        "same_class": int((first == second).sum()),
        "labelled": int(labelled.sum()),
        "both_right": int((right_first & right_second).sum()),
        "first_only_right": first_only,
        "second_only_right": second_only,
        "mcnemar_p": mcnemar_exact(first_only, second_only),
    }
