"""Both layouts of the published model's size against mmaction2's: logits and operations."""

import numpy as np
import pytest
import torch
from timesformers import FULL

from tsf.engines.engine import load_engine
from tsf.engines.setup import DEFAULTS
from tsf.model import export_npu, export_optimised, npu, optimised
from tsf.model.load import load
from tsf.model.macs import macs
from tsf.model.recogniser import build_recogniser, empty_recogniser, reference_logits
from tsf.model.rewrites import layout_costs, plain_macs, savings
from tsf.recipe.record import to_json
from tsf.sample.random_weights import random_weights

pytestmark = pytest.mark.slow  # 121 million weights: a minute and a half

# by formulas that test_rewrites and test_optimised hold against the graphs of small models
OPTIMISED_MACS = 3 * (plain_macs(FULL) - sum(saving.macs for saving in savings(FULL, 3)))
NPU_MACS = OPTIMISED_MACS + 3 * sum(cost.macs for cost in layout_costs(FULL))


@pytest.fixture(scope="module")
def checkpoint(mmaction2, folder):
    shapes = {k: v.shape for k, v in empty_recogniser(mmaction2, FULL).state_dict().items()}
    torch.save({"state_dict": random_weights(shapes, 0)}, folder / "full.pth")
    return folder / "full.pth"


@pytest.fixture(scope="module")
def reference(mmaction2, checkpoint, clips, recipe):
    """mmaction2's logits of three views in float32, of the first in float64; and the weights."""
    recogniser = build_recogniser(mmaction2, load(checkpoint, None, recipe, 400))
    logits = reference_logits(recogniser, clips[:1]).numpy()
    exact = reference_logits(recogniser.double(), clips[:1, :1].double())
    return logits, exact, recogniser.state_dict()


@pytest.mark.parametrize(
    ("exporter", "model", "expected_macs", "in_float32", "in_float64"),
    [
        (export_optimised, optimised.OptimisedTimeSformer, OPTIMISED_MACS, 1e-4, 1e-10),
        (export_npu, npu.NpuTimeSformer, NPU_MACS, 1e-5, 1e-12),
    ],
    ids=["tsf_opt", "tsf_npu"],
)
def test_logits_and_operations(
    mmaction2, checkpoint, reference, clips, recipe, folder, monkeypatch,
    exporter, model, expected_macs, in_float32, in_float64,
):  # fmt: skip
    path = folder / "full.onnx"
    options = ["--mmaction2", mmaction2, "--checkpoint", checkpoint, "--classes", 400]
    options += ["--recipe", to_json(recipe), "--output", path]
    monkeypatch.setattr("sys.argv", ["tsf", *map(str, options)])
    exporter.main()
    assert macs(path) == expected_macs
    logits, exact, weights = reference
    found = load_engine(DEFAULTS["onnxruntime"], path, threads=2).run(clips[:1].numpy())
    assert found.shape == (3, 400) and np.ptp(logits) > 1
    assert np.abs(found - logits).max() <= in_float32
    with torch.inference_mode():
        difference = model(FULL, weights)(clips[:1, :1].double()) - exact
    assert difference.abs().max() <= in_float64
