"""Whether an engine's confidence says how often it is right: reliability, and its error."""

import numpy as np

BINS = 15


def reliability(confidence: np.ndarray, right: np.ndarray) -> dict:
    """The bins of the reliability diagram, and the expected calibration error in percent.

    confidence: (videos,) the best class's probability; right: (videos,) bool. A video is in bin b
    of BINS if its confidence is in ((b - 1) / BINS, b / BINS]. The error is the sum over the bins
    of n_b / n |accuracy_b - confidence_b|, with the bin's share of right videos and its mean
    confidence, as in Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3,
    which has 15 bins too. Bins without a video are left out.
    """
    edges = np.linspace(0, 1, BINS + 1)
    place = np.digitize(confidence, edges[1:-1], right=True)  # (videos,) 0 .. BINS - 1
    bins, error = [], 0.0
    for number in range(BINS):
        inside = place == number
        videos = int(inside.sum())
        if not videos:
            continue
        mean, accuracy = float(confidence[inside].mean()), float(right[inside].mean())
        error += videos / len(right) * abs(accuracy - mean)
        bins.append(
            {
                "low": float(edges[number]),
                "high": float(edges[number + 1]),
                "videos": videos,
                "confidence": 100 * mean,
                "accuracy": 100 * accuracy,
            }
        )
    return {"bins": bins, "of": BINS, "expected_error": 100 * error}
