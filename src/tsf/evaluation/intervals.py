"""The uncertainty of a proportion of few videos."""

from scipy.stats import binomtest


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion, in percent."""
    interval = binomtest(hits, total).proportion_ci(0.95, method="wilson")
    return 100 * interval.low, 100 * interval.high
