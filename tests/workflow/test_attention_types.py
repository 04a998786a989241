"""mmaction2's three attention types: random weights, export, simplification, against PyTorch."""

import numpy as np
import onnx
import pytest
import torch

from tsf.data.make_clip import clip_from_video
from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS
from tsf.model import checkpoints, export, simplify
from tsf.model.recogniser import CONFIGS, build_recogniser, recogniser_from_config, reference_logits
from tsf.sample.random_weights import random_weights

SMALL = {"embed_dims": 96, "num_heads": 4, "num_transformer_layers": 2, "patch_size": 32}


@pytest.fixture
def clip(real_clips):
    """(1, 3, 3, 8, 224, 224) float32 of the real clip of bikes."""
    path = next(path for name, path in real_clips.items() if "bikes" in name)
    return clip_from_video(path, "mmaction2-0.x")[1][np.newaxis]


def small(mmaction2, name, folder):
    """A narrow and shallow copy of one of mmaction2's configs, everything else as it is."""
    from mmcv import Config

    settings = Config.fromfile(str(mmaction2 / CONFIGS / f"{name}.py"))
    settings.model.backbone.update(SMALL)
    settings.model.cls_head.in_channels = SMALL["embed_dims"]
    path = folder / "small.py"
    path.write_text(f"model = {settings.model.to_dict()!r}\n")
    return str(path)


def check(mmaction2, config, folder, clip):
    empty = recogniser_from_config(mmaction2, config)
    shapes = {name: value.shape for name, value in empty.state_dict().items()}
    torch.save({"state_dict": random_weights(shapes, 7)}, folder / "random.pth")
    recogniser = build_recogniser(mmaction2, config, folder / "random.pth")
    expected = reference_logits(recogniser, torch.from_numpy(clip)).numpy()
    assert expected.shape == (3, 400) and np.ptp(expected) > 0.1

    export.export(mmaction2, recogniser, 1, folder / "tsf.onnx")
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
    check(mmaction2, small(mmaction2, name, tmp_path), tmp_path, clip)


@pytest.mark.slow
@pytest.mark.parametrize("name", checkpoints.DIGITS)
def test_full_size(mmaction2, name, tmp_path, clip):
    check(mmaction2, name, tmp_path, clip)
    for path in tmp_path.iterdir():
        path.unlink()  # half a gigabyte each
