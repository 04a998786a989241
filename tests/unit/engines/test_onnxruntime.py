"""ONNX Runtime runs on the device that is asked for, or on none."""

import pytest

from tsf.engines.engine import load_engine
from tsf.engines.setup import Setup
from tsf.errors import UserError


@pytest.mark.parametrize("device", ["cuda", "cann", "tpu"])
def test_a_device_that_is_not_here_is_one_line(device, tmp_path):
    setup = Setup("onnxruntime", "tsf_sim", "f32", device=device)
    with pytest.raises(UserError, match=f"has no device '{device}', but .*cpu") as fault:
        load_engine(setup, tmp_path / "no.onnx", 1)
    assert "\n" not in str(fault.value)


def test_a_provider_that_does_not_start_is_not_replaced_by_the_cpu(monkeypatch, tmp_path):
    """As ONNX Runtime does where a provider's libraries are missing."""
    import onnxruntime

    class OnTheCpu:
        def __init__(self, model, options, providers):
            assert providers == ["CUDAExecutionProvider", "CPUExecutionProvider"]

        def get_providers(self):
            return ["CPUExecutionProvider"]

    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)
    monkeypatch.setattr(onnxruntime, "InferenceSession", OnTheCpu)
    setup = Setup("onnxruntime", "tsf_sim", "f32", device="cuda")
    with pytest.raises(UserError, match="and would run on CPUExecutionProvider"):
        load_engine(setup, tmp_path / "x.onnx", 1)
