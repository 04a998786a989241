"""The interval, the bounds and the sampler's row of the sample's report, worked out otherwise."""

import json
from math import sqrt

import pytest

Z = 1.959963984540054  # the 97.5 % point of the normal distribution


@pytest.fixture(scope="module")
def accuracy(sample_run):
    return json.loads((sample_run.results / "accuracy.json").read_text())


def hits(sample_run, k):
    """Videos whose label is among the k largest mean probabilities, in plain Python."""
    from math import exp

    count = 0
    info = (sample_run.results / "k400.info").read_text().splitlines()
    for number, line in enumerate(info):
        text = (sample_run.results / f"result/onnxruntime/{number}_0.txt").read_text()
        views = [[exp(float(value)) for value in view.split()] for view in text.splitlines()]
        means = [sum(view[c] / sum(view) for view in views) / 3 for c in range(8)]
        label = int(line.split()[-1])
        count += sum(value > means[label] for value in means) < k
    return count


def bound(p, n, side):
    """The proportion q, on one side of p, of which p is z standard errors away: by bisection."""
    low, high = (0.0, p) if side < 0 else (p, 1.0)
    for _ in range(100):
        middle = (low + high) / 2
        outside = abs(p - middle) > Z * sqrt(middle * (1 - middle) / n)
        if (side < 0) == outside:
            low = middle
        else:
            high = middle
    return 100 * low


@pytest.mark.parametrize("k", [1, 5])
def test_accuracy_interval_and_bounds(sample_run, accuracy, k):
    found = accuracy["engines"]["onnxruntime"]
    right, scored, listed = hits(sample_run, k), 40, 42
    detail = found[f"top{k}_detail"]
    assert found[f"top{k}"] == detail["percent"] == pytest.approx(100 * right / scored)
    p = right / scored
    expected = [bound(p, scored, -1) if p else 0.0, bound(p, scored, 1) if p < 1 else 100.0]
    assert detail["interval95"] == pytest.approx(expected, abs=1e-6)
    assert detail["if_skipped_all_wrong"] == pytest.approx(100 * right / listed)
    assert detail["if_skipped_all_right"] == pytest.approx(100 * (right + 2) / listed)


def frames_of_0x(total):
    start = (total - 256 + 1) // 2 if total >= 256 else 0
    return [(start + 32 * k) % total for k in range(8)]


def frames_of_1x(total):
    start = 0
    while start + 7 * 32 + 1 + start + 1 < total:  # as many frames before the clip as behind it
        start += 1
    return [(start + 32 * k) % total for k in range(8)]


def test_the_videos_that_the_sampler_moves(sample_run, accuracy):
    text = (sample_run.results / "kinetics400_val_list_rawframes.txt").read_text()
    totals = [int(line.split()[1]) for line in text.splitlines()]
    moved = sum(frames_of_0x(total) != frames_of_1x(total) for total in totals)
    assert accuracy["moved_by_sampler"] == {"other": "mmaction2-1.x", "videos": moved} and moved
    report = " ".join((sample_run.results / "accuracy.md").read_text().split())
    assert f"picks others in {moved} of the {len(totals)} scored videos" in report
