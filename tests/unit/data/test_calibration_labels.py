"""Calibration videos get their classes from the csv beside their folder, or from their folder."""

import pytest

from tsf import errors
from tsf.data import calibration_labels
from tsf.data.classes import write_classes
from tsf.data.kinetics import write_annotations
from tsf.data.tables import write_lines

CLASSES = ["air_drumming", "zumba"]


def run(monkeypatch, folder, videos):
    write_classes(folder / "classes.txt", CLASSES)
    rows = [f"{number:06d}\t{video}" for number, video in enumerate(videos)]
    write_lines(folder / "table.tsv", rows)
    arguments = ["--table", folder / "table.tsv", "--classes", folder / "classes.txt"]
    arguments += ["--taken-from", folder / "train", "--output", folder / "labels.tsv"]
    monkeypatch.setattr("sys.argv", ["calibration_labels", *map(str, arguments)])
    errors.run(calibration_labels.main)
    return (folder / "labels.tsv").read_text()


def test_folders_named_after_classes(monkeypatch, tmp_path):
    videos = ["zumba/b.mp4", "2019/air drumming/a.mp4"]
    assert run(monkeypatch, tmp_path, videos) == "000000\t1\n000001\t0\n"


def test_the_csv_of_a_kinetics_download(monkeypatch, tmp_path):
    rows = [("zumba", "abc", 1, 11, "train"), ("air drumming", "xyz", 2, 12, "train")]
    write_annotations(tmp_path / "annotations/train.csv", rows)
    videos = ["xyz_000002_000012.mp4", "abc_000001_000011.mp4"]
    assert run(monkeypatch, tmp_path, videos) == "000000\t0\n000001\t1\n"


@pytest.mark.parametrize("video", ["a.mp4", "singing/a.mp4"])
def test_a_video_without_a_class_is_refused_in_one_line(monkeypatch, tmp_path, video):
    with pytest.raises(SystemExit, match="no label that is a class of the model, as 1 of") as end:
        run(monkeypatch, tmp_path, ["zumba/b.mp4", video])
    text = str(end.value)
    assert "\n" not in text and video in text and "annotations/train.csv" in text
    assert "int8 needs no labels" in text
    assert not (tmp_path / "labels.tsv").exists()
