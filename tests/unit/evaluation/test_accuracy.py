"""Scores, top-1 and top-5, their interval and bounds, and every fault of a results folder."""

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from recipes import GUIDE
from runs import ROOT

from tsf.data import listing
from tsf.data.k400_info import NO_LABEL, ScoredVideo, write_info, write_skipped
from tsf.data.tables import write_lines
from tsf.errors import UserError
from tsf.evaluation import accuracy
from tsf.evaluation.intervals import wilson_interval
from tsf.files import write_json
from tsf.inference import results
from tsf.model.recogniser import import_upstream
from tsf.recipe.record import FUSIONS, Recipe

GOLDEN = ROOT / "tests/golden/top_k.json"
CASES = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]


def test_scores_are_the_mean_of_the_views_softmax():
    logits = np.random.default_rng(0).normal(0, 5, (3, 400))
    expected = torch.from_numpy(logits).softmax(dim=1).mean(dim=0).numpy()
    assert np.abs(accuracy.video_scores(logits, "mean_softmax") - expected).max() < 1e-15
    # not the softmax of the mean, which a wrong post-processing would take
    other = torch.from_numpy(logits.mean(0)).softmax(0).numpy()
    assert np.abs(accuracy.video_scores(logits, "mean_softmax") - other).max() > 1e-3


def test_large_logits_do_not_overflow():
    scores = accuracy.video_scores(
        np.array([[1e4, 0], [1e4, 0], [0, 1e4]], np.float64), "mean_softmax"
    )
    assert np.allclose(scores, [2 / 3, 1 / 3])


@pytest.mark.parametrize("views", [1, 3, 15])
def test_scores_are_those_of_mmaction2s_average_clip(mmaction2, views):
    """Its own method: `prob` as it is, `score` gives logits, of which a softmax is taken here."""
    import_upstream(mmaction2)
    from mmaction.models.recognizers.base import BaseRecognizer

    logits = np.random.default_rng(2).normal(0, 5, (views, 400))

    def average_clip(kind):
        recogniser = SimpleNamespace(test_cfg={"average_clips": kind})
        return BaseRecognizer.average_clip(recogniser, torch.from_numpy(logits), views)[0]

    expected = {
        "mean_softmax": average_clip("prob"),
        "mean_logits": average_clip("score").softmax(0),
    }
    for fusion, scores in expected.items():
        assert np.abs(accuracy.video_scores(logits, fusion) - scores.numpy()).max() < 1e-12


@pytest.mark.parametrize(
    # logits ln 4, 0 and 0, 0: of the softmax the mean of 4/5 and 1/2, of the mean ln 2, of the sum
    # ln 4
    "fusion, first",
    [("mean_softmax", 0.65), ("mean_logits", 2 / 3), ("sum_logits", 0.8)],
)
def test_each_fusion_by_hand(fusion, first):
    scores = accuracy.video_scores(np.array([[np.log(4), 0], [0, 0]]), fusion)
    assert scores.tolist() == pytest.approx([first, 1 - first])


@pytest.mark.parametrize("fusion", FUSIONS)
def test_of_one_view_every_fusion_is_its_softmax(fusion):
    scores = accuracy.video_scores(np.array([[np.log(3), 0, 0]]), fusion)
    assert scores.tolist() == pytest.approx([0.6, 0.2, 0.2])


def test_the_fusion_decides_which_class_is_best():
    # two views sure of class 0 against one that is far surer of class 1
    logits = np.array([[4.0, 0], [4.0, 0], [0, 20.0]])
    best = {fusion: int(accuracy.video_scores(logits, fusion).argmax()) for fusion in FUSIONS}
    assert best == {"mean_softmax": 0, "mean_logits": 1, "sum_logits": 1}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_top_k_is_mmaction2s_ties_included(case):
    scores = np.array(case["scores"], np.float32)
    labels = np.array(case["labels"])
    assert accuracy.top_k_hits(scores, labels, 1).mean() == case["top1"]
    assert accuracy.top_k_hits(scores, labels, 5).mean() == case["top5"]


def test_top_k_is_that_of_the_patched_sources(mmaction2):
    from mmaction.core.evaluation import top_k_accuracy

    random = np.random.default_rng(1)
    scores = random.random((200, 20))
    labels = random.integers(0, 20, 200)
    theirs = top_k_accuracy(list(scores), list(labels), (1, 5))
    ours = [accuracy.top_k_hits(scores, labels, k).mean() for k in (1, 5)]
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_figure_bounds_what_the_skipped_could_do():
    found = accuracy.figure(hits=30, scored=40, skipped=10)
    assert found.percent == 75
    assert found.if_skipped_all_wrong == 60 and found.if_skipped_all_right == 80
    assert found.interval95 == wilson_interval(30, 40)


RECIPE = Recipe(GUIDE, "mean_softmax", 6)
INFO = [ScoredVideo(0, "a", 2), ScoredVideo(1, "b", 0), ScoredVideo(2, "c", 1)]


