"""mmaction2's recogniser gives the logits of the guide's stack and of Hugging Face's own class."""

import hashlib
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from runs import ROOT
from safetensors.torch import save_file

from tsf.data.make_clip import clip_from_video
from tsf.model.load import load
from tsf.model.optimised import OptimisedTimeSformer
from tsf.model.recogniser import build_recogniser, empty_recogniser, reference_logits

GOLDEN = ROOT / "tests/golden/logits.json"
HUGGING_FACE = json.loads((ROOT / "tests/golden/huggingface.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recogniser(mmaction2, shape):
    return empty_recogniser(mmaction2, shape)


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


def test_logits_are_those_of_the_guides_stack(recogniser, streams, recipe):
    """The same weights and the same input, in torch 1.7.1 there and today's torch here."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    recogniser.load_state_dict(golden_weights(golden["parameters"]))
    for name in ("plain", "portrait"):
        _, clip = clip_from_video(streams[name], recipe)
        expected = golden["clips"][streams[name].stem]
        found = reference_logits(recogniser, torch.from_numpy(clip)[None]).numpy()
        assert found.shape == (3, 8)
        assert np.abs(found - expected["logits_float64"]).max() < 1e-4
        # views and classes are told apart by more than that
        assert np.ptp(expected["logits_float64"], axis=0).max() > 1e-2


# ---- Hugging Face's ----


def golden_huggingface(name):
    """The weights, the input and the logits of a case of golden/huggingface.json."""
    golden = HUGGING_FACE["cases"][name]
    weights = golden_weights(golden["parameters"])
    assert sha256(weights.values()) == golden["parameters_sha256"]
    config = golden["config"]
    side, random = config["image_size"], np.random.RandomState(zlib.crc32(name.encode()))
    clip = random.standard_normal((1, config["num_frames"], 3, side, side)).astype(np.float32)
    clip = torch.from_numpy(clip)  # (1, T, 3, y, x)
    assert sha256([clip]) == golden["input_sha256"]
    return config, weights, clip, torch.tensor(golden["logits"], dtype=torch.float64)


def sha256(tensors):
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


@pytest.mark.parametrize("name", HUGGING_FACE["cases"])
def test_logits_are_those_of_hugging_faces_class(mmaction2, recipe, tmp_path, name):
    config, weights, clip, expected = golden_huggingface(name)
    save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    sampling = replace(recipe.sampling, clip_len=config["num_frames"])
    recipe = replace(recipe, sampling=sampling, side=config["image_size"])
    model = load(tmp_path, None, recipe, len(config["id2label"]))
    view = clip.transpose(1, 2)[None].double()  # (1, 1, 3, T, y, x)
    found = reference_logits(build_recogniser(mmaction2, model).double(), view)[0]
    assert found.shape == expected.shape and expected.std() > 0.1
    assert (found - expected).abs().max() <= 1e-9
    single = reference_logits(build_recogniser(mmaction2, model), view.float())[0]
    assert (single - expected).abs().max() <= 1e-5
    if name != "joint":
        with torch.inference_mode():
            exact = OptimisedTimeSformer(model.architecture, model.weights)(view)[0]
        assert (exact - expected).abs().max() <= 1e-9
