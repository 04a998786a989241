"""predict.py gives the workflow's clips to the byte, its probabilities, a line for a fault."""

import json
import shutil
from dataclasses import asdict, replace

import bundles
import machine
import numpy as np
import pytest
from recipes import GUIDE

from tsf.bundle import predict
from tsf.data.decode import SkippedVideo
from tsf.data.listing import list_folder
from tsf.data.make_clip import clip_from_video
from tsf.data.sampling import frame_numbers
from tsf.engines.setup import DEFAULTS
from tsf.inference import results
from tsf.recipe.fusion import video_scores
from tsf.recipe.record import FUSIONS, Sampling

VIDEO = replace(GUIDE, source="video", preprocessing="mmaction2-1.x")
OTHERS = {
    "1.x, video, four clips": replace(
        VIDEO, sampling=Sampling("mmaction2-1.x", 4, 8, 4), mean=(123.675, 116.28, 103.53)
    ),
    "0.x, several clips": replace(GUIDE, sampling=Sampling("mmaction2-0.x", 3, 16, 5)),
    "centre crop, BGR": replace(VIDEO, crops="centre", short_side=256, channels="bgr"),
    "one frame": replace(
        VIDEO, sampling=Sampling("mmaction2-1.x", 1, 1, 3), std=(50.0, 60.0, 70.0)
    ),
}


def own_clip(video, recipe, dtype):
    content = json.loads(json.dumps(asdict(recipe)))  # as recipe.json holds it
    frames = predict.video_frames(video, content["sampling"])
    return predict.clip_of(frames, content, dtype)[0]


@pytest.mark.parametrize("sampler", ["mmaction2-0.x", "mmaction2-1.x"])
@pytest.mark.parametrize("clips, length, step", [(1, 8, 32), (3, 8, 8), (10, 16, 4), (4, 1, 1)])
def test_the_frames_are_the_samplers(sampler, clips, length, step):
    sampling = Sampling(sampler, length, step, clips)
    for total in range(1, 700):
        expected = [number - 1 for number in frame_numbers(total, sampling)]
        assert predict.frame_numbers(total, asdict(sampling)) == expected, total


def test_every_odd_stream_gives_the_same_bytes_or_is_refused_too(streams):
    compared = 0
    for name, video in streams.items():
        try:
            _, expected = clip_from_video(video, GUIDE)
        except SkippedVideo:
            with pytest.raises(ValueError):
                own_clip(video, GUIDE, "float32")
            continue
        found = own_clip(video, GUIDE, "float32")
        assert found.dtype == np.float32 and (found == expected).all(), name
        compared += 1
    assert compared >= 30


@pytest.mark.parametrize("recipe", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_other_recipes_give_the_same_bytes(recipe, dtype, real_clips):
    for video in real_clips.values():
        _, expected = clip_from_video(video, recipe, dtype)
        found = own_clip(video, recipe, dtype)
        assert found.dtype == dtype and (found == expected).all()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_probabilities_are_those_of_the_text_files(fusion, tmp_path):
    logits = np.random.default_rng(3).normal(0, 4, (3, 400)).astype(np.float32)
    results.write_logits(tmp_path / "x_0.txt", logits)
    expected = video_scores(results.read_logits(tmp_path / "x_0.txt", 3), fusion)
    assert (predict.probabilities(logits, fusion) == expected).all()


# ---- the command line, with a tiny model ----


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a bundle")
    machine.tiny_model(folder / "tsf_sim.onnx", 1)
    return bundles.build(folder, DEFAULTS["onnxruntime"], folder / "tsf_sim.onnx")


def expected_rows(video, dtype="float32"):
    """What the tiny model says of a video, computed without ONNX Runtime."""
    _, clip = clip_from_video(video, GUIDE, dtype)
    logits = np.round(machine.expected_logits(clip), 6)
    scores = video_scores(logits, "mean_softmax")
    best = np.argsort(scores, kind="stable")[::-1][:5]
    return [(bundles.CLASSES[i], pytest.approx(scores[i], abs=2e-6)) for i in best]


def test_videos_and_a_folder_with_a_broken_one(bundle, real_clips, tmp_path):
    inside = tmp_path / "videos/below"
    inside.mkdir(parents=True)
    shutil.copyfile(real_clips["bikes"], inside / "b.MP4")
    (inside / "a.mp4").write_text("no video\n")
    (inside / "notes.txt").write_text("no video, and not named as one\n")
    people = real_clips["carphone_pristine"]
    result = bundles.predict(bundle, "--json", tmp_path / "videos", tmp_path / "none.mp4", people)
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        f"error: {inside}/a.mp4: not one frame can be decoded: no video, or a damaged one",
        f"error: {tmp_path}/none.mp4: no such file",
    ]
    assert bundles.rows(result) == {
        str(inside / "b.MP4"): expected_rows(real_clips["bikes"]),
        str(people): expected_rows(people),
    }


