"""details.json from predictions.csv, with classes of every name."""

import json

import runs

from tsf.data.classes import write_classes
from tsf.data.tables import write_table
from tsf.data.video_heads import COLUMNS
from tsf.digests import write_with_digest
from tsf.evaluation.details import all_classes
from tsf.evaluation.prediction_table import read_predictions

HEADER = "engine,video,path,label,top1,probability1,top2,probability2\n"
ROWS = [
    "a,v1,val/v1.mp4,nan,nan,0.9,1,0.1\n",
    "a,v2,val/v2.mp4,1,nan,0.6,1,0.4\n",
    "a,v3,val/v3.mp4,,1,0.5,nan,0.5\n",  # without a label
    "b,v1,val/v1.mp4,nan,1,0.7,nan,0.3\n",
    "b,v2,val/v2.mp4,1,1,0.8,nan,0.2\n",
    "b,v3,val/v3.mp4,,nan,0.5,1,0.5\n",
]


def write_csv(path, rows):
    write_with_digest(path, (HEADER + "".join(rows)).encode())


def write(folder, rows):
    write_csv(folder / "predictions.csv", rows)
    write_classes(folder / "classes.txt", ["nan", "1", "never"])
    heads = [("v1", "320", "240", "25", "250"), ("v2", "", "", "", "250")]
    write_table(folder / "heads.tsv", COLUMNS, [*heads, ("v3", "320", "240", "25", "250")])


def details(folder):
    made = runs.module(
        *("evaluation.details", "--predictions", folder / "predictions.csv"),
        *("--classes", folder / "classes.txt", "--heads", folder / "heads.tsv"),
        *("--output", folder / "details.json"),
    )
    assert made.returncode == 0, made.stderr
    return json.loads((folder / "details.json").read_text())["engines"]


def test_every_engine_over_its_labelled_videos(tmp_path):
    write(tmp_path, ROWS)
    found = details(tmp_path)
    first, second = found["a"], found["b"]
    # a takes both for nan, b takes nan for 1
    assert [(row["class"], row["right"]) for row in first["classes"]] == [("1", 0), ("nan", 1)]
    assert [(row["class"], row["right"]) for row in second["classes"]] == [("nan", 0), ("1", 1)]
    assert first["matrix"]["counts"] == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert first["mean_class_accuracy"] == second["mean_class_accuracy"] == 50
    # 1/2 |1 - .9| + 1/2 |0 - .6|
    assert abs(first["calibration"]["expected_error"] - 35) < 1e-9
    assert [group["known"] for group in first["groups"]["fps"]] == [True, False]


def test_without_labels_there_is_nothing_to_measure(tmp_path):
    write(tmp_path, [ROWS[2]])
    assert details(tmp_path) == {"a": None}


def test_classes_without_a_name_are_numbers_in_their_order(tmp_path):
    rows = ["a,v1,p,10,9,0.9,2,0.1\n", "a,v2,p,run,10,0.9,9,0.1\n"]
    write_csv(tmp_path / "predictions.csv", rows)
    table = read_predictions(tmp_path / "predictions.csv")
    assert all_classes(["run"], table) == ["run", "9", "10"]
