"""What is the same in every exported model's file."""

from pathlib import Path

import onnx


def check_form(path: Path, simplified: Path) -> None:
    """One file, at opset 11, with the ends of mmaction2's own model."""
    found, expected = (onnx.load(p, load_external_data=False) for p in (path, simplified))
    assert [(o.domain, o.version) for o in found.opset_import] == [("", 11)]
    assert not any(t.data_location == onnx.TensorProto.EXTERNAL for t in found.graph.initializer)
    assert found.graph.input == expected.graph.input
    assert found.graph.output == expected.graph.output


def without_ends(path: Path) -> onnx.GraphProto:
    """The graph without what tells the batch."""
    graph = onnx.load(path).graph
    del graph.input[:], graph.output[:], graph.value_info[:]
    return graph
