"""The first videos that decode, each once, in the list's order."""

import numpy as np
import pytest
from recipes import GUIDE

from tsf.data.first_clips import first_clips
from tsf.data.listing import Dataset
from tsf.data.make_clip import clip_from_video
from tsf.errors import UserError

HEADER = "label,youtube_id,time_start,time_end,split\n"


@pytest.fixture
def dataset(streams, tmp_path):
    """Makes a dataset of these rows, (video, label) each, with the odd streams as videos."""

    def dataset(*rows):
        (tmp_path / "annotations").mkdir()
        (tmp_path / "val").symlink_to(streams["short5"].parent)
        text = "".join(f"{label},{name},0,10,val\n" for name, label in rows)
        (tmp_path / "annotations/val.csv").write_text(HEADER + text)
        return tmp_path

    return dataset


def names(found):
    return [video.name.removesuffix("_000000_000010") for video, _ in found]


def test_what_does_not_decode_is_passed_over(dataset, streams):
    root = dataset(*((name, "yoga") for name in ("not_a_video", "missing", "short5", "single")))
    found = first_clips(Dataset("kinetics", root), 1, GUIDE, "uint8")
    assert names(found) == ["short5"]
    (_, clip), *_ = found
    assert clip.shape == (3, 3, 8, 224, 224) and clip.dtype == np.uint8
    assert np.array_equal(clip, clip_from_video(streams["short5"], GUIDE, "uint8")[1])


def test_fewer_come_back_where_there_are_fewer(dataset):
    root = dataset(("single", "yoga"), ("zero_bytes", "yoga"), ("short5", "yoga"))
    found = first_clips(Dataset("kinetics", root), 9, GUIDE, "float32")
    assert names(found) == ["single", "short5"]
    assert found[0][1].dtype == np.float32


def test_a_video_of_two_rows_counts_once(dataset):
    root = dataset(("single", "yoga"), ("single", "yoga"), ("single", "run"), ("short5", "yoga"))
    found = first_clips(Dataset("kinetics", root), 2, GUIDE, "uint8")
    assert names(found) == ["single", "short5"]
    assert found[0][0].label == "yoga"


def test_a_folder_tree(streams, tmp_path):
    (tmp_path / "yoga").mkdir()
    (tmp_path / "yoga/a.mp4").symlink_to(streams["not_a_video"])
    (tmp_path / "yoga/b.mp4").symlink_to(streams["single"])
    ((video, _),) = first_clips(Dataset("folder", tmp_path), 2, GUIDE, "uint8")
    assert (video.path, video.label) == ("yoga/b.mp4", "yoga")


def test_none_that_decodes_is_one_line(dataset):
    root = dataset(("not_a_video", "yoga"), ("missing", "yoga"))
    with pytest.raises(UserError, match="none of the listed videos can be decoded") as fault:
        first_clips(Dataset("kinetics", root), 2, GUIDE, "uint8")
    assert str(fault.value).startswith(f"{root}: ") and "\n" not in str(fault.value)
