"""The .bin files: their bytes, their size, and the type that the model takes."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from recipes import GUIDE

from tsf.data.bins import bin_files, fill_batch, read_bin, read_for_model, write_bin
from tsf.data.model_input import level_values
from tsf.digests import refuse_changed
from tsf.errors import UserError
from tsf.recipe.record import Sampling


def test_a_bin_is_little_endian_float32_without_a_header(tmp_path):
    write_bin(np.array([[1, -2], [0.5, 3]], np.float32), tmp_path / "x.bin")
    expected = struct.pack("<4f", 1, -2, 0.5, 3)
    assert (tmp_path / "x.bin").read_bytes() == expected


def test_a_bin_of_pixels_is_the_bytes(tmp_path):
    write_bin(np.array([[0, 7], [255, 128]], np.uint8), tmp_path / "x.bin")
    assert (tmp_path / "x.bin").read_bytes() == bytes([0, 7, 255, 128])


@pytest.mark.parametrize("dtype", ["uint8"], indirect=True)
def test_an_engine_that_takes_float32_gets_the_normalised_pixels(three_bins):
    clip = read_for_model(three_bins[2], GUIDE, "uint8", "float32")
    assert clip.dtype == np.float32
    values = level_values(GUIDE)[0]
    assert (clip[:2] == values[2]).all() and (clip[2] == values[4]).all()


@pytest.mark.parametrize("dtype", ["float32"], indirect=True)
def test_an_engine_that_takes_bytes_gets_no_float32(three_bins):
    with pytest.raises(UserError, match="the model takes uint8; set bin: uint8"):
        read_for_model(three_bins[0], GUIDE, "float32", "uint8")


@pytest.mark.parametrize("share", [0, 0.5, 1 / 3, 2])
def test_a_file_of_another_size_is_named(tmp_path, dtype, share):
    """A third of the size would pass for a batch in ais_bench."""
    path = tmp_path / "x.bin"
    right = {"float32": 14_450_688, "uint8": 3_612_672}[dtype]
    size = int(share * right)
    with open(path, "wb") as file:
        file.truncate(size)
    with pytest.raises(UserError, match=rf"x\.bin: {size} bytes, expected {right}"):
        read_bin(path, GUIDE, dtype)


def test_the_values_are_not_taken_for_each_other(three_bins, dtype):
    other = {"float32": "uint8", "uint8": "float32"}[dtype]
    with pytest.raises(UserError, match="bytes, expected"):
        read_bin(three_bins[0], GUIDE, other)


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"side": 448, "short_side": 448}, {"float32": 57_802_752, "uint8": 14_450_688}),
        ({"crops": "centre"}, {"float32": 4_816_896, "uint8": 1_204_224}),
        ({"sampling": Sampling("mmaction2-0.x", 96, 4, 1)}, {"float32": 173_408_256}),
        ({"sampling": Sampling("mmaction2-0.x", 8, 8, 10)}, {"float32": 144_506_880}),
    ],
)
def test_a_file_of_another_recipes_size_is_refused(three_bins, change, expected):
    """Only the size can tell: uint8 of side 448 has the bytes of float32 of side 224."""
    other = replace(GUIDE, **change)
    for other_dtype, size in expected.items():
        if size != three_bins[0].stat().st_size:
            with pytest.raises(
                UserError, match=rf"expected {size}; delete {three_bins[0].parent} and run again"
            ):
                read_bin(three_bins[0], other, other_dtype)


def test_a_clip_has_its_recipes_shape(tmp_path):
    other = replace(GUIDE, sampling=Sampling("mmaction2-1.x", 2, 8, 5), side=32, short_side=32)
    clip = np.random.default_rng(0).random((15, 3, 2, 32, 32), np.float32)
    write_bin(clip, tmp_path / "x.bin")
    assert np.array_equal(read_bin(tmp_path / "x.bin", other, "float32"), clip)


def test_a_full_disk_leaves_no_part_of_a_bin(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match=r"x\.bin"):
        write_bin(np.zeros(3, np.uint8), tmp_path / "x.bin")
    assert not list(tmp_path.iterdir())


def test_what_is_written_is_read(tmp_path, dtype):
    clip = np.random.default_rng(0).integers(0, 256, (3, 3, 8, 224, 224)).astype(dtype)
    write_bin(clip, tmp_path / "x.bin")
    found = read_for_model(tmp_path / "x.bin", GUIDE, dtype, dtype)
    assert found.dtype == clip.dtype and np.array_equal(found, clip)


def test_what_a_batch_lacks_is_zeros():
    clips = [np.full((3, 2), number, np.uint8) for number in (7, 8)]
    expected = [[[7] * 2] * 3, [[8] * 2] * 3, [[0] * 2] * 3]
    for given in (clips, np.stack(clips)):
        found = fill_batch(given, 3)
        assert found.dtype == np.uint8 and found.tolist() == expected
    assert fill_batch(clips, 2).tolist() == expected[:2]


def test_more_clips_than_the_batch_are_refused():
    with pytest.raises(ValueError):
        fill_batch([np.zeros((3, 2))] * 3, 2)


def spoilt(data):
    """Of the right size, but zeroed, torn, or with one bit flipped; and of another size."""
    half = len(data) // 2
    flipped = bytearray(data)
    flipped[half] ^= 1
    swapped = data[half:] + data[:half]
    return [bytes(len(data)), data[:half] + bytes(half), flipped, swapped, data[:half], b""]


def test_a_file_that_has_changed_is_refused(tmp_path, dtype):
    clip = np.random.default_rng(0).integers(0, 256, GUIDE.shape).astype(dtype)
    path = tmp_path / "bins/x.bin"
    write_bin(clip, path)
    for data in spoilt(path.read_bytes()):
        path.write_bytes(data)
        with pytest.raises(UserError, match=rf"x\.bin: .*; delete {path.parent} and run again"):
            read_bin(path, GUIDE, dtype)


def test_a_file_of_unknown_origin_is_refused(tmp_path):
    clip = np.zeros(GUIDE.shape, np.uint8)
    clip.tofile(tmp_path / "x.bin")
    with pytest.raises(UserError, match=r"x\.bin: not as it was written"):
        read_bin(tmp_path / "x.bin", GUIDE, "uint8")


def test_a_file_that_has_gone_is_named(tmp_path):
    for name in "abc":
        write_bin(np.zeros(3, np.uint8), tmp_path / f"{name}.bin")
    assert [path.stem for path in bin_files(tmp_path)] == ["a", "b", "c"]
    (tmp_path / "b.bin").unlink()
    with pytest.raises(UserError, match=rf"b\.bin: missing; delete {tmp_path} and run again"):
        bin_files(tmp_path)


def test_the_digest_does_not_depend_on_the_layout_in_memory(tmp_path):
    clip = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    write_bin(clip.transpose(2, 0, 1), tmp_path / "x.bin")
    assert (tmp_path / "x.bin").read_bytes() == clip.transpose(2, 0, 1).tobytes()
    refuse_changed(tmp_path / "x.bin", (tmp_path / "x.bin").read_bytes())
