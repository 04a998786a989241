"""The embedded sample, from generated videos to its accuracy, against independent ways there."""

import csv
import hashlib
import json
import os
import runpy

import numpy as np
import onnxruntime
import pytest
import torch
from recipes import GUIDE
from timesformers import recipe_for

from tsf.data.sampling import frame_numbers
from tsf.model.load import load
from tsf.model.recogniser import build_recogniser
from tsf.model.settings import from_mmaction2

GUIDES_CONFIG = "timesformer_divST_8x32x1_15e_kinetics400_rgb.py"


@pytest.fixture(scope="module")
def results(sample_run):
    return sample_run.results


@pytest.fixture(scope="module")
def info(results):
    """(video, label) of every line of k400.info, its place being its result's number."""
    lines = [line.split() for line in (results / "k400.info").read_text().splitlines()]
    assert [int(line[0]) for line in lines] == list(range(len(lines)))
    return [(line[1], int(line[-1])) for line in lines]


@pytest.fixture(scope="module")
def accuracy(results):
    return json.loads((results / "accuracy.json").read_text())


def bin_path(results, video):
    (path,) = results.glob(f"out_bin/*/{video}.bin")
    return path


# ---- the account ----


def test_every_listed_video_is_accounted_for(results, info, accuracy):
    with open(results / "sample_data/annotations/val.csv", newline="") as file:
        listed = [
            f"{row['youtube_id']}_{int(row['time_start']):06d}_{int(row['time_end']):06d}"
            for row in csv.DictReader(file)
        ]
    skipped = [line.split("\t") for line in (results / "skipped.tsv").read_text().splitlines()[1:]]
    assert (accuracy["listed"], accuracy["scored"], accuracy["skipped"]) == (42, 40, 2)
    assert sorted([video for video, _ in info] + [row[0] for row in skipped]) == sorted(listed)
    # in the order of the list
    assert [video for video in listed if video in dict(info)] == [video for video, _ in info]
    reasons = sorted(reason for _, _, reason in skipped)
    assert reasons[0] == "missing file" and reasons[1].startswith("undecodable: ")
    assert accuracy["skipped_reasons"] == dict.fromkeys(reasons, 1)


def test_the_file_list_counts_every_frame(results, info):
    text = (results / "kinetics400_val_list_rawframes.txt").read_text()
    lines = [line.split() for line in text.splitlines()]
    assert [(video, int(label)) for video, _, label in lines] == info
    for video, count, _ in lines:
        kept = [path.name for path in (results / "rawframes_val" / video).glob("img_*")]
        needed = {f"img_{n:05d}.jpg" for n in frame_numbers(int(count), GUIDE.sampling)}
        # ten seconds, of which the eight that the model reads are kept
        assert 250 <= int(count) <= 300 and set(kept) == needed


def test_one_bin_a_scored_video(results, info):
    paths = list(results.glob("out_bin/*/*.bin"))
    assert sorted(path.stem for path in paths) == sorted(video for video, _ in info)
    assert {path.stat().st_size for path in paths} == {14_450_688}


# ---- accuracy ----


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def guides_post_processing(folder, info_file):
    """The guide's k400_postprocess, in short: how it finds, reads and scores the results."""
    count = len(os.listdir(folder)) - 1  # the folder holds one json beside the results
    with open(info_file) as file:
        labels = [int(line.strip().split(" ")[-1]) for line in file]
    hits = {1: 0, 5: 0}
    for number in range(count):
        with open(folder / f"{number}_0.txt") as file:
            views = [[float(value) for value in line.strip().split(" ")] for line in file]
        scores = softmax(np.array(views)).mean(axis=0)
        order = np.argsort(scores)[::-1]
        for k in hits:
            hits[k] += int(labels[number] in order[:k])
    return {k: 100 * hits[k] / count for k in hits}


def test_the_guides_post_processing_reads_the_results(results, accuracy):
    found = guides_post_processing(results / "result/onnxruntime", results / "k400.info")
    engine = accuracy["engines"]["onnxruntime"]
    assert found[1] == pytest.approx(engine["top1"])
    assert found[5] == pytest.approx(engine["top5"])


def test_the_sample_is_recognised(accuracy):
    engine = accuracy["engines"]["onnxruntime"]
    assert engine["videos"] == 40
    assert engine["top1"] >= 90 and engine["top5"] >= engine["top1"]


@pytest.fixture(scope="module")
def clips(results, info):
    """Every scored video's input, read on demand."""

    def read(video):
        data = np.fromfile(bin_path(results, video), "<f4")
        return data.reshape(1, 3, 3, 8, 224, 224)  # (videos, views, RGB, frames, y, x)

    return [(read, video, label) for video, label in info]


@pytest.fixture(scope="module")
def session(results):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(str(results / "tsf_sim.onnx"), options)


def top1(session, clips, change=lambda clip: clip):
    """The accuracy in percent when every input is changed before the model sees it."""
    hits = 0
    for read, video, label in clips:
        clip = np.ascontiguousarray(change(read(video)))
        (logits,) = session.run(["result"], {"imgs": clip})
        hits += int(softmax(logits).mean(axis=0).argmax() == label)
    return 100 * hits / len(clips)


