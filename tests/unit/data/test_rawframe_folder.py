"""Raw frames that exist already: mmaction2's bytes, the golden ones, and every fault a reason."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from recipes import GUIDE

from tsf.data import rawframes
from tsf.data.check_videos import FEW_FRAMES, finding
from tsf.data.count_frames import count_or_skip
from tsf.data.decoded import Decoded
from tsf.data.first_clips import first_clips
from tsf.data.listed_clip import clip_of
from tsf.data.listing import Dataset, ListedVideo, RawFrames, list_videos
from tsf.data.preprocess import bin_from_video
from tsf.errors import UserError
from tsf.recipe.literal import read_config
from tsf.recipe.resolve import resolve

CONFIG = """
model = dict(
    backbone=dict(type='TimeSformer', num_frames=8, img_size=112),
    cls_head=dict(type='TimeSformerHead', num_classes=5),
    test_cfg=dict(average_clips='prob'))
test_pipeline = [
    dict(type='SampleFrames', clip_len=8, frame_interval=3, num_clips=2, test_mode=True),
    dict(type='RawFrameDecode'),
    dict(type='Resize', scale=(-1, 128)),
    dict(type='CenterCrop', crop_size=112),
    dict(type='Normalize', mean=[123.5, 116.25, 103.5], std=[58.5, 57.25, 57.5], to_bgr=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='Collect', keys=['imgs', 'label'], meta_keys=[]),
    dict(type='ToTensor', keys=['imgs', 'label'])]
