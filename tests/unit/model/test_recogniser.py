"""Checkpoints are data, fit or are refused; the model's logits are those of the guide's stack."""

import json
import os
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import ROOT

from tsf.data.make_clip import clip_from_video
from tsf.errors import UserError
from tsf.model.recogniser import (
    build_recogniser,
    load_weights,
    recogniser_from_config,
    reference_logits,
)

CONFIG = str(ROOT / "models/tsf_sample.py")
GOLDEN = ROOT / "tests/golden/logits.json"


def refusal(call, *arguments):
    with pytest.raises(UserError) as fault:
        call(*arguments)
    assert "\n" not in str(fault.value)
    return str(fault.value)


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_state_dict_is_found_wrapped_or_bare(tmp_path, prefix, wrapped):
    weights = {f"{prefix}cls_head.fc_cls.bias": torch.arange(8.0)}
    content = {"meta": {"epoch": 15}, "state_dict": weights} if wrapped else weights
    torch.save(content, tmp_path / "x.pth")
    found = load_weights(tmp_path / "x.pth")
    assert list(found) == ["cls_head.fc_cls.bias"]
    assert torch.equal(found["cls_head.fc_cls.bias"], torch.arange(8.0))


class RunsCode:
    """Unpickling it runs a command."""

    def __reduce__(self):
        return os.system, ("touch ran",)


@pytest.mark.parametrize("new_format", [True, False])
def test_code_in_a_checkpoint_does_not_run(tmp_path, monkeypatch, new_format):
    monkeypatch.chdir(tmp_path)
    content = {"state_dict": {"a": torch.zeros(1)}, "meta": RunsCode()}
    torch.save(content, "x.pth", _use_new_zipfile_serialization=new_format)
    message = refusal(load_weights, Path("x.pth"))
    assert message.startswith("x.pth: not a checkpoint that PyTorch can load")
    assert not Path("ran").exists()
    # the file is as harmful as this test means it to be
    torch.load("x.pth", weights_only=False)
    assert Path("ran").exists()


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
        lambda data: pickle.dumps("text", protocol=2),
        lambda data: b"\x80\x02}q\x00.",
    ],
)
def test_a_damaged_checkpoint_is_one_line(tmp_path, spoil):
    path = tmp_path / "x.pth"
    path.write_bytes(spoil(whole(path)))
    assert refusal(load_weights, path).startswith(f"{path}: ")


@pytest.mark.parametrize(
    "content",
    [{}, [torch.zeros(1)], {"state_dict": {}}, {"state_dict": {"a": 1}}, {"epoch": 3}, 7],
)
def test_anything_but_a_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "x.pth")
    assert "no state dict" in refusal(load_weights, tmp_path / "x.pth")


def test_a_missing_checkpoint_is_named(tmp_path):
    message = refusal(load_weights, tmp_path / "x.pth")
    assert message.startswith(f"{tmp_path / 'x.pth'}: no such checkpoint")


# ---- with mmaction2's own model ----


@pytest.fixture(scope="module")
def recogniser(mmaction2):
    return recogniser_from_config(mmaction2, CONFIG)


def drop(weights):
    del weights["cls_head.fc_cls.bias"]


def add(weights):
    weights["backbone.extra"] = torch.zeros(1)


def resize(weights):
    weights["cls_head.fc_cls.weight"] = torch.zeros(400, 96)


@pytest.mark.parametrize("spoil", [drop, add, resize])
def test_weights_that_do_not_fit_are_refused(mmaction2, recogniser, tmp_path, spoil):
    weights = dict(recogniser.state_dict())
    spoil(weights)
    torch.save({"state_dict": weights}, tmp_path / "x.pth")
    message = refusal(build_recogniser, mmaction2, CONFIG, tmp_path / "x.pth")
    assert message.startswith(f"{tmp_path / 'x.pth'}: does not fit {CONFIG}")
    name = {drop: "fc_cls.bias", add: "backbone.extra", resize: "fc_cls.weight"}[spoil]
    assert name in message


def test_an_unknown_config_lists_the_known_ones(mmaction2):
    message = refusal(recogniser_from_config, mmaction2, "timesformer_divST")
    assert "timesformer_divST_8x32x1_15e_kinetics400_rgb" in message
    assert "timesformer_jointST_8x32x1_15e_kinetics400_rgb" in message


def golden_weights(parameters):
    """The formula that golden/logits.json names."""
    weights = {}
    for name, shape in parameters.items():
        random = np.random.RandomState(zlib.crc32(name.encode()))
        values = random.standard_normal(tuple(shape)) * 0.1
        if name.endswith("weight") and len(shape) == 1:
            values += 1
        weights[name] = torch.from_numpy(values.astype(np.float32))
    return weights


def test_logits_are_those_of_the_guides_stack(recogniser, streams):
    """The same weights and the same input, in torch 1.7.1 there and today's torch here."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    recogniser.load_state_dict(golden_weights(golden["parameters"]))
    for name in ("plain", "portrait"):
        _, clip = clip_from_video(streams[name], "mmaction2-0.x")
        expected = golden["clips"][streams[name].stem]
        found = reference_logits(recogniser, torch.from_numpy(clip)[None]).numpy()
        assert found.shape == (3, 8)
        assert np.abs(found - expected["logits_float64"]).max() < 1e-4
        # views and classes are told apart by more than that
        assert np.ptp(expected["logits_float64"], axis=0).max() > 1e-2
