"""int8 is calibrated on videos that are not scored, told by their content."""

import shutil
from dataclasses import replace

import datasets
import numpy as np
import pytest
from recipes import GUIDE

from tsf import errors
from tsf.data import calibration
from tsf.data.listing import Dataset
from tsf.data.make_clip import clip_from_video
from tsf.recipe.record import to_json

CLIPS = ["bikes", "bigbuckbunny", "carphone_pristine"]


@pytest.fixture
def folder(real_clips, tmp_path):
    """A tree of real clips, one of them scored under another name, and a file that is no video."""
    root = tmp_path / "train"
    for name in CLIPS:
        (root / name).mkdir(parents=True)
        shutil.copyfile(real_clips[name], root / name / "clip.mp4")
    (root / "broken.mp4").write_bytes(b"no video")
    scored = tmp_path / "val"
    scored.mkdir()
    shutil.copyfile(real_clips["bikes"], scored / "another name.mp4")
    (scored / "missing.mp4").symlink_to("nowhere")  # listed, too
    return tmp_path


def run(monkeypatch, folder, videos, recipe=GUIDE, layout=("folder",)):
    arguments = ["--root", folder / "val", "--layout", *layout]
    arguments += ["--take-from", folder / "train", "--videos", videos]
    arguments += ["--output", folder / "calibration", "--recipe", to_json(recipe)]
    arguments += ["--table", folder / "calibration.tsv"]
    monkeypatch.setattr("sys.argv", ["calibration", *map(str, arguments)])
    errors.run(calibration.main)


def test_scored_and_broken_videos_are_left_out(monkeypatch, folder, real_clips):
    run(monkeypatch, folder, 2)
    found = {path.read_bytes() for path in (folder / "calibration").glob("*.bin")}
    expected = {
        clip_from_video(real_clips[name], GUIDE, "uint8")[1].tobytes() for name in CLIPS[1:]
    }
    assert found == expected
    # which video a clip is of, for its label
    for row in (folder / "calibration.tsv").read_text().splitlines():
        clip, video = row.split("\t")
        _, pixels = clip_from_video(folder / "train" / video, GUIDE, "uint8")
        assert (folder / f"calibration/{clip}.bin").read_bytes() == pixels.tobytes()


def test_the_videos_of_a_list_are_left_out(monkeypatch, folder):
    (folder / "list.txt").write_text("another name.mp4 3\n")
    with pytest.raises(SystemExit, match="train: 2 videos that can be decoded and are not scored"):
        run(monkeypatch, folder, 3, layout=("list", "--list", folder / "list.txt"))


def test_that_raw_frames_cannot_be_told_apart_is_said(monkeypatch, folder, capsys):
    (folder / "list.txt").write_text("bikes 250 3\n")
    run(monkeypatch, folder, 3, layout=("list", "--list", folder / "list.txt"))
    assert len(list((folder / "calibration").glob("*.bin"))) == 3
    said = f"list.txt lists raw frames, so it cannot be told whether a video in {folder / 'train'}"
    assert said in capsys.readouterr().out


def test_what_pixels_do_not_tell_is_kept_as_float32(monkeypatch, folder, real_clips):
    facebook = replace(GUIDE, preprocessing="facebook", source="video")
    run(monkeypatch, folder, 1, facebook)
    (found,) = (folder / "calibration").glob("*.bin")
    assert found.stat().st_size == facebook.bin_bytes("float32")


def test_too_few_are_one_line_and_nothing_is_left(monkeypatch, folder):
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, folder, 3)
    assert "train: 2 videos that can be decoded and are not scored" in str(stop.value)
    assert "\n" not in str(stop.value) and not (folder / "calibration").exists()


def test_a_missing_folder_is_one_line(monkeypatch, folder):
    shutil.rmtree(folder / "train")
    with pytest.raises(SystemExit, match=r"train: no such folder; see calibration\.root"):
        run(monkeypatch, folder, 1)


def test_the_order_is_mixed_and_always_the_same(tmp_path):
    for number in range(40):
        (tmp_path / f"{number:02d}.mp4").touch()
    scored = Dataset("folder", tmp_path)
    order = [path for path, _ in calibration.shuffled(tmp_path, scored)]
    assert order == [path for path, _ in calibration.shuffled(tmp_path, scored)]
    assert sorted(order) == [f"{n:02d}.mp4" for n in range(40)] != order
    neighbours = np.diff([int(name[:2]) for name in order])
    assert (neighbours == 1).sum() < 10


