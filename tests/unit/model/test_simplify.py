"""Simplification gives one file, or leaves the model as it is and says why."""

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tsf.files import read_json
from tsf.model import simplify


def model(opset=11, name="result"):
    """result = imgs * (1 + 1), with a constant to fold and 40 kB of weights."""
    weights = np.ones((100, 100), np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["w", "w"], ["two"]),
            helper.make_node("MatMul", ["imgs", "two"], [name]),
        ],
        "g",
        [helper.make_tensor_value_info("imgs", TensorProto.FLOAT, [1, 100])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 100])],
        [numpy_helper.from_array(weights, "w")],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=7)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The step's command line, in a fresh folder; gives the status that it wrote."""
    monkeypatch.chdir(tmp_path)
    onnx.save(model(), "tsf.onnx")

    def run():
        line = "x --model tsf.onnx --output tsf_sim.onnx --status tsf_sim.json"
        monkeypatch.setattr(sys, "argv", line.split())
        simplify.main()
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
            "tsf.onnx",
            "tsf_sim.json",
            "tsf_sim.onnx",
        ]
        return read_json(tmp_path / "tsf_sim.json")

    return run


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts a program in the place of onnxsim; its body may use `source`, `target` and `model`."""

    def put(body):
        package = tmp_path / "stand_in/onnxsim"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        head = "import os, sys, onnx\nsource, target = sys.argv[1:3]\nmodel = onnx.load(source)\n"
        (package / "__main__.py").write_text(head + body)
        monkeypatch.setenv("PYTHONPATH", str(package.parent))

    return put


def test_a_model_is_simplified_to_one_file(run, tmp_path):
    status = run()
    assert status == {"simplified": True, "reason": None, "nodes": [2, 1]}
    found = onnx.load(tmp_path / "tsf_sim.onnx", load_external_data=False)
    assert all(not tensor.external_data for tensor in found.graph.initializer)
    assert found.opset_import[0].version == 11
    assert [value.name for value in (*found.graph.input, *found.graph.output)] == ["imgs", "result"]


def test_weights_that_onnxsim_puts_into_a_second_file_are_included(run, stand_in, tmp_path):
    stand_in(
        "onnx.save(model, target, save_as_external_data=True, all_tensors_to_one_file=True,\n"
        "          location=os.path.basename(target) + '.data', size_threshold=0)\n"
    )
    assert run()["simplified"]
    found = onnx.load(tmp_path / "tsf_sim.onnx", load_external_data=False)
    assert not found.graph.initializer[0].external_data
    assert (tmp_path / "tsf_sim.onnx").stat().st_size > 40_000


@pytest.mark.parametrize(
    "body, reason",
    [
        ("os.abort()", "onnxsim ended with status -6"),
        ("sys.exit('out of memory')", "onnxsim ended with status 1: out of memory"),
        ("", "onnxsim ended with status 0: no message"),
        ("del model.graph.node[0]\nonnx.save(model, target)", "onnxsim's model is invalid"),
        (
            "model.opset_import[0].version = 12\nonnx.save(model, target)",
            "onnxsim changed the opset",
        ),
        (
            "model.graph.node[1].output[0] = model.graph.output[0].name = 'y'\n"
            "onnx.save(model, target)",
            "onnxsim changed the model's outputs",
        ),
        ("open(target, 'wb').write(b'not a model')", "onnxsim"),
    ],
)
def test_a_failure_keeps_the_model_and_says_why(run, stand_in, tmp_path, body, reason):
    stand_in(body)
    status = run()
    assert status["simplified"] is False and reason in status["reason"]
    assert status["nodes"] == [2, 2]
    assert (tmp_path / "tsf_sim.onnx").read_bytes() == (tmp_path / "tsf.onnx").read_bytes()
