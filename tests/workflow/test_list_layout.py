"""mmaction2's annotation files: the sample's own raw frames and videos, listed by hand."""

import csv
import json
import os
import shlex

import datasets
import numpy as np
import pytest
import runs

from tsf.data.listing import Dataset, list_videos, shard_of

SHARDS = 2
OWN = f"shards={SHARDS}"


def sample_videos(run):
    """(video, frames, class, logits) of every scored video of the embedded sample, in order."""
    text = (run.results / "kinetics400_val_list_rawframes.txt").read_text()
    found = []
    for number, line in enumerate(text.splitlines()):
        video, frames, label = line.split(" ")
        logits = (run.results / f"result/onnxruntime/{number}_0.txt").read_text()
        found.append((video, int(frames), int(label), logits))
    return found


def logits_by_path(run):
    """The logits of every scored video by its path in the list; and the paths in order."""
    rows = [line.split("\t") for line in (run.results / "videos.tsv").read_text().splitlines()[1:]]
    paths = {name: path for name, path, _ in rows}
    names = [line.split()[1] for line in (run.results / "k400.info").read_text().splitlines()]
    folder = run.results / "result/onnxruntime"
    return {paths[name]: (folder / f"{n}_0.txt").read_text() for n, name in enumerate(names)}


def accuracy(run):
    return json.loads((run.results / "accuracy.json").read_text())


def skipped(run):
    """(path, reason) in order."""
    rows = [line.split("\t") for line in (run.results / "videos.tsv").read_text().splitlines()[1:]]
    paths = {name: path for name, path, _ in rows}
    lines = (run.results / "skipped.tsv").read_text().splitlines()[1:]
    return [(paths[name], reason) for name, _, reason in (line.split("\t") for line in lines)]


@pytest.fixture
def frames(run_copy, tmp_path):
    """(root, list, config, listed) of the sample's raw frames, a folder a video as by the guide.

    The config is the sample's, and says where the list and the frames are.
    """
    root, lines, listed = tmp_path / "raw frames", [], {}
    for number, (video, total, label, logits) in enumerate(sample_videos(run_copy)[:12]):
        path = f"class {label}/{video}" if number == 3 else f"c{label}/{video}"
        for file in (run_copy.results / "rawframes_val" / video).glob("img_*"):
            datasets.link(file, root / path / file.name)
        lines.append(f"{path} {total} {label}\n")
        listed[path] = logits
    (tmp_path / "list.txt").write_text("".join(lines))
    config = tmp_path / "my.py"
    data = {"type": "RawframeDataset", "ann_file": f"{tmp_path}/list.txt", "data_prefix": str(root)}
    text = (run_copy.repo / "models/tsf_sample.py").read_text()
    config.write_text(f"{text}\ndata = dict(test=dict(pipeline=test_pipeline, **{data!r}))\n")
    return root, tmp_path / "list.txt", config, listed


