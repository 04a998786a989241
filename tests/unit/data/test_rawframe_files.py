"""The raw frames that the workflow made are those that it reads, or the step stops."""

import pytest
from recipes import GUIDE

from tsf.data.decoded import Decoded
from tsf.data.preprocess import bin_from_rawframes
from tsf.data.rawframe_files import read_rawframes, write_rawframes
from tsf.data.rawframes import extract
from tsf.errors import UserError


@pytest.fixture
def folder(streams, tmp_path):
    """The raw frames of a video of 100 frames, in a shard's folder."""
    extract(streams["wraps"], tmp_path / "000/v", "needed", GUIDE.sampling)
    return tmp_path / "000/v"


@pytest.mark.parametrize("spoil", ["half", "zeroed", "grown", "other", "gone", "digests"])
def test_a_frame_that_is_not_whole_stops_the_step(folder, tmp_path, spoil):
    path, other, *_ = sorted(folder.glob("img_*.jpg"))
    data = path.read_bytes()
    if spoil == "gone":
        path.unlink()
    elif spoil == "digests":
        (folder / ".xxh128").unlink()
    else:
        path.write_bytes(
            {
                "half": data[: len(data) // 2],
                "zeroed": bytes(len(data)),
                "grown": data + b"\0",
                "other": other.read_bytes(),
            }[spoil]
        )
    with pytest.raises(UserError, match=f"{path}: .*; delete {folder.parent} and run again") as f:
        bin_from_rawframes(Decoded("v", 100, ""), folder.parent, tmp_path / "bins", GUIDE)
    assert "\n" not in str(f.value) and not (tmp_path / "bins/v.bin").exists()


def test_only_the_frames_asked_for_are_read(tmp_path):
    (tmp_path / "v").mkdir()
    assert write_rawframes(tmp_path / "v", enumerate([b"a", b"b", b"c"], 1)) == 3
    (tmp_path / "v/img_00002.jpg").write_bytes(b"x")
    assert read_rawframes(tmp_path / "v", [3, 1, 3]) == {1: b"a", 3: b"c"}