def test_the_lines_for_people(bundle, real_clips):
    result = bundles.predict(bundle, real_clips["bikes"])
    assert (result.returncode, result.stderr) == (0, "")
    first, *best = result.stdout.splitlines()
    assert first == str(real_clips["bikes"]) and len(best) == 5
    for line, (name, probability) in zip(best, expected_rows(real_clips["bikes"]), strict=True):
        shown, _, label = line.strip().partition("  ")
        assert label == name and float(shown) == probability


@pytest.mark.parametrize("model", ["tsf_opt_u8", "tsf_npu_u8"])
def test_a_model_that_takes_bytes(model, real_clips, tmp_path):
    machine.tiny_model(tmp_path / f"{model}.onnx", 1, "uint8")
    setup = replace(DEFAULTS["onnxruntime"], model=model)
    bundle = bundles.build(tmp_path, setup, tmp_path / f"{model}.onnx", dtype="uint8")
    for name in ("README.md", "README.zh-CN.md"):
        assert "`imgs`, uint8, 1x3x3x8x224x224" in (bundle / name).read_text()
    video = real_clips["bikes"]
    result = bundles.predict(bundle, "--json", video)
    assert (result.returncode, result.stderr) == (0, "")
    assert bundles.rows(result) == {str(video): expected_rows(video, "uint8")}


@pytest.mark.parametrize("file", ["tsf_sim.onnx", "recipe.json", "labels.txt"])
def test_a_damaged_file_ends_it_at_the_start(bundle, real_clips, tmp_path, file):
    shutil.copytree(bundle, tmp_path / "copy")
    with open(tmp_path / "copy" / file, "ab") as opened:
        opened.write(b" ")
    result = bundles.predict(tmp_path / "copy", real_clips["bikes"])
    assert result.returncode == 1 and result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and file in line and "SHA256SUMS" in line


@pytest.mark.parametrize("change", ["remove", "cut"])
def test_missing_checksums_end_it_too(bundle, real_clips, tmp_path, change):
    shutil.copytree(bundle, tmp_path / "copy")
    sums = tmp_path / "copy/SHA256SUMS"
    if change == "remove":
        sums.unlink()
    else:
        sums.write_text(sums.read_text().splitlines(keepends=True)[0])
    result = bundles.predict(tmp_path / "copy", real_clips["bikes"])
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1
    assert "SHA256SUMS" in result.stderr


@pytest.mark.parametrize("file", ["tsf_sim.onnx", "recipe.json", "labels.txt", "SHA256SUMS"])
def test_a_missing_file_is_named(bundle, real_clips, tmp_path, file):
    shutil.copytree(bundle, tmp_path / "copy")
    (tmp_path / "copy" / file).unlink()
    result = bundles.predict(tmp_path / "copy", real_clips["bikes"])
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == (
        f"error: {tmp_path}/copy/{file} is missing: copy the folder again, or delete it and run "
        "snakemake bundle, which makes it\n"
    )


def test_videos_behind_links_are_found_once(tmp_path):
    """As the workflow lists a folder."""
    root, elsewhere = tmp_path / "root", tmp_path / "real"
    for path in (elsewhere / "yoga/a.mp4", elsewhere / "b.MP4", root / "zumba/c.mp4"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (root / "linked").symlink_to("../real")
    (root / "zumba/up").symlink_to(root)  # a circle
    (root / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    found = [str(path.relative_to(root)) for path in predict.videos_of([root])]
    assert found == ["gone.mp4", "linked/b.MP4", "linked/yoga/a.mp4", "zumba/c.mp4"]
    assert found == [video.path for video in list_folder(root)]


def test_a_link_that_may_have_been_to_a_folder_ends_it(bundle, tmp_path):
    (tmp_path / "sub").symlink_to(tmp_path / "not mounted")
    result = bundles.predict(bundle, tmp_path)
    assert result.returncode == 1
    assert result.stderr == f"error: {tmp_path}/sub: a link to nothing; repair it or delete it\n"


def test_a_folder_that_cannot_be_read_is_refused(tmp_path, zumba_refused):
    (tmp_path / "zumba").mkdir()
    with pytest.raises(ValueError, match="zumba: Permission denied; make it readable"):
        list(predict.videos_of([tmp_path]))


def test_a_folder_without_a_video(bundle, tmp_path):
    result = bundles.predict(bundle, tmp_path)
    assert result.returncode == 1
    assert result.stderr == f"error: {tmp_path}: no video in this folder\n"


def test_without_a_video_it_asks_for_one(bundle):
    result = bundles.predict(bundle)
    assert result.returncode == 2 and "--camera 0" in result.stderr


def test_a_camera_that_is_not_there(bundle):
    result = bundles.predict(bundle, "--camera", "7")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "error: camera 7: no picture\n"


def test_a_camera_is_judged_span_after_span(bundle, streams):
    """A stream of 300 frames is one span of 256, and then it ends."""
    result = bundles.predict(bundle, "--json", "--camera", streams["plain"])
    assert result.returncode == 1
    assert "44 frames, and 256 are needed" in result.stderr
    (row,) = bundles.rows(result).values()
    assert len(row) == 5