"""
# folder: frames, (width, height); long, too short for a clip, of one frame; upright, small
FOLDERS = {"a b": (70, (340, 256)), "short": (11, (90, 160)), "one": (1, (131, 131))}


def make_frames(folder, count, size, template, start):
    folder.mkdir(parents=True)
    pictures = np.random.default_rng(count)
    for number in range(start, start + count):
        picture = pictures.integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / template.format(number)), picture)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "my.py"
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize(
    "template, start", [("img_{:05}.jpg", 1), ("{:03d}.jpg", 0), ("frame_{}.png", 7)]
)
def test_the_bytes_are_those_of_mmaction2(mmaction2, config, tmp_path, template, start):
    from mmaction.datasets import build_dataset

    root, lines = tmp_path / "frames", []
    for label, (name, (count, size)) in enumerate(FOLDERS.items()):
        make_frames(root / name, count, size, template, start)
        lines.append(f"{name} {count} {label}\n")
    (tmp_path / "list.txt").write_text("".join(lines))
    # where mmaction2 cannot read a blank
    (root / "ab").symlink_to("a b")
    (tmp_path / "theirs.txt").write_text("".join(lines).replace("a b", "ab"))
    settings = {
        "type": "RawframeDataset",
        "ann_file": str(tmp_path / "theirs.txt"),
        "data_prefix": str(root),
        "pipeline": read_config(config)["test_pipeline"],
        "filename_tmpl": template,
        "start_index": start,
    }
    theirs = build_dataset(settings, {"test_mode": True})
    model = {"config": str(config), "checkpoint": None, "run_config": False}
    recipe = resolve(model, None).recipe.clip
    ours = list_videos(Dataset("list", root, tmp_path / "list.txt", template, start))
    assert len(ours) == len(theirs) == 3
    for video, expected in zip(ours, theirs, strict=True):
        total, clip = clip_of(video, root, recipe)
        assert total == FOLDERS[video.path][0] and video.label == str(int(expected["label"]))
        assert clip.shape == expected["imgs"].shape == (2, 3, 8, 112, 112)
        assert clip.tobytes() == expected["imgs"].numpy().tobytes(), video.path


@pytest.mark.parametrize("name", ["t250", "portrait", "short5"])
def test_the_guides_raw_frames_give_the_guides_bytes(streams, golden, tmp_path, name):
    """Of the frames that the guide extracts, which it reads from disk: the golden .bin file."""
    expected = golden[streams[name].stem]
    total = rawframes.extract(streams[name], tmp_path / "f" / name, "all", GUIDE.sampling)
    (tmp_path / "list.txt").write_text(f"{name} {total} 0\n")
    (video,) = list_videos(Dataset("list", tmp_path / "f", tmp_path / "list.txt"))
    found = bin_from_video(video, tmp_path / "f", tmp_path, GUIDE, "float32")
    assert found == Decoded(video.name, expected["frames"], "")
    data = (tmp_path / f"{video.name}.bin").read_bytes()
    assert hashlib.sha256(data).hexdigest() == expected["bin_sha256"]


@pytest.fixture
def video(tmp_path):
    """A folder of 300 frames, of which GUIDE reads NEEDED."""
    make_frames(tmp_path / "v", 300, (64, 48), "img_{:05}.jpg", 1)
    return ListedVideo("v", "v", "3", RawFrames(300, "img_{:05}.jpg", 1))


def jpeg(height=48, width=64):
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


# (300 - 256 + 1) / 2 = 22, then every 32nd
NEEDED = [f"img_{number:05d}.jpg" for number in range(23, 300, 32)][:8]


def outcomes(video, root):
    """What each way says of the video: they must agree, or a run of keep: nothing would stop."""
    counted = count_or_skip(video, root, GUIDE.sampling)
    (root / "bins").mkdir(exist_ok=True)
    assert bin_from_video(video, root, root / "bins", GUIDE, "uint8") == counted
    return counted


def test_a_frame_that_no_clip_reads_is_not_looked_at(video, tmp_path):
    for path in (tmp_path / "v").iterdir():
        if path.name not in NEEDED:
            path.unlink()
    assert outcomes(video, tmp_path) == Decoded("v", 300, "")
    assert finding(video, tmp_path, GUIDE.sampling) == ""


def test_the_first_missing_frame_is_named(video, tmp_path):
    for name in NEEDED[2:5]:
        (tmp_path / "v" / name).unlink()
    reason = f"missing frame {NEEDED[2]}, of the 300 listed"
    assert outcomes(video, tmp_path) == Decoded("v", 0, reason)
    assert finding(video, tmp_path, GUIDE.sampling) == reason


def cut(data):
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    "damage, reason",
    [
        (lambda data: b"", f"undecodable frame {NEEDED[3]}"),
        (lambda data: b"no picture", f"undecodable frame {NEEDED[3]}"),
        (lambda data: data[:20], f"undecodable frame {NEEDED[3]}"),
        (lambda data: data[:-2], f"undecodable frame {NEEDED[3]}: the file is cut off"),
        (cut, f"undecodable frame {NEEDED[3]}: the file is cut off"),
        # a whole picture within it, as a camera's preview is, does not hide the cut
        (lambda data: data[:2] + jpeg() + cut(data)[2:], "undecodable frame "),
        (lambda data: jpeg(64, 48), f"frames of several sizes: {NEEDED[0]} and {NEEDED[3]}"),
    ],
)
def test_a_damaged_frame_is_a_reason(video, tmp_path, damage, reason):
    path = tmp_path / "v" / NEEDED[3]
    path.write_bytes(damage(path.read_bytes()))
    found = outcomes(video, tmp_path)
    assert found.frames == 0 and found.skipped.startswith(reason)
    assert "\t" not in found.skipped and "\n" not in found.skipped


def test_what_follows_a_whole_jpeg_is_no_damage(video, tmp_path):
    path = tmp_path / "v" / NEEDED[3]
    path.write_bytes(path.read_bytes() + b"\0\0 notes of a camera")
    assert outcomes(video, tmp_path) == Decoded("v", 300, "")


def test_a_missing_folder_a_file_and_no_frames_are_reasons(video, tmp_path):
    (tmp_path / "file.mp4").touch()
    for path, reason in (
        ("gone", "missing folder"),
        ("file.mp4", "a file, not a folder of frames"),
    ):
        other = replace(video, path=path)
        assert outcomes(other, tmp_path) == Decoded("v", 0, reason)
        assert finding(other, tmp_path, GUIDE.sampling) == reason
    empty = replace(video, rawframes=replace(video.rawframes, total=0))
    assert outcomes(empty, tmp_path) == Decoded("v", 0, "the list says 0 frames")
    few = replace(video, rawframes=replace(video.rawframes, total=7))
    assert finding(few, tmp_path, GUIDE.sampling) == FEW_FRAMES


def test_the_lists_count_decides_which_frames_are_read(video, tmp_path):
    """As in mmaction2, whatever the folder holds."""
    shorter = replace(video, rawframes=replace(video.rawframes, total=256))
    total, clip = clip_of(shorter, tmp_path, GUIDE, "uint8")
    assert total == 256
    assert not np.array_equal(clip, clip_of(video, tmp_path, GUIDE, "uint8")[1])


def test_a_recipe_that_reads_videos_or_needs_fps_is_refused(video, tmp_path):
    with pytest.raises(UserError, match="the recipe's source is the video"):
        clip_of(video, tmp_path, replace(GUIDE, source="video"))
    by_time = replace(GUIDE.sampling, sampler="facebook-kinetics")
    with pytest.raises(UserError, match="needs the frame rate of a video"):
        clip_of(video, tmp_path, replace(GUIDE, sampling=by_time))


def test_the_first_clips_pass_over_a_folder_with_a_missing_frame(video, tmp_path):
    (tmp_path / "list.txt").write_text("gone 300 0\nv 300 3\nv 300 2\n")
    dataset = Dataset("list", tmp_path, tmp_path / "list.txt")
    ((found, clip),) = first_clips(dataset, 3, GUIDE, "uint8")
    assert (found.path, found.label) == ("v", "3")
    assert np.array_equal(clip, clip_of(video, tmp_path, GUIDE, "uint8")[1])
