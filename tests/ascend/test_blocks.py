"""The hunt for the block that differs: the sample's models, with one node of them made wrong."""

import json

import machine
import numpy as np
import onnx
import onnxruntime
import pytest
import runs
from markdown_rows import rows
from onnx import TensorProto, helper

from tsf.ascend import blocks
from tsf.ascend.states import find_states
from tsf.ascend.states_file import States, read_states
from tsf.errors import UserError
from tsf.report.ascend_blocks import markdown

LAYERS = "/backbone/transformer_layers/layers."
BLOCKS = "/blocks/blocks."


@pytest.fixture(scope="module")
def models(sample_run, tmp_path_factory):
    """The sample's models with their states as outputs, and ONNX Runtime's values of those."""
    folder = tmp_path_factory.mktemp("states")
    run = sample_run.copy(tmp_path_factory.mktemp("models"))
    result = run.snakemake("tsf_opt.onnx", "results/parity/reference.npz")
    assert result.returncode == 0, result.stdout
    for name in ("tsf", "tsf_sim", "tsf_opt"):
        arguments = ["--onnx", run.results / f"{name}.onnx"]
        arguments += ["--reference", run.results / "parity/reference.npz"]
        arguments += ["--output", folder / f"{name}.onnx", "--states", folder / f"{name}.npz"]
        result = runs.module("ascend.states", *arguments)
        assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def hunt(models, npu, tmp_path):
    """Compiles a model, with `node` of it made wrong, and compares its states."""

    def hunt_in(model, node=None, **demands):
        env = npu(**demands, **({"FAULT": node} if node else {}))
        arguments = ["--onnx", models / f"{model}.onnx", "--soc-version", "Ascend310P3"]
        arguments += [*machine.RECIPE, "--output", "tsf.om", "--status", "tsf.om.json"]
        compiled = machine.run("ascend.atc", *arguments, folder=tmp_path, env=env)
        assert compiled.returncode == 0, compiled.stdout
        arguments = ["--model", "tsf.om", "--status", "tsf.om.json", "--devices", 0]
        arguments += ["--states", models / f"{model}.npz", "--allowed", 0.02]
        arguments += ["--output", "blocks.json"]
        return machine.run("ascend.blocks", *arguments, folder=tmp_path, env=env)

    return hunt_in, tmp_path


@pytest.mark.parametrize(
    ("model", "node", "block", "step"),
    [
        ("tsf_sim", f"{LAYERS}0/attentions.0/norm/Mul", 0, "temporal attention"),
        ("tsf_sim", f"{LAYERS}1/attentions.1/attn/Softmax", 1, "spatial attention"),
        ("tsf_sim", f"{LAYERS}2/ffns.0/layers/layers.0/activate/Mul_1", 2, "MLP"),
        ("tsf", f"{LAYERS}1/attentions.0/attn/Softmax", 1, "temporal attention"),
        ("tsf", "/backbone/Add", -1, "embedding"),
        ("tsf_opt", f"{BLOCKS}1/mlp/second/MatMul", 1, "MLP"),
        ("tsf_opt", f"{BLOCKS}2/temporal/out/MatMul", 2, "temporal attention"),
        ("tsf_opt", f"{BLOCKS}0/Concat_2", 0, None),  # joins the steps
        ("tsf_opt", "/head/Gemm", 3, "head"),
    ],
)
def test_the_block_and_the_step_of_a_fault_are_found(hunt, model, node, block, step):
    hunt_in, folder = hunt
    result = hunt_in(model, node)
    assert result.returncode == 0, result.stdout
    found = json.loads((folder / "blocks.json").read_text())
    assert found["first"] == {"block": block, "step": step}
    # what comes before the fault is ONNX Runtime's to the last bit
    places = [(row["block"], row["step"]) for row in found["states"]]
    before = places.index((block, step or "block"))
    assert all(row["relative_l2"] < 1e-6 for row in found["states"][:before])
    assert {path.name for path in folder.iterdir()} >= {"blocks.json", "tsf.om"}


@pytest.mark.parametrize("release", ["", "2022-11"])
@pytest.mark.parametrize("model", ["tsf", "tsf_sim", "tsf_opt"])
def test_without_a_fault_none_is_over(hunt, model, release):
    hunt_in, folder = hunt
    result = hunt_in(model, AIS_BENCH=release)
    assert result.returncode == 0, result.stdout
    found = json.loads((folder / "blocks.json").read_text())
    assert found["first"] is None
    assert len(found["states"]) == 1 + 3 * 4 + 1  # embedding; three blocks; head
    assert "None over the threshold" in markdown(found)
    assert found["device"].startswith("stand-in for Ascend310P3")


