"""Counted multiply-adds against hand counts."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tsf.model.macs import macs


def save(path, nodes, inputs, output, weights):
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(np.zeros(s, np.float32), n) for n, s in weights.items()],
    )
    opset = helper.make_opsetid("", 11)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path


@pytest.mark.parametrize(
    ("node", "inputs", "output", "weights", "expected"),
    [
        # 2 * 3 results of 4 products to 5 columns
        (
            helper.make_node("MatMul", ["x", "w"], ["y"]),
            {"x": [2, 3, 4]},
            [2, 3, 5],
            {"w": [4, 5]},
            2 * 3 * 5 * 4,
        ),
        (
            helper.make_node("MatMul", ["x", "z"], ["y"]),
            {"x": [6, 7, 8], "z": [6, 8, 9]},
            [6, 7, 9],
            {},
            6 * 7 * 9 * 8,
        ),
        (
            helper.make_node("Gemm", ["x", "w"], ["y"], transB=1),
            {"x": [2, 4]},
            [2, 5],
            {"w": [5, 4]},
            2 * 5 * 4,
        ),
        (
            helper.make_node("Gemm", ["x", "w"], ["y"], transA=1),
            {"x": [4, 2]},
            [2, 5],
            {"w": [4, 5]},
            2 * 5 * 4,
        ),
        # TimeSformer's patches: 16 x 16 of 3 colours to 768, 14 x 14 of them
        (
            helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[16, 16], strides=[16, 16]),
            {"x": [1, 3, 224, 224]},
            [1, 768, 14, 14],
            {"w": [768, 3, 16, 16]},
            768 * 14 * 14 * 3 * 16 * 16,
        ),
        # grouped: each result sees one of the two channels
        (
            helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], group=2),
            {"x": [1, 2, 5, 5]},
            [1, 4, 3, 3],
            {"w": [4, 1, 3, 3]},
            4 * 9 * 9,
        ),
        (helper.make_node("Relu", ["x"], ["y"]), {"x": [2, 3]}, [2, 3], {}, 0),
    ],
)
def test_one_node(tmp_path, node, inputs, output, weights, expected):
    assert macs(save(tmp_path / "model.onnx", [node], inputs, output, weights)) == expected


def test_shapes_between_nodes_are_inferred(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("MatMul", ["h", "v"], ["y"]),
    ]
    model = save(tmp_path / "model.onnx", nodes, {"x": [2, 3]}, [2, 5], {"w": [3, 4], "v": [4, 5]})
    assert macs(model) == 2 * 3 * 4 + 2 * 4 * 5


def test_shapes_that_the_graph_computes_are_not_guessed(tmp_path):
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["h"]),
        helper.make_node("MatMul", ["h", "w"], ["y"]),
    ]
    inputs = {"x": [2, 3], "shape": [2]}
    assert macs(save(tmp_path / "model.onnx", nodes, inputs, ["a", 4], {"w": [3, 4]})) is None


def test_an_axis_of_unknown_length_is_not_counted_as_none(tmp_path):
    """Behind a Pad whose amounts are computed the shape has its axes, but not their lengths."""
    nodes = [
        helper.make_node("Add", ["amounts", "amounts"], ["pads"]),
        helper.make_node("Cast", ["pads"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Pad", ["x", "whole"], ["filled"]),
        helper.make_node("MatMul", ["filled", "w"], ["y"]),
    ]
    weights = {"w": [4, 5], "amounts": [4]}
    path = save(tmp_path / "m.onnx", nodes, {"x": [3, 4]}, ["rows", 5], weights)
    assert macs(path) is None
