"""accuracy.md and the table at the end of a run say what happened, also where it went otherwise."""

import numpy as np
import pytest
from tsf.data.tables import NO_LABEL, Scored

from tsf.evaluation import accuracy
from tsf.report import accuracy, run_summary

REFERENCE = {"source": "the guide, Ascend 310P3", "dataset": "Kinetics400", "top1": 77.68}
VERIFY = {
    "clips": ["a", "b"],
    "boundaries": [
        {
            "name": "tsf_sim.onnx",
            "max_abs": 2e-6,
            "relative_l2": 1e-6,
            "cosine": 1.0,
            "top1_agreement": 1.0,
            "values": 6,
            "measure": "max_abs",
            "allowed": 1e-4,
        }
    ],
}


@pytest.fixture
def found():
    detail = {
        "percent": 75.0,
        "interval95": (59.8, 85.8),
        "if_skipped_all_wrong": 60.0,
        "if_skipped_all_right": 80.0,
    }
    engine = {
        "top1": 75.0,
        "top5": 90.0,
        "videos": 40,
        "top1_detail": detail,
        "top5_detail": detail,
        "device": "a CPU",
        "batch": 1,
        "model": "tsf_sim.onnx",
        "model_only_videos_per_second": 12.351,
    }
    return {
        "engines": {"onnxruntime": engine},
        "paired": [],
        "listed": 50,
        "scored": 40,
        "skipped": 10,
        "skipped_reasons": {"missing file": 10},
        "moved_by_sampler": 7,
    }


def markdown(found, skipped=(("x", "yoga", "missing file"),), simplified=True, reason=None):
    status = {"simplified": simplified, "reason": reason, "nodes": [100, 80]}
    return accuracy.markdown(
        found, list(skipped), status, VERIFY, "Kinetics400", REFERENCE, "mmaction2-0.x"
    )


def test_the_guides_table(found):
    lines = markdown(found).splitlines()
    assert "| 芯片型号 | Batch Size | 数据集 | 精度 | 性能 |" in lines
    assert (
        "| a CPU (onnxruntime) | 1 | Kinetics400 | top1 acc= 75.00, top5 acc= 90.00 | 12.35 fps |"
        in lines
    )
    reference = "| reference: the guide, Ascend 310P3 | 1 | Kinetics400 | top1 acc= 77.68 | - |"
    assert reference in lines


def test_the_account_the_bounds_and_the_sampler(found):
    text = markdown(found)
    assert "50 listed = 40 scored + 10 skipped." in text
    assert "| onnxruntime | top1 | 75.00 | 59.80 to 85.80 | 60.00 | 80.00 |" in text
    assert "mmaction2-1.x picks others in 7 of the\n40 scored videos" in text


def test_a_failed_simplification_is_told(found):
    text = markdown(found, simplified=False, reason="onnxsim ended with status -6: Aborted")
    assert "tsf.onnx unchanged, because onnxsim ended with status -6: Aborted." in text
    assert "was simplified" not in text and "was simplified" in markdown(found)


def test_no_and_many_skipped_videos(found):
    assert "No video was skipped." in markdown(found, skipped=())
    text = markdown(found, skipped=[(f"v{n}", "yoga", "missing file") for n in range(60)])
    assert "| v49 | yoga | missing file |" in text and "| v50 |" not in text
    assert "... and 10 more in skipped.tsv" in text


def pair(first, second, labels):
    """Two engines of best classes `first` and `second`, as accuracy.json has them."""
    info = [ScoredVideo(n, f"v{n}", label) for n, label in enumerate(labels)]
    scores = {"one": np.eye(40)[first], "two": np.eye(40)[second]}
    return accuracy.comparisons(scores, info, ["run", "swim|dive"])


def test_two_engines_on_the_same_videos(found):
    found["paired"] = pair([0, 1, 1, 2], [0, 0, 0, 0], [0, 1, 1, 0])
    text = markdown(found)
    # 2 * 4 / 8 for three flips; (-1 -+ 1.96 sqrt(4 - 1 / 6)) / 6
    row = "| one, two | 1 of 4 | 1 | 2 | 1 | 1 | -25.00 | -80.62 to +47.29 |"
    assert row in text
    assert r"| one, two | swim\|dive | 2 | 0 |" in text and "| one, two | run | 0 | 1 |" in text


def test_at_most_ten_classes_of_a_pair_are_listed(found):
    labels = list(range(12))
    found["paired"] = pair(labels, [39] * 12, labels)
    text = markdown(found)
    assert "| one, two | 9 | 1 | 0 |" in text and "| one, two | 10 |" not in text
    assert "| one, two | ... and 2 more in accuracy.json |" in text


def test_engines_that_agree_are_said_to(found):
    found["paired"] = pair([0, 1], [0, 1], [0, 0])
    text = markdown(found)
    assert "Every video gets the same class from every engine." in text
    assert (
        "| 2 of 2 | 1 | 0 | 0 | 1 | +0.00 |" in text and "| label |" not in text.split("## The")[2]
    )
    found["paired"] = pair([0, 2], [0, 3], [0, NO_LABEL])
    assert "No labelled video is right with one engine and wrong with another." in markdown(found)


def test_a_pair_without_labels(found):
    found["paired"] = pair([0, 1], [0, 2], [NO_LABEL] * 2)
    assert "| one, two | 1 of 2 | 0 | 0 | 0 | 1 | no labels | - |" in markdown(found)


def test_videos_without_labels(found):
    found["engines"]["onnxruntime"] = {
        key: value
        for key, value in found["engines"]["onnxruntime"].items()
        if not key.startswith("top")
    } | {"videos": 0}
    assert "| no labels |" in markdown(found)
    assert "top-1" not in run_summary.summary(found, "results/accuracy.md")


def test_the_table_at_the_end(found):
    assert run_summary.summary(found, "results/accuracy.md").splitlines() == [
        "videos   50 listed, 40 scored",
        "skipped  10: missing file",
        "onnxruntime  top-1 75.00 %, top-5 90.00 %",
        "report   results/accuracy.md",
    ]


def test_the_interval_is_the_wilson_interval():
    assert accuracy.figure(30, 40, 10).interval95 == accuracy.wilson_interval(30, 40)


def test_a_bar_in_a_cell_stays_in_its_cell():
    assert accuracy.table(["label"], [["this|that"]]).splitlines()[-1] == r"| this\|that |"