MATRIX = {"MatMul", "Gemm", "Conv"}
ARITHMETIC = MATRIX | {"Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "Erf", "Softmax", "ReduceMean"}


def rounded(model: onnx.ModelProto, results: bool) -> onnx.ModelProto:
    """The model with the operands of matrix operators, or all results too, rounded to float16."""
    nodes, names = [], {}

    def round_to_half(name):
        half, single = f"{name} half {len(nodes)}", f"{name} single {len(nodes)}"
        nodes.append(helper.make_node("Cast", [name], [half], to=TensorProto.FLOAT16))
        nodes.append(helper.make_node("Cast", [half], [single], to=TensorProto.FLOAT))
        return single

    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        if node.op_type in MATRIX:
            node.input[:2] = [round_to_half(name) for name in node.input[:2]]
        nodes.append(node)
        if results and node.op_type in ARITHMETIC:
            names[node.output[0]] = round_to_half(node.output[0])
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


@pytest.mark.parametrize(
    ("results", "low", "high"),
    [(False, 1e-4, 2e-4), (True, 3e-4, 6e-4)],  # as docs/ascend.md says of the sample
)
def test_float16_itself_is_well_below_the_thresholds(models, results, low, high):
    model = rounded(onnx.load(models / "tsf_sim.onnx"), results)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    known = read_states(models / "tsf_sim.npz")
    found = blocks.compare(known, session.run(None, {"imgs": known.clip}), 0.005)
    assert blocks.first_over(found) is None
    assert low < found[-1]["relative_l2"] < high
    assert max(row["relative_l2"] for row in found) < 0.002


def test_every_model_has_the_same_places(models):
    places = [
        [(s.block, s.step) for s in find_states(onnx.load(models / f"{name}.onnx").graph)]
        for name in ("tsf", "tsf_sim", "tsf_opt")
    ]
    assert places[0] == places[1] == places[2]
    assert places[0][:6] == [
        (-1, "embedding"),
        *((0, step) for step in ("temporal attention", "spatial attention", "MLP", "block")),
        (1, "temporal attention"),
    ]


def test_of_joint_or_space_only_attention_there_is_one():
    scopes = ["embed/Add", *(f"transformer_layers/layers.0/{s}/Add" for s in ("norms.0", "ffns.0"))]
    scopes.insert(2, "transformer_layers/layers.0/attentions.0/Add")
    nodes = [
        helper.make_node("Identity", [str(n)], [str(n + 1)], name=f"/backbone/{scope}")
        for n, scope in enumerate(scopes)
    ]
    output = helper.make_tensor_value_info(str(len(nodes)), TensorProto.FLOAT, None)
    found = find_states(helper.make_graph(nodes, "joint", [], [output]))
    assert [(s.block, s.step, s.tensor) for s in found] == [
        (-1, "embedding", "1"),
        (0, "attention", "3"),
        (0, "MLP", "4"),
        (0, "block", "4"),
        (1, "head", "4"),
    ]


def test_a_model_of_other_names_is_refused(tmp_path):
    machine.tiny_model(tmp_path / "tiny.onnx", 1)
    with pytest.raises(UserError, match="not named after blocks"):
        find_states(onnx.load(tmp_path / "tiny.onnx").graph)


def states():
    """States of two blocks of one step each, all ones."""
    steps = ["embedding", "MLP", "block", "MLP", "block", "head"]
    ones = [np.ones((2, 3), np.float32)] * 6
    return States("a", np.zeros(0), [-1, 0, 0, 1, 1, 2], steps, list(range(6)), ones)


@pytest.mark.parametrize(
    ("wrong", "first"),
    [
        ({}, None),
        ({1: 2.0, 2: 1.001}, None),  # a step that is off, but adds little to the state
        ({1: 2.0, 2: 1.5, 4: 1.5}, {"block": 0, "step": "MLP"}),
        ({1: 2.0, 4: 1.5, 3: 3.0}, {"block": 1, "step": "MLP"}),
        ({2: 1.5}, {"block": 0, "step": None}),
        ({4: np.inf, 5: np.nan}, {"block": 1, "step": None}),
        ({5: 1.5}, {"block": 2, "step": "head"}),
    ],
)
def test_the_first_over_the_threshold(wrong, first):
    found = [np.full((2, 3), wrong.get(number, 1.0)) for number in range(6)]
    rows = blocks.compare(states(), found, 0.02)
    assert blocks.first_over(rows) == first
    assert [row["over"] for row in rows] == [n in wrong and wrong[n] != 1.001 for n in range(6)]
    json.dumps(rows, allow_nan=False)


def test_an_output_of_another_size_is_refused():
    found = [np.ones((2, 3))] * 5 + [np.ones((1, 3))]
    with pytest.raises(UserError, match="output 5 of the \\.om file has 3 values"):
        blocks.compare(states(), found, 0.02)


def test_the_report_names_the_place_and_what_is_not_finite():
    found = [np.full((2, 3), np.inf if number > 2 else 1.0) for number in range(6)]
    compared = blocks.compare(states(), found, 0.02)
    about = {"clip": "a", "device": "Ascend310P3", "precision": "force_fp16", "fast_gelu": True}
    text = markdown(
        about | {"states": compared, "allowed": 0.02, "first": blocks.first_over(compared)}
    )
    assert "**The first over the threshold: block 1, MLP.**" in text
    assert ["1", "MLP", "not finite", "not finite", "not finite", "over"] in rows(text)
    assert "Ascend310P3, force_fp16, fast Gelu, against ONNX Runtime" in text
