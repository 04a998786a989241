"""A model that was cut short or overwritten is told in one line."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tsf.errors import UserError
from tsf.model.onnx_file import read_onnx
from tsf.model.simplify import simplify


@pytest.fixture
def model(tmp_path):
    weight = numpy_helper.from_array(np.ones((10, 10), np.float32), "w")
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 10]) for n in "xy"]
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "g", tensors[:1], tensors[1:], [weight])
    onnx.save(helper.make_model(graph), tmp_path / "tsf.onnx")
    return tmp_path / "tsf.onnx"


def test_a_whole_model_is_read(model):
    assert [node.op_type for node in read_onnx(model).graph.node] == ["MatMul"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: b"",
        lambda content: b"\n\n<html>\n",
        lambda content: bytes(len(content)),
        lambda content: b"\xff" * 100,
    ],
)
@pytest.mark.parametrize("read", [read_onnx, lambda path: simplify(path, path)])
def test_a_spoilt_model_is_one_line(model, spoil, read):
    model.write_bytes(spoil(model.read_bytes()))
    with pytest.raises(UserError) as fault:
        read(model)
    message = str(fault.value)
    assert message.startswith(f"{model}: ") and message.endswith("; delete it and run again")
    assert "\n" not in message