def test_a_broken_data_path_would_be_seen(session, clips, accuracy):
    """Time reversed, and red swapped with blue: each costs at least 20 points."""
    sound = top1(session, clips)
    assert sound == pytest.approx(accuracy["engines"]["onnxruntime"]["top1"])
    assert top1(session, clips, lambda clip: clip[:, :, :, ::-1]) <= sound - 20
    assert top1(session, clips, lambda clip: clip[:, :, ::-1]) <= sound - 20


# ---- against mmaction2's own data pipeline and model ----


@pytest.fixture(scope="module")
def pipeline(results, mmaction2):
    """mmaction2's RawframeDataset over the workflow's file list and raw frames."""
    from mmaction.datasets import build_dataset
    from mmcv import Config

    folder = mmaction2 / "mmaction/.mim/configs/recognition/timesformer"
    settings = Config.fromfile(str(folder / GUIDES_CONFIG))
    settings.data.test.ann_file = str(results / "kinetics400_val_list_rawframes.txt")
    settings.data.test.data_prefix = str(results / "rawframes_val")
    return build_dataset(settings.data.test, {"test_mode": True})


@pytest.fixture(scope="module")
def reference(pipeline, sample_run, mmaction2):
    """By video: the sha256 of mmaction2's input, and its recogniser's probabilities."""
    settings = runpy.run_path(str(sample_run.repo / "models/tsf_sample.py"))["model"]
    shape = from_mmaction2(settings, "tsf_sample.py")
    checkpoint = sample_run.repo / "models/tsf_sample.pth"
    recogniser = build_recogniser(mmaction2, load(checkpoint, shape, recipe_for(shape), 8))
    found = {}
    for number, video in enumerate(pipeline.video_infos):
        images = pipeline[number]["imgs"]  # (3, 3, 8, 224, 224)
        digest = hashlib.sha256(images.numpy().tobytes()).hexdigest()
        with torch.inference_mode():
            # the whole recogniser: average_clips='prob' included
            scores = recogniser(images[None], return_loss=False)[0]
        found[os.path.basename(video["frame_dir"])] = digest, scores
    return found


def test_every_bin_is_mmaction2s_input_byte_for_byte(results, info, reference):
    assert list(reference) == [video for video, _ in info]
    for video, _ in info:
        with open(bin_path(results, video), "rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == reference[video][0], video


def test_predictions_are_those_of_pytorch(results, info, reference):
    for number, (video, _) in enumerate(info):
        logits = np.loadtxt(results / f"result/onnxruntime/{number}_0.txt", ndmin=2)
        scores = softmax(logits).mean(axis=0)
        expected = reference[video][1]
        assert scores.argmax() == expected.argmax(), video
        assert np.abs(scores - expected).max() < 1e-4


def test_accuracy_is_that_of_pytorch(info, reference, accuracy):
    from mmaction.core.evaluation import top_k_accuracy

    scores = [reference[video][1] for video, _ in info]
    expected = top_k_accuracy(scores, [label for _, label in info], (1, 5))
    engine = accuracy["engines"]["onnxruntime"]
    assert [engine["top1"] / 100, engine["top5"] / 100] == pytest.approx(expected)


def test_predictions_csv_names_the_classes(results, info, reference):
    with open(results / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = (results / "classes.txt").read_text().splitlines()
    assert [row["video"] for row in rows] == [video for video, _ in info]
    for row, (video, label) in zip(rows, info, strict=True):
        assert row["label"] == names[label]
        assert row["top1"] == names[reference[video][1].argmax()]


# ---- the exported model ----


def test_the_models_are_compared_with_pytorch_on_every_logit(results):
    verify = json.loads((results / "verify.json").read_text())
    pixels, *models = verify["boundaries"]
    assert pixels["values"] == 2 * 3 * 3 * 8 * 224 * 224 and pixels["max_abs"] == 0
    assert [found["name"] for found in models] == ["tsf.onnx", "tsf_sim.onnx"]
    assert len(verify["clips"]) == 2
    for found in models:
        assert found["values"] == 2 * 3 * 8
        assert found["max_abs"] <= 1e-4 and found["top1_agreement"] == 1


def test_the_models_interface_is_the_guides(results):
    import onnx

    for name in ("tsf.onnx", "tsf_sim.onnx"):
        loaded = onnx.load(results / name, load_external_data=False)
        shapes = {
            value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            for value in (*loaded.graph.input, *loaded.graph.output)
        }
        assert shapes == {"imgs": [1, 3, 3, 8, 224, 224], "result": [3, 8]}, name
        assert loaded.opset_import[0].version == 11
        assert not any(tensor.external_data for tensor in loaded.graph.initializer)
    status = json.loads((results / "tsf_sim.json").read_text())
    assert status["simplified"] and status["nodes"][1] < status["nodes"][0]


def test_the_report_says_it_all(results, accuracy):
    text = (results / "accuracy.md").read_text(encoding="utf-8")
    top1 = accuracy["engines"]["onnxruntime"]["top1"]
    assert f"top1 acc= {top1:.2f}" in text
    assert "42 listed = 40 scored + 2 skipped" in text
    assert "missing file" in text and "simplified by onnxsim" in text


def test_nothing_is_left_over(sample_run):
    """No part files, and nothing outside results/ and Snakemake's own folder."""
    assert sorted(path.name for path in sample_run.folder.iterdir()) == [".snakemake", "results"]
    left = [
        path
        for path in sample_run.results.rglob(".*")
        # the times of folders, and the digests of raw frames
        if path.name not in (".snakemake_timestamp", ".xxh128") and "mmaction2" not in path.parts
    ]
    assert left == []