def test_raw_frames_that_exist_give_the_samples_logits(run_copy, frames):
    root, annotations, config, listed = frames
    names = list(listed)
    needed = {path: sorted(os.listdir(root / path)) for path in names}
    # a missing frame, a damaged one, no label, a folder of two rows, no such folder
    (root / names[1] / needed[names[1]][2]).unlink()
    damaged = root / names[2] / needed[names[2]][5]
    data = damaged.read_bytes()
    damaged.unlink()  # it is a hard link
    damaged.write_bytes(data[: len(data) // 2])
    lines = annotations.read_text().splitlines()
    total = int(lines[1].split(" ")[-2])
    lines[4] = lines[4].rsplit(" ", 1)[0] + " -1"
    lines += [lines[0], "gone 300 1"]
    annotations.write_text("".join(f"{line}\n" for line in lines))

    settings = ("dataset={layout: list, root: null}", f"model={{config: {config}}}", OWN)
    target = ("all", "--config", "keep=bins", *settings)
    result = run_copy.snakemake(*target)
    assert result.returncode == 0, result.stdout
    assert f"ann_file '{annotations}', data_prefix '{root}'" in result.stdout
    assert "FOLDER FRAMES LABEL, raw frames in" in result.stdout
    assert "1 paths hold blanks" in result.stdout

    found = logits_by_path(run_copy)
    scored = [path for path in names if path not in names[1:3]]
    assert list(found) == scored  # in the order of the list
    assert found == {path: listed[path] for path in scored}
    assert skipped(run_copy) == [
        (names[1], f"missing frame {needed[names[1]][2]}, of the {total} listed"),
        (names[2], f"undecodable frame {needed[names[2]][5]}: the file is cut off"),
        (names[0], "duplicate row"),
        ("gone", "missing folder"),
    ]
    content = accuracy(run_copy)
    assert (content["listed"], content["scored"], content["skipped"]) == (14, 10, 4)
    assert content["engines"]["onnxruntime"]["videos"] == 9
    assert (run_copy.results / "classes.txt").read_text().split() == list("01234567")
    with open(run_copy.results / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    for line in lines[5:12]:
        path, _, label = line.rsplit(" ", 2)
        best = np.loadtxt(found[path].splitlines())
        best = (np.exp(best) / np.exp(best).sum(axis=1, keepdims=True)).mean(axis=0).argmax()
        assert (rows[path]["label"], rows[path]["top1"]) == (label, str(best))
    assert rows[names[4]]["label"] == ""

    # one changed frame redoes its shard, and no other; a label redoes no shard
    assert run_copy.dry_run(*target) == {}
    dataset = Dataset("list", root, annotations)
    changed = root / names[6] / needed[names[6]][0]
    changed.unlink()
    changed.write_bytes((root / names[7] / needed[names[7]][0]).read_bytes())
    due = run_copy.dry_run(*target)
    assert due["out_bin"] == due["infer"] == 1
    result = run_copy.snakemake(*target)
    assert result.returncode == 0, result.stdout
    again = logits_by_path(run_copy)
    assert [path for path in again if again[path] != found[path]] == [names[6]]
    (name,) = (video.name for video in list_videos(dataset) if video.path == names[6])
    assert f"preprocess, shard {shard_of(name, SHARDS):03d}" in result.stdout
    before, label = lines[6].rsplit(" ", 1)
    lines[6] = f"{before} {(int(label) + 1) % 8}"
    annotations.write_text("".join(f"{line}\n" for line in lines))
    due = run_copy.dry_run(*target)
    assert {"videos", "account"} <= set(due) and not {"out_bin", "infer"} & set(due)

    # and without .bin files that stay
    nothing = ("all", "--config", "keep=nothing", *settings)
    result = run_copy.snakemake(*nothing, "--resources", "disk_mb=200")
    assert result.returncode == 0, result.stdout
    assert logits_by_path(run_copy) == again
    assert list((run_copy.results / "out_bin").glob("*.*/*")) == []


def test_listed_videos_give_the_samples_logits(run_copy, tmp_path):
    """PATH LABEL, with blanks, without a label, in another order than the sample's."""
    root, lines, listed = tmp_path / "videos", [], {}
    videos = sample_videos(run_copy)
    names = (run_copy.results / "classes.txt").read_text().splitlines()
    for number, (video, _, label, logits) in enumerate(videos[9::-1]):
        path = f"take {number}.mp4" if number % 3 == 0 else f"{video}.mp4"
        datasets.link(run_copy.results / f"sample_data/val/{video}.mp4", root / path)
        lines.append(f"{path} {label}\n" if number % 2 else f"{path}\n")
        listed[path] = logits
    datasets.link(run_copy.results / f"sample_data/val/{videos[20][0]}.mp4", root / "unlisted.mp4")
    (tmp_path / "list.txt").write_text("".join(lines))
    (tmp_path / "classes.txt").write_text("".join(f"{name}\n" for name in names))
    dataset = (
        f"dataset={{layout: list, root: {root}, list: {tmp_path}/list.txt, "
        f"classes: {tmp_path}/classes.txt}}"
    )
    target = ("all", "--config", dataset, "keep=bins", "on_bad_video=fail", OWN)
    result = run_copy.snakemake(*target)
    assert result.returncode == 0, result.stdout
    assert "PATH LABEL, videos in" in result.stdout
    found = logits_by_path(run_copy)
    assert list(found) == list(listed) and found == listed
    with open(run_copy.results / "predictions.csv", newline="", encoding="utf-8") as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    expected = [names[v[2]] if n % 2 else "" for n, v in enumerate(videos[9::-1])]
    assert labels == expected
    assert accuracy(run_copy)["engines"]["onnxruntime"]["videos"] == 5
    # what the list does not name is no fault
    assert (run_copy.results / "video_check.tsv").read_text() == "path\tfinding\n"
    assert run_copy.dry_run(*target) == {}


@pytest.mark.parametrize(
    "line, settings, words",
    [
        ("a 40 8", "keep=bins", "a has label 8, but the model has 8 classes"),
        ("a 40 1", "keep=frames", "keep: frames makes raw frames"),
        ("a 40 1", "keep=bins recipe={source: video}", "the recipe's source is video"),
        ("a 40 1 2 3", "keep=bins", "list.txt, line 1: 4 numbers in 'a 40 1 2 3'"),
        ("a 40 1", "keep=bins", "none of the 1 listed videos can be "),
    ],
)
def test_what_does_not_fit_ends_the_run_in_one_line(tmp_path, line, settings, words):
    (tmp_path / "frames").mkdir()
    (tmp_path / "list.txt").write_text(f"{line}\n")
    dataset = f"dataset={{layout: list, root: {tmp_path}/frames, list: {tmp_path}/list.txt}}"
    found = shlex.split(settings) if "{" not in settings else settings.split(" ", 1)
    target = ("k400.info", "--config", dataset, *found)
    result = runs.snakemake(*target, directory=tmp_path / "run")
    lines = runs.error_lines(result)
    assert lines and all(words in line for line in lines), result.stdout
    assert not (tmp_path / "run/results/k400.info").exists()
