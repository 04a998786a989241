"""accuracy.md says what happened, also where it went otherwise."""

from dataclasses import asdict

import numpy as np
import pytest
from markdown_rows import rows
from recipes import GUIDE

from tsf.data.k400_info import NO_LABEL, ScoredVideo
from tsf.evaluation import accuracy
from tsf.recipe.record import Recipe
from tsf.report import accuracy as accuracy_report

REFERENCE = {"source": "the guide, Ascend 310P3", "dataset": "Kinetics400", "top1": 77.68}

ORIGIN = {
    "sampler": "recipe of the config",
    "num_clips": "SampleFrames of x.py",
    "mean": "img_norm_cfg of x.py",
    "fusion": "average_clips of x.py",
    "classes": "cls_head of x.py",
}
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
    }
    return {
        "engines": {"onnxruntime": engine},
        "paired": [],
        "listed": 50,
        "scored": 40,
        "skipped": 10,
        "skipped_reasons": {"missing file": 10},
        "recipe": asdict(Recipe(GUIDE, "mean_softmax", 400)) | {"origin": ORIGIN},
        "moved_by_sampler": {"other": "mmaction2-1.x", "videos": 7},
    }


def markdown(
    found,
    skipped=(("x", "yoga", "missing file"),),
    simplified=True,
    reason=None,
    reference=REFERENCE,
):
    status = {"simplified": simplified, "reason": reason, "nodes": [100, 80]}
    return accuracy_report.markdown(
        found,
        {"onnxruntime": 12.351},
        list(skipped),
        status,
        VERIFY,
        "Kinetics400",
        reference,
    )


def test_the_guides_table(found):
    cells = rows(markdown(found))
    assert cells[0] == ["chip", "batch size", "dataset", "accuracy", "performance"]
    figures = "top1 acc= 75.00, top5 acc= 90.00"
    assert cells[1] == ["a CPU (onnxruntime)", "1", "Kinetics400", figures, "12.35 fps"]
    source = "reference: the guide, Ascend 310P3"
    assert cells[2] == [source, "1", "Kinetics400", "top1 acc= 77.68", "-"]


def test_the_account_the_bounds_and_the_sampler(found):
    text = markdown(found)
    assert "50 listed = 40 scored + 10 skipped." in text
    assert ["onnxruntime", "top1", "75.00", "59.80 to 85.80", "60.00", "80.00"] in rows(text)
    assert "as in mmaction2-0.x; mmaction2-1.x picks others in\n7 of the 40 scored videos" in text
    found["moved_by_sampler"] = None
    assert "picks others" not in markdown(found)


def test_without_a_reference_there_is_no_row_of_one(found):
    text = markdown(found, reference=None)
    assert "reference" not in text and len(rows(text)[0]) == 5
    assert rows(text)[1][0] == "a CPU (onnxruntime)" and rows(text)[2][0] != "reference"


def test_every_value_of_the_recipe_has_its_source(found):
    cells = rows(markdown(found))
    first = cells.index(["", "value", "taken from"]) + 1
    assert cells[first : first + len(ORIGIN)] == [
        ["sampler", "mmaction2-0.x", "recipe of the config"],
        ["num_clips", "1", "SampleFrames of x.py"],
        ["mean", "(127.5, 127.5, 127.5)", "img_norm_cfg of x.py"],
        ["fusion", "mean_softmax", "average_clips of x.py"],
        ["classes", "400", "cls_head of x.py"],
    ]


def test_a_failed_simplification_is_told(found):
    text = markdown(found, simplified=False, reason="onnxsim ended with status -6: Aborted")
    assert "tsf.onnx unchanged, because onnxsim ended with status -6: Aborted." in text
    assert "was simplified" not in text and "was simplified" in markdown(found)


def test_no_and_many_skipped_videos(found):
    assert "No video was skipped." in markdown(found, skipped=())
    text = markdown(found, skipped=[(f"v{n}", "yoga", "missing file") for n in range(60)])
    listed = [row[0] for row in rows(text)]
    assert "v49" in listed and "v50" not in listed
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
    row = ["one, two", "1 of 4", "1", "2", "1", "1", "-25.00", "-80.62 to +47.29"]
    assert row in rows(text)
    assert ["one, two", r"swim\|dive", "2", "0"] in rows(text)
    assert ["one, two", "run", "0", "1"] in rows(text)


def test_at_most_ten_classes_of_a_pair_are_listed(found):
    labels = list(range(12))
    found["paired"] = pair(labels, [39] * 12, labels)
    text = markdown(found)
    listed = [row[1] for row in rows(text) if row[0] == "one, two"]
    assert "9" in listed and "10" not in listed
    assert listed[-1] == "... and 2 more in accuracy.json"


def test_engines_that_agree_are_said_to(found):
    found["paired"] = pair([0, 1], [0, 1], [0, 0])
    text = markdown(found)
    assert "Every video gets the same class from every engine." in text
    assert ["one, two", "2 of 2", "1", "0", "0", "1", "+0.00"] in [row[:7] for row in rows(text)]
    assert not [row for row in rows(text) if "label" in row and "engines" in row]
    found["paired"] = pair([0, 2], [0, 3], [0, NO_LABEL])
    assert "No labelled video is right with one engine and wrong with another." in markdown(found)


def test_a_pair_without_labels(found):
    found["paired"] = pair([0, 1], [0, 2], [NO_LABEL] * 2)
    expected = ["one, two", "1 of 2", "0", "0", "0", "1", "no labels", "-"]
    assert expected in rows(markdown(found))


def test_videos_without_labels(found):
    found["engines"]["onnxruntime"] = {
        key: value
        for key, value in found["engines"]["onnxruntime"].items()
        if not key.startswith("top")
    } | {"videos": 0}
    assert "no labels" in rows(markdown(found))[1]
