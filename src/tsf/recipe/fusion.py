"""From the logits of a video's views to its prediction."""

import numpy as np
from scipy.special import softmax


def video_scores(logits: np.ndarray, fusion: str) -> np.ndarray:
    """(views, classes) logits -> (classes,) probabilities of the video.

    fusion: mean_softmax is mmaction2's average_clips='prob', mean_logits its 'score' and
    sum_logits Facebook's ensemble of views, both of which a softmax makes probabilities of here:
    it leaves the order of the classes.
    """
    if fusion == "mean_logits":
        logits = logits.mean(axis=0, keepdims=True)  # (1, classes)
    elif fusion == "sum_logits":
        logits = logits.sum(axis=0, keepdims=True)
    scores: np.ndarray = softmax(logits, axis=1).mean(axis=0)
    return scores
