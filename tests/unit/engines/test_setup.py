"""The entries of `engines` in the config: their names, their models' files, what none can do."""

from itertools import product

import pytest

from tsf.engines.setup import PRECISIONS, parse_engines
from tsf.errors import UserError


def parse(*entries, dtype="float32"):
    return parse_engines(list(entries), dtype)


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


@pytest.mark.parametrize(
    ("device", "opened"), [("cpu", None), ("cuda", "gpu"), ("rocm", "gpu"), ("cann", "npu")]
)
def test_what_an_engine_opens(device, opened):
    (setup,) = parse({"engine": "onnxruntime", "device": device})
    assert setup.accelerator == opened


def test_the_names_of_different_setups_differ():
    choices = product(PRECISIONS["openvino"], (1, 2), ("tsf_opt", "tsf_opt_u8"))
    entries = [
        {"engine": "openvino", "precision": precision, "batch": batch, "model": model}
        for precision, batch, model in choices
    ]
    assert len({setup.name for setup in parse(*entries, dtype="uint8")}) == 20


def test_a_model_of_bytes_wants_bytes():
    entry = {"engine": "onnxruntime", "model": "tsf_opt_u8"}
    assert parse(entry, dtype="uint8")[0].file == "tsf_opt_u8.onnx"
    with pytest.raises(UserError, match="set bin: uint8"):
        parse(entry)
    entry["model"] = "tsf_npu_u8"
    assert parse(entry, dtype="uint8")[0].file == "tsf_npu_u8.onnx"
    with pytest.raises(UserError, match=r"set bin: uint8, or use tsf_npu$"):
        parse(entry)
