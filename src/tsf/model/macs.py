"""Count the multiply-adds of an ONNX model with fixed shapes."""

import math
from pathlib import Path

import onnx

from tsf.model.onnx_file import read_onnx


def macs(path: Path) -> int | None:
    """Multiply-adds of one run: those of its MatMul, Gemm and Conv nodes.

    None if shapes are computed in the graph, as in a model that was not simplified.
    """
    graph = onnx.shape_inference.infer_shapes(read_onnx(path), data_prop=True).graph
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    counted = [node for node in graph.node if node.op_type in ("MatMul", "Gemm", "Conv")]
    used = [shapes.get(n) for node in counted for n in (*node.input[:2], *node.output)]
    if any(not shape or 0 in shape for shape in used):  # 0: an axis of unknown length
        return None
    return sum(_node_macs(node, shapes) for node in counted)


def _node_macs(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> int:
    result = math.prod(shapes[node.output[0]])
    if node.op_type == "Conv":
        return result * math.prod(shapes[node.input[1]][1:])  # weight: (out, in / groups, ...)
    first = shapes[node.input[0]]
    transposed = any(a.name == "transA" and a.i for a in node.attribute)
    return result * (first[0] if transposed else first[-1])
