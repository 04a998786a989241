"""The entries of `engines` in the config: their names, their models' files, what none can do."""

import argparse
from itertools import product

import pytest

from tsf.engines.setup import (
    DEFAULTS,
    PRECISIONS,
    Setup,
    add_setup_arguments,
    load_engine,
    parse_engines,
    setup_from_arguments,
)
from tsf.errors import UserError


def parse(*entries, bins="float32"):
    return parse_engines(list(entries), bins)


@pytest.mark.parametrize(
    "entry, name, file",
    [
        ({"engine": "onnxruntime"}, "onnxruntime", "tsf_sim.onnx"),
        (
            {"engine": "onnxruntime", "model": "tsf_opt", "device": "cuda"},
            "onnxruntime_tsf_opt_cuda",
            "tsf_opt.onnx",
        ),
        ({"engine": "openvino", "precision": "bf16"}, "openvino_bf16", "tsf_sim.onnx"),
        (
            {"engine": "openvino", "model": "tsf_opt", "precision": "int8_bf16", "batch": 4},
            "openvino_tsf_opt_int8_bf16_bs4",
            "tsf_opt_int8.xml",
        ),
        ({"engine": "torch", "batch": 2}, "torch_bs2", "tsf_bs2.pt2"),
        ({"engine": "torch", "precision": "fp16", "device": "cuda"}, "torch_fp16_cuda", "tsf.pt2"),
    ],
)
def test_a_setup_has_a_name_and_a_file(entry, name, file):
    (setup,) = parse(entry)
    assert (setup.name, setup.file) == (name, file)


def test_the_names_of_different_setups_differ():
    choices = product(PRECISIONS["openvino"], (1, 2), ("tsf_opt", "tsf_opt_u8"))
    entries = [
        {"engine": "openvino", "precision": precision, "batch": batch, "model": model}
        for precision, batch, model in choices
    ]
    assert len({setup.name for setup in parse(*entries, bins="uint8")}) == 16


def test_a_command_line_says_the_same():
    parser = argparse.ArgumentParser()
    add_setup_arguments(parser)
    setup = Setup("openvino", "tsf_sim", "int8", batch=3)
    assert setup_from_arguments(parser.parse_args(setup.options.split())) == setup
    assert setup_from_arguments(parser.parse_args([])) == DEFAULTS["onnxruntime"]


def test_a_model_of_bytes_wants_bytes():
    entry = {"engine": "onnxruntime", "model": "tsf_opt_u8"}
    assert parse(entry, bins="uint8")[0].file == "tsf_opt_u8.onnx"
    with pytest.raises(UserError, match="set bin to uint8"):
        parse(entry)


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
    with pytest.raises(UserError, match="cannot start it, and would run on CPUExecutionProvider"):
        load_engine(setup, tmp_path / "x.onnx", 1)


def test_torch_without_a_gpu_is_one_line(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    setup = Setup("torch", "tsf", "fp16", device="cuda")
    with pytest.raises(UserError, match="sees no GPU") as fault:
        load_engine(setup, tmp_path / "x.pt2", 1)
    assert "\n" not in str(fault.value)