@pytest.fixture
def folder(tmp_path):
    """Results of three videos: two right at once, one only among the best five of six."""
    folder = tmp_path / "onnxruntime"
    folder.mkdir()
    for video, order in zip(INFO, [[2, 1, 0], [0, 1, 2], [5, 4, 3, 1]], strict=True):
        logits = np.zeros((3, 6))
        for rank, label in enumerate(order):
            logits[:, label] = 9 - rank
        results.write_logits(folder / f"{video.index}_0.txt", logits)
    files = {video.name: f"{video.index}_0.txt" for video in INFO}
    settings = {"device": "a CPU", "batchsize": 1, "model": "tsf_sim.onnx", "input": "out_bin/000"}
    write_json(folder / "sumary.json", results.summary(files, [5.0] * 3, settings))
    return folder


def test_assess(folder):
    scores = accuracy.read_scores(folder, INFO, RECIPE)
    found = accuracy.assess(scores, INFO, skipped=1)
    assert found["top1"] == pytest.approx(200 / 3) and found["top5"] == 100
    assert found["videos"] == 3 and found["top1_detail"]["if_skipped_all_right"] == 75


def test_videos_without_a_label_are_not_counted(folder):
    info = [*INFO[:2], ScoredVideo(2, "c", NO_LABEL)]
    found = accuracy.assess(accuracy.read_scores(folder, info, RECIPE), info, skipped=0)
    assert found["videos"] == 2 and found["top1"] == 100
    unlabelled = [ScoredVideo(video.index, video.name, NO_LABEL) for video in INFO]
    found = accuracy.assess(accuracy.read_scores(folder, unlabelled, RECIPE), unlabelled, skipped=0)
    assert found["videos"] == 0 and "top1" not in found


RECIPE_JSON = asdict(RECIPE) | {"origin": {"fusion": "test_cfg of the config"}}


@pytest.fixture
def step(folder, tmp_path, monkeypatch):
    """The step on these results, to be run in the current folder."""
    write_info(tmp_path / "k400.info", INFO)
    skipped = [("d", "run", "missing file"), ("e", "run", "missing file")]
    write_skipped(tmp_path / "skipped.tsv", skipped)
    videos = [listing.ListedVideo(name, f"val/{name}.mp4", "run") for name in "abcde"]
    listing.write_list(tmp_path / "list.tsv", videos)
    # 0.x and 1.x sample 300 frames differently, 100 frames alike
    write_lines(tmp_path / "list.txt", ["a 300 2", "b 100 0", "c 226 1"])
    write_json(tmp_path / "recipe.json", RECIPE_JSON)
    write_lines(tmp_path / "classes.txt", ["run", "swim", "fly", "jump"])
    monkeypatch.chdir(tmp_path)
    line = "x --info k400.info --skipped skipped.tsv --list list.tsv --file-list list.txt"
    line += " --recipe recipe.json --classes classes.txt --results onnxruntime"
    line += " --output a.json --predictions p.csv"
    monkeypatch.setattr("sys.argv", line.split())
    return accuracy.main


@pytest.fixture
def outcome(step):
    """accuracy.json and predictions.csv of these results, by the step's command line."""
    step()
    with open("p.csv", newline="", encoding="utf-8") as file:
        return json.loads(Path("a.json").read_text()), list(csv.DictReader(file))


def test_accuracy_json(outcome):
    found, _ = outcome
    assert (found["listed"], found["scored"], found["skipped"]) == (5, 3, 2)
    assert found["skipped_reasons"] == {"missing file": 2}
    assert found["moved_by_sampler"] == {"other": "mmaction2-1.x", "videos": 1}
    assert found["recipe"] == json.loads(json.dumps(RECIPE_JSON))
    engine = found["engines"]["onnxruntime"]
    assert (round(engine["top1"], 2), engine["top5"], engine["videos"]) == (66.67, 100, 3)


def test_predictions_csv(outcome):
    _, rows = outcome
    assert [row["video"] for row in rows] == ["a", "b", "c"]
    assert [row["path"] for row in rows] == ["val/a.mp4", "val/b.mp4", "val/c.mp4"]
    assert [row["label"] for row in rows] == ["fly", "run", "swim"]
    assert [row["top1"] for row in rows] == ["fly", "run", "5"]  # the sixth class has no name
    assert [row["top2"] for row in rows] == ["swim", "swim", "4"]
    # the best logits are 9, 8 and 7, the other three 0
    best = np.exp(9) / (np.exp([9, 8, 7]).sum() + 3)
    assert float(rows[0]["probability1"]) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(
    "name", ["k400.info", "skipped.tsv", "list.tsv", "list.txt", "classes.txt"]
)
def test_a_table_that_is_cut_off_stops_the_step(step, name):
    """At any byte, the ends of its lines included."""
    data = Path(name).read_bytes()
    for size in range(len(data)):
        Path(name).write_bytes(data[:size])
        with pytest.raises(UserError, match=rf"{name}: not as it was written") as fault:
            step()
        assert "\n" not in str(fault.value)
    assert not Path("a.json").exists()