def test_the_videos_in_archives_are_left_out(monkeypatch, folder, real_clips):
    root = datasets.kinetics(folder / "k400", [(0, "yoga"), (1, "yoga")], ["yoga"])
    name = datasets.video(root, 0).name
    datasets.pack(root / "part_0.tar", {f"deep/{name}": real_clips["bikes"]})
    (folder / "val").rename(folder / "not scored")
    root.rename(folder / "val")
    with pytest.raises(SystemExit, match="train: 2 videos that can be decoded and are not scored"):
        run(monkeypatch, folder, 3, layout=("tar",))


@pytest.fixture
def packed(folder, real_clips):
    """The folder's clips to calibrate on, and the scored one, in archives of two datasets."""
    root = datasets.kinetics(folder / "k400", [(0, "yoga")], ["yoga"])
    name = datasets.video(root, 0).name
    datasets.pack(root / "part_0.tar", {f"deep/{name}": real_clips["bikes"]})
    shutil.rmtree(folder / "val")
    root.rename(folder / "val")
    shutil.rmtree(folder / "train")
    files = {f"deep/{name}/clip.mp4": real_clips[name] for name in CLIPS}
    files |= {"deep/not a video.txt": real_clips["bikes"]}
    datasets.pack(folder / "train/part_0.tar", files)
    return folder


def check_packed(folder, archive, real_clips):
    for row in (folder / "calibration.tsv").read_text().splitlines():
        clip, video = row.split("\t")
        _, pixels = clip_from_video(real_clips[video.split("/")[-2]], GUIDE, "uint8")
        assert (folder / f"calibration/{clip}.bin").read_bytes() == pixels.tobytes()
        assert video.startswith(f"{archive}/deep/") and "bikes" not in video


def test_the_videos_of_archives_calibrate_too(monkeypatch, packed, real_clips):
    run(monkeypatch, packed, 2, layout=("tar",))
    check_packed(packed, "part_0.tar", real_clips)
    with pytest.raises(SystemExit, match="train: 2 videos that can be decoded and are not scored"):
        run(monkeypatch, packed, 3, layout=("tar",))
    with pytest.raises(SystemExit, match="train: holds no video"):  # of another layout
        run(monkeypatch, packed, 1, layout=("kinetics",))


def test_unpacked_videos_beside_archives_are_refused(monkeypatch, packed, real_clips):
    shutil.copyfile(real_clips["bigbuckbunny"], packed / "train/one.mp4")
    with pytest.raises(SystemExit, match="archives and unpacked videos there; move one kind away"):
        run(monkeypatch, packed, 1, layout=("tar",))


def test_an_index_names_the_videos_of_archives_that_are_no_tar(monkeypatch, packed, real_clips):
    root, rows = packed / "val", ["path\tarchive\toffset\tsize\n"]
    name = datasets.video(root, 0).name
    (root / "part_0.tar").unlink()
    (packed / "train/part_0.tar").unlink()
    packs = {"scored.pack": {name: "bikes"}, "../train/other.pack": {}}
    packs["../train/other.pack"] = {f"deep/{clip}/clip.mp4": clip for clip in CLIPS}
    for pack, files in packs.items():
        content = b"head"
        for path, clip in files.items():
            data = real_clips[clip].read_bytes()
            rows.append(f"{path}\t{pack}\t{len(content)}\t{len(data)}\n")
            content += data
        (root / pack).write_bytes(content)
    (packed / "index.tsv").write_text("".join(rows))
    layout = ("tar", "--index", packed / "index.tsv")
    run(monkeypatch, packed, 2, layout=layout)
    check_packed(packed, "../train/other.pack", real_clips)
    (packed / "train/other.pack").rename(root / "other.pack")
    (packed / "index.tsv").write_text("".join(rows).replace("../train/", ""))
    with pytest.raises(SystemExit, match="train: no video there, unpacked or in an archive"):
        run(monkeypatch, packed, 2, layout=layout)
