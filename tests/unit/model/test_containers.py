"""Checkpoints are data: opened whatever wrote them, and refused in one line."""

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import refusals
import torch
from safetensors.torch import save_file
from timesformers import write_mmaction2_1

from tsf.model.containers import open_checkpoint


def refusal(path):
    message = refusals.refusal(open_checkpoint, path)
    assert "weights_only" not in message and "safe_globals" not in message
    return message


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "module.model."])
@pytest.mark.parametrize("key", [None, "state_dict", "model_state", "model", "module"])
def test_a_state_dict_is_found_wrapped_or_bare(tmp_path, prefix, key):
    weights = {f"{prefix}head.bias": torch.arange(8.0)}
    torch.save({"epoch": 15, key: weights} if key else weights, tmp_path / "x.pth")
    found = open_checkpoint(tmp_path / "x.pth")
    assert list(found.weights) == ["head.bias"] and not found.notes
    assert torch.equal(found.weights["head.bias"], torch.arange(8.0))


def test_a_prefix_that_not_all_names_have_is_part_of_the_name(tmp_path):
    torch.save({"model.a": torch.zeros(1), "b": torch.zeros(1)}, tmp_path / "x.pth")
    assert set(open_checkpoint(tmp_path / "x.pth").weights) == {"model.a", "b"}


@pytest.mark.parametrize("name", ["model.safetensors", "downloaded.pth"])
def test_safetensors_by_content(tmp_path, name):
    save_file({"a": torch.arange(3.0)}, tmp_path / name)
    assert torch.equal(open_checkpoint(tmp_path / name).weights["a"], torch.arange(3.0))


def test_safetensors_whose_length_looks_like_a_pickle(tmp_path):
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(0x0280)
    content = struct.pack("<Q", len(header)) + header + struct.pack("<f", 3)
    assert content.startswith(b"\x80\x02")
    (tmp_path / "x").write_bytes(content)
    assert open_checkpoint(tmp_path / "x").weights["a"] == 3


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened_and_said(tmp_path, half):
    value = torch.tensor([0.1, -3.0]).to(half)
    torch.save({"a": value, "b": torch.ones(1)}, tmp_path / "x.pth")
    found = open_checkpoint(tmp_path / "x.pth")
    assert found.weights["a"].dtype == torch.float32
    assert torch.equal(found.weights["a"].to(half), value)
    assert found.notes == [f"{str(half)[6:]} weights, widened to float32"]


def test_the_records_of_training_are_passed_over(tmp_path):
    path = write_mmaction2_1(tmp_path, {"a": torch.arange(4.0)})
    # the file has what PyTorch refuses
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    assert torch.equal(open_checkpoint(path).weights["a"], torch.arange(4.0))
    # and what is let through here, PyTorch goes on refusing elsewhere
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)


class RunsCode:
    """Unpickling it runs a command."""

    def __reduce__(self):
        return os.system, ("touch ran",)


class GetsCode:
    """Unpickling it looks a function up, with the name that a HistoryBuffer needs, and calls it."""

    def __reduce__(self):
        return getattr(Path("ran"), "touch"), ()  # noqa: B009


@pytest.mark.parametrize("payload", [RunsCode, GetsCode])
@pytest.mark.parametrize("new_format", [True, False])
def test_code_in_a_checkpoint_does_not_run(tmp_path, monkeypatch, new_format, payload):
    monkeypatch.chdir(tmp_path)
    content = {"state_dict": {"a": torch.zeros(1)}, "meta": payload()}
    torch.save(content, "x.pth", _use_new_zipfile_serialization=new_format)
    message = refusal(Path("x.pth"))
    assert message.startswith("x.pth: not loaded, as it holds code") or "loadable" in message
    assert not Path("ran").exists()
    # the file is as harmful as this test means it to be
    torch.load("x.pth", weights_only=False)
    assert Path("ran").exists()


