"""The short table at the end of a run."""

from tsf.report.run_summary import summary

FOUND = {
    "engines": {
        "onnxruntime": {"top1": 75.0, "top5": 90.0, "videos": 40},
        "openvino": {"videos": 0},
    },
    "listed": 50,
    "scored": 40,
    "skipped": 10,
    "skipped_reasons": {"missing file": 9, "empty file": 1},
}


def test_the_table_at_the_end():
    """An engine on videos without labels has no accuracy to show."""
    assert summary(FOUND, "results/accuracy.md").splitlines() == [
        "videos   50 listed, 40 scored",
        "skipped  9: missing file",
        "skipped  1: empty file",
        "onnxruntime  top-1 75.00 %, top-5 90.00 %",
        "report   results/accuracy.md",
    ]