def test_the_account_is_that_of_the_listed_videos(step):
    """All three tables are whole, but one is of another dataset."""
    write_skipped(Path("skipped.tsv"), [("d", "run", "missing file")])
    with pytest.raises(UserError, match="5 videos are listed, but 3 scored and 1 skipped, and e "):
        step()
    write_skipped(Path("skipped.tsv"), [("d", "run", "missing file")] * 2)
    with pytest.raises(UserError, match="5 videos are listed, but 3 scored and 2 skipped, and d "):
        step()


def test_engines_are_compared_by_the_classes_names():
    scores = {"one": np.eye(6)[[2, 0, 1, 5]], "two": np.eye(6)[[2, 1, 3, 4]]}
    info = [*INFO, ScoredVideo(3, "d", 5)]  # the sixth class has no name
    [pair] = accuracy.comparisons(scores, info, ["run", "swim", "fly", "jump"])
    assert (pair["first"], pair["second"], pair["other_class"]) == ("one", "two", 3)
    assert pair["difference"] == -75
    assert json.loads(json.dumps(pair))["moved"] == [
        {"class": name, "first_only_right": 1, "second_only_right": 0}
        for name in ("run", "swim", "5")
    ]


def break_missing(folder):
    (folder / "1_0.txt").unlink()


def break_extra(folder):
    results.write_logits(folder / "3_0.txt", np.zeros((3, 6)))


def break_duplicate(folder):
    (folder / "01_0.txt").write_bytes((folder / "1_0.txt").read_bytes())


def break_not_finite(folder):
    text = (folder / "2_0.txt").read_text()
    (folder / "2_0.txt").write_text(text.replace("9.000000", "nan", 1))


def break_written_twice(folder):
    text = (folder / "2_0.txt").read_text()
    (folder / "2_0.txt").write_text(text + text)


def break_classes(folder):
    results.write_logits(folder / "2_0.txt", np.zeros((3, 5)))


def break_stray(folder):
    (folder / "notes").write_text("")


@pytest.mark.parametrize(
    "spoil, name, reason",
    [
        (break_missing, "1_0.txt", "the result of b is missing"),
        (break_extra, "3_0.txt", "no listed video"),
        (break_duplicate, "01_0.txt", "a second result of the same video"),
        (break_not_finite, "2_0.txt", "not finite"),
        (break_written_twice, "2_0.txt", "6 lines, expected 3"),
        (break_classes, "2_0.txt", "5 classes, the model has 6"),
        (break_stray, "notes", "not a result"),
    ],
)
def test_a_fault_of_the_results_names_its_file(folder, spoil, name, reason):
    spoil(folder)
    with pytest.raises(UserError, match=reason) as fault:
        accuracy.read_scores(folder, INFO, RECIPE)
    assert str(fault.value).startswith(f"{folder / name}: ") and "\n" not in str(fault.value)


def test_a_label_beyond_the_models_classes_is_an_error(folder):
    info = [*INFO[:2], ScoredVideo(2, "c", 6)]
    with pytest.raises(UserError, match="c has label 6, but the model has 6 classes"):
        accuracy.read_scores(folder, info, RECIPE)


def test_the_fusion_is_the_recipes(folder):
    logits = np.zeros((3, 6))
    logits[:2, 0], logits[2, 1] = 4, 20  # two views of class 0, and one that is surer of class 1
    results.write_logits(folder / "0_0.txt", logits)
    for fusion, best in (("mean_softmax", 0), ("mean_logits", 1), ("sum_logits", 1)):
        scores = accuracy.read_scores(folder, INFO, replace(RECIPE, fusion=fusion))
        assert scores[0].argmax() == best


@pytest.mark.parametrize(
    "recipe, reason",
    [
        (replace(RECIPE, clip=replace(GUIDE, crops="centre")), "3 lines, expected 1, one a view"),
        (
            replace(RECIPE, clip=replace(GUIDE, sampling=replace(GUIDE.sampling, num_clips=5))),
            "3 lines, expected 15, one a view",
        ),
        (replace(RECIPE, classes=400), "6 classes, the model has 400"),
        (replace(RECIPE, classes=5), "6 classes, the model has 5"),
    ],
)
def test_results_of_another_recipe_are_refused(folder, recipe, reason):
    with pytest.raises(UserError, match=reason) as fault:
        accuracy.read_scores(folder, INFO, recipe)
    assert str(fault.value).startswith(f"{folder / '0_0.txt'}: ")


def test_how_many_videos_the_other_release_samples_otherwise(tmp_path):
    path = tmp_path / "list.txt"
    write_lines(path, ["a 300 2", "b 100 0", "c 226 1"])
    sampling = GUIDE.sampling
    assert accuracy.moved_by_sampler(path, sampling) == {"other": "mmaction2-1.x", "videos": 1}
    other = replace(sampling, sampler="mmaction2-1.x")
    assert accuracy.moved_by_sampler(path, other) == {"other": "mmaction2-0.x", "videos": 1}
    for sampler in ("facebook-kinetics", "facebook-ssv2"):
        assert accuracy.moved_by_sampler(path, replace(sampling, sampler=sampler)) is None
