"""Own videos: any folder tree gives predictions, and accuracy where its folders are classes."""

import csv
import json

import datasets
import numpy as np
import pytest

# where the clips go: blanks, dots, other scripts, capitals, an upper-case suffix, quotes
UNLABELLED = [
    "at the root.mp4",
    "我的 视频/滑雪 2.mp4",
    "a.b/c.d/v1.2.final.MP4",
    "it's/$HOME & so.mp4",
]


def predictions(run):
    with open(run.results / "predictions.csv", newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def accuracy(run):
    return json.loads((run.results / "accuracy.json").read_text())


def score(run, root, *settings):
    config = (f"dataset={{layout: folder, root: {root}}}", "shards=2", *settings)
    temporary = "keep=nothing"
    result = run.snakemake("all", "--config", *config, temporary)
    assert result.returncode == 0, result.stdout
    assert run.dry_run("all", "--config", *config, temporary) == {}
    return result


@pytest.fixture(scope="module")
def in_the_sample(sample_run):
    """By video file of the embedded sample: its probabilities, computed here, and its label."""
    found = {}
    info = [line.split() for line in (sample_run.results / "k400.info").read_text().splitlines()]
    for (path, _), (number, _, label) in zip(datasets.scored_videos(sample_run), info, strict=True):
        logits = np.loadtxt(sample_run.results / f"result/onnxruntime/{number}_0.txt")
        views = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        found[path] = views.mean(axis=0), int(label)
    return found


def expected_top5(scores, names):
    order = sorted(range(len(scores)), key=lambda index: -scores[index])[:5]
    return [(names[index], pytest.approx(scores[index], abs=2e-6)) for index in order]


def top5(row):
    return [(row[f"top{n}"], float(row[f"probability{n}"])) for n in range(1, 6)]


def test_without_labels_there_are_predictions_and_no_accuracy(run_copy, in_the_sample, tmp_path):
    root = tmp_path / "my videos"
    sources = dict(zip(UNLABELLED, in_the_sample, strict=False))
    for path, source in sources.items():
        datasets.link(source, root / path)
    (root / "readme.txt").write_text("no video")
    (root / "broken.mp4").write_bytes(b"no video either")
    # the path has a blank: quoted as YAML
    score(run_copy, f"'{root}'")

    found = predictions(run_copy)
    assert set(found) == set(UNLABELLED)
    for path, source in sources.items():
        scores, _ = in_the_sample[source]
        assert top5(found[path]) == expected_top5(scores, [str(n) for n in range(8)]), path
        assert found[path]["label"] == ""
    content = accuracy(run_copy)
    assert (content["listed"], content["scored"], content["skipped"]) == (5, 4, 1)
    engine = content["engines"]["onnxruntime"]
    assert engine["videos"] == 0 and "top1" not in engine
    assert "broken.mp4" in (run_copy.results / "video_check.tsv").read_text()


def test_with_classes_the_folders_that_are_classes_count(run_copy, in_the_sample, tmp_path):
    names = (run_copy.results / "classes.txt").read_text().splitlines()
    (tmp_path / "classes.txt").write_text("".join(f"{name.replace('_', ' ')}\n" for name in names))
    root = tmp_path / "videos"
    clips = list(in_the_sample)[:5]
    labels = {}
    for number, clip in enumerate(clips[:3]):
        # in the folder of its class, one of them deeper in the tree
        label = names[in_the_sample[clip][1]]
        path = f"{'deep/er/' if number == 0 else ''}{label.replace('_', ' ')}/clip {number}.mp4"
        labels[path] = label, clip
    wrong = names[(in_the_sample[clips[3]][1] + 1) % 8]
    labels[f"{wrong}/mislabelled.mp4"] = wrong, clips[3]
    labels["holidays/2024.mp4"] = "", clips[4]
    for path, (_, clip) in labels.items():
        datasets.link(clip, root / path)
    setting = f"dataset={{layout: folder, root: {root}, classes: {tmp_path}/classes.txt}}"
    score(run_copy, root, setting)

    found = predictions(run_copy)
    assert set(found) == set(labels)
    hits = 0
    for path, (label, clip) in labels.items():
        scores, _ = in_the_sample[clip]
        assert top5(found[path]) == expected_top5(scores, names)
        assert found[path]["label"] == label
        hits += bool(label) and names[int(scores.argmax())] == label
    engine = accuracy(run_copy)["engines"]["onnxruntime"]
    assert engine["videos"] == 4  # the one in holidays has no say
    assert engine["top1"] == pytest.approx(100 * hits / 4)
    assert hits >= 2
