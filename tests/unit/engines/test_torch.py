"""PyTorch as an engine gives mmaction2's logits, in the precision that is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS, Setup
from tsf.errors import UserError
from tsf.model import export_torch
from tsf.model.recogniser import reference_logits

ONNXRUNTIME, OPENVINO, TORCH = (DEFAULTS[name] for name in ("onnxruntime", "openvino", "torch"))


@pytest.fixture(scope="session")
def tsf_pt2(recogniser, recipe, folder):
    export_torch.export(recogniser, (1, *recipe.shape), folder / "tsf.pt2")
    return folder / "tsf.pt2"


def test_torch_gives_mmaction2s_logits(recogniser, tsf_pt2, clips):
    engine = load_engine(TORCH, tsf_pt2, 2)
    assert engine.batch == 1 and "PyTorch" in engine.device
    found = engine.run(clips[:1].numpy())
    assert found.dtype == np.float32
    assert np.abs(found - reference_logits(recogniser, clips[:1]).numpy()).max() <= 1e-5


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_torch_in_half_precision_is_near_and_not_the_same(recogniser, tsf_pt2, clips, precision):
    found = load_engine(replace(TORCH, precision=precision), tsf_pt2, 2).run(clips[:1].numpy())
    expected = reference_logits(recogniser, clips[:1]).numpy()
    assert found.dtype == np.float32
    assert 1e-6 < np.linalg.norm(found - expected) / np.linalg.norm(expected) < 0.02


def test_torch_without_a_gpu_is_one_line(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    setup = Setup("torch", "tsf", "fp16", device="cuda")
    with pytest.raises(UserError, match="sees no GPU") as fault:
        load_engine(setup, tmp_path / "x.pt2", 1)
    assert "\n" not in str(fault.value)