def test_an_unknown_object_is_named(tmp_path):
    torch.save({"state_dict": {"a": torch.zeros(1)}, "meta": Path("x")}, tmp_path / "x.pth")
    assert "pathlib" in refusal(tmp_path / "x.pth")


def whole(path):
    torch.save({"state_dict": {"a": torch.zeros(1000)}}, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:10],
        lambda data: b"",
        lambda data: b"<html>not found</html>",
        lambda data: b"Gewichte: keine\n" * 99,
        lambda data: pickle.dumps("text", protocol=2),
        lambda data: pickle.dumps({1: [2]}),
        lambda data: b"\x80\x02}q\x00.",
        lambda data: b"\x80\x02K\x01u.",  # sets items without a dict
        lambda data: b"\x80\x02X\xff\xff",  # ends amid a length
        lambda data: struct.pack("<Q", 1 << 31) + b'{"a":',
        lambda data: struct.pack("<Q", 8) + b"{}      ",  # a safetensors file of nothing
    ],
)
def test_a_damaged_checkpoint_is_one_line(tmp_path, spoil):
    path = tmp_path / "x.pth"
    path.write_bytes(spoil(whole(path)))
    assert refusal(path).startswith(f"{path}: ")


def test_a_flipped_bit_is_found(tmp_path):
    """torch.load would take it for another weight."""
    path = tmp_path / "x.pth"
    data = bytearray(whole(path))
    data[data.index(bytes(1000)) + 500] ^= 1  # among the zeros of the weights
    path.write_bytes(data)
    assert "damaged" in refusal(path)


def test_two_models_in_a_file_are_refused(tmp_path):
    weights = {"a": torch.zeros(1)}
    torch.save({"state_dict": weights, "model_state": weights}, tmp_path / "x.pth")
    assert "several models, state_dict, model_state" in refusal(tmp_path / "x.pth")


def test_a_truncated_safetensors_file_is_one_line(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(path).startswith(f"{path}: not a whole safetensors file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "but dict"),
        ([torch.zeros(1)], "but list"),
        (7, "but int"),
        ({"state_dict": {}}, "no state dict"),
        ({"state_dict": {"a": 1}}, "'a' is int"),
        ({"state_dict": {"a": np.zeros(2)}}, "'a' is Record"),
        ({"state_dict": {3: torch.zeros(1)}}, "3 is Tensor"),
        ({"epoch": 3}, "'epoch' is int"),
        ({"a": torch.zeros(1, dtype=torch.int64)}, "a is strided int64"),
        ({"a": torch.zeros(1, dtype=torch.float64)}, "a is strided float64"),
        ({"a": torch.eye(3).to_sparse()}, "a is sparse_coo float32"),
        ({"a": torch.tensor([1.0, float("nan")])}, "a holds values that are not finite"),
        ({"a": torch.tensor([float("inf")]).half()}, "a holds values that are not finite"),
    ],
)
def test_anything_but_weights_by_name_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "x.pth")
    assert message in refusal(tmp_path / "x.pth")


def test_a_missing_checkpoint_is_named(tmp_path):
    message = refusal(tmp_path / "x.pth")
    assert message.startswith(f"{tmp_path / 'x.pth'}: no such checkpoint")


# ---- Hugging Face's folders ----


def test_safetensors_come_before_a_pickle(tmp_path):
    save_file({"a": torch.ones(1)}, tmp_path / "model.safetensors")
    torch.save({"a": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    assert open_checkpoint(tmp_path).weights["a"] == 1
    (tmp_path / "model.safetensors").unlink()
    assert open_checkpoint(tmp_path).weights["a"] == 0


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_sharded_checkpoint_is_refused_by_its_index(tmp_path, name):
    index = tmp_path / f"{name}.index.json"
    index.write_text('{"weight_map": {}}')
    for path in (tmp_path, index):
        assert refusal(path).startswith(f"{index}: ") and "one file" in refusal(path)


def test_a_folder_without_weights_says_what_was_looked_for(tmp_path):
    message = refusal(tmp_path)
    assert "model.safetensors" in message and "pytorch_model.bin" in message
