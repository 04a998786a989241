"""Which classes an engine has right, and which it takes for which other."""

import numpy as np

from tsf.evaluation.intervals import wilson_interval

WHOLE = 40  # classes; a larger matrix cannot be read, so it is cut down to the worst
WORST = 30  # classes of that
PAIRS = 30  # confusions listed


def confusion_counts(labels: np.ndarray, best: np.ndarray, classes: int) -> np.ndarray:
    """How many videos of each class (row) got each class (column): (classes, classes).

    labels, best: (videos,) the true class and the engine's best.
    """
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, best), 1)
    return counts


def by_class(counts: np.ndarray, names: list[str]) -> list[dict]:
    """The accuracy of every class that has a video, the worst first; of equal ones the larger."""
    videos, right = counts.sum(axis=1), counts.diagonal()
    found = np.flatnonzero(videos)
    order = sorted(found, key=lambda i: (right[i] / videos[i], -videos[i], i))
    return [
        {
            "class": names[i],
            "videos": int(videos[i]),
            "right": int(right[i]),
            "percent": 100 * float(right[i] / videos[i]),
            "interval95": wilson_interval(int(right[i]), int(videos[i])),
        }
        for i in order
    ]


def confusions(counts: np.ndarray, names: list[str]) -> list[dict]:
    """The most frequent pairs of a class and what it was taken for, at most PAIRS."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    rows, columns = np.nonzero(wrong)
    order = sorted(
        zip(rows.tolist(), columns.tolist(), strict=True), key=lambda ij: (-wrong[ij], ij)
    )
    return [
        {
            "class": names[i],
            "taken_for": names[j],
            "videos": int(wrong[i, j]),
            "percent_of_class": 100 * float(wrong[i, j] / counts[i].sum()),
        }
        for i, j in order[:PAIRS]
    ]


def matrix(counts: np.ndarray, names: list[str]) -> dict:
    """The whole confusion matrix, or that of the WORST classes where there are over WHOLE.

    `others` has the videos of each row whose best class is none of the columns.
    """
    if len(names) <= WHOLE:
        kept = list(range(len(names)))
    else:
        worst = [row["class"] for row in by_class(counts, names)[:WORST]]
        kept = sorted(map(names.index, worst))
    inside = counts[np.ix_(kept, kept)]
    return {
        "of": len(names),
        "classes": [names[i] for i in kept],
        "counts": inside.tolist(),
        "others": (counts[kept].sum(axis=1) - inside.sum(axis=1)).tolist(),
    }


def mean_class_accuracy(rows: list[dict]) -> float:
    """The mean of the classes' accuracies in percent, over the classes that have a video.

    rows: of `by_class`. mmaction2's mean_class_accuracy also counts a class that is predicted
    without having a video, as 0.
    """
    return float(np.mean([row["percent"] for row in rows]))
