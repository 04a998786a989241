"""Every step reads a listed video where the list says it is, and not what lies elsewhere."""

import shutil
from functools import partial

import datasets
import pytest
from recipes import GUIDE

from tsf.data import decode
from tsf.data.archives import scan
from tsf.data.byte_range import ByteRange
from tsf.data.check_videos import finding
from tsf.data.count_frames import count_or_skip
from tsf.data.decoded import Decoded
from tsf.data.listing import ListedVideo
from tsf.data.preprocess import bin_from_video
from tsf.data.rawframes import extract_or_skip
from tsf.data.strips import frames_seen

FAULT = "several files of its name: a.tar/x.mp4 and b.tar/x.mp4"
MORE = {"dtype": "uint8", "recipe": GUIDE}


@pytest.fixture
def root(streams, tmp_path):
    """Where another video lies unpacked, of 5 frames; the one in the archive has 60."""
    (tmp_path / "val").mkdir()
    shutil.copyfile(streams["short5"], tmp_path / "val/a.mp4")
    datasets.pack(tmp_path / "part_0.tar", {"a.mp4": streams["square"]})
    return tmp_path


def steps(root):
    """The steps whose outcome is a row of a shard's table."""
    needed = {"which": "needed", "sampling": GUIDE.sampling}
    return [
        partial(count_or_skip, root=root, sampling=GUIDE.sampling),
        partial(bin_from_video, root=root, folder=root, **MORE),
        partial(extract_or_skip, root=root, folder=root / "frames", **needed),
    ]


def test_a_fault_of_the_archives_is_the_reason_in_every_step(root):
    video = ListedVideo("a", "val/a.mp4", "yoga", fault=FAULT)
    assert finding(video, root, GUIDE.sampling) == FAULT
    assert [step(video) for step in steps(root)] == [Decoded("a", 0, FAULT)] * 3
    with pytest.raises(decode.SkippedVideo, match=r"^several files of its name: a\.tar"):
        frames_seen(video, root, GUIDE)


def test_the_video_in_the_archive_is_read_in_every_step(root, streams):
    (member,) = scan(root / "part_0.tar")
    stored = ByteRange(root / "part_0.tar", member.offset, member.size, ".mp4")
    video = ListedVideo("a", "val/a.mp4", "yoga", stored=stored)
    assert finding(video, root, GUIDE.sampling) == ""
    assert [step(video) for step in steps(root)] == [Decoded("a", 60, "")] * 3
    pictures = frames_seen(video, root, GUIDE)
    assert {picture.shape for picture in pictures} == {(320, 320, 3)}  # a square one
