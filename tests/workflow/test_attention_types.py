"""mmaction2's three attention types: random weights, export, simplification, against PyTorch."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from recipes import GUIDE
from timesformers import recipe_for

from tsf.data.make_clip import clip_from_video
from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS
from tsf.model import checkpoints, export, simplify
from tsf.model.load import load
from tsf.model.recogniser import build_recogniser, empty_recogniser, reference_logits
from tsf.model.settings_argument import read_settings
from tsf.sample.random_weights import random_weights

SMALL = {"width": 96, "heads": 4, "blocks": 2, "patch": 32}


@pytest.fixture
def clip(real_clips):
    """(1, 3, 3, 8, 224, 224) float32 of the real clip of bikes."""
    path = next(path for name, path in real_clips.items() if "bikes" in name)
    return clip_from_video(path, GUIDE)[1][np.newaxis]


def check(mmaction2, architecture, folder, clip):
    empty = empty_recogniser(mmaction2, architecture)
    shapes = {name: value.shape for name, value in empty.state_dict().items()}
    torch.save({"state_dict": random_weights(shapes, 7)}, folder / "random.pth")
    model = load(folder / "random.pth", architecture, recipe_for(architecture), 400)
    recogniser = build_recogniser(mmaction2, model)
    expected = reference_logits(recogniser, torch.from_numpy(clip)).numpy()
    assert expected.shape == (3, 400) and np.ptp(expected) > 0.1

    export.export(mmaction2, recogniser, clip.shape, folder / "tsf.onnx")
    simplify.simplify(folder / "tsf.onnx", folder / "tsf_sim.onnx")
    for path in (folder / "tsf.onnx", folder / "tsf_sim.onnx"):
        found = load_engine(DEFAULTS["onnxruntime"], path, 2).run(clip)
        assert np.abs(found - expected).max() <= 1e-4
        graph = onnx.load(path, load_external_data=False)
        assert graph.opset_import[0].version == 11
        assert [value.name for value in graph.graph.input] == ["imgs"]
        assert [value.name for value in graph.graph.output] == ["result"]


@pytest.mark.parametrize("name", checkpoints.DIGITS)
def test_small(mmaction2, name, tmp_path, clip):
    architecture = replace(read_settings(name, mmaction2), **SMALL)
    check(mmaction2, architecture, tmp_path, clip)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in checkpoints.DIGITS if "divST" not in name])
def test_full_width(mmaction2, name, tmp_path, clip):
    """With three blocks of the twelve; test_real_clips.py has all, of the divided attention."""
    check(mmaction2, replace(read_settings(name, mmaction2), blocks=3), tmp_path, clip)
    for path in tmp_path.iterdir():
        path.unlink()  # hundreds of megabytes
