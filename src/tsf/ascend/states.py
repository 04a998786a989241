"""An ONNX model with the state after every block, and the output of every step in it, as outputs.

The exporter names a node after the module that it was traced in. So the state after a block is the
output of the last node of that block's scope: all the block's other nodes lead to it. The steps of
a block are found in the same way. In mmaction2's model the output of a step includes what it is
added to, in the optimised one it is the change alone.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnxruntime

from tsf import errors
from tsf.ascend.states_file import AFTER, BEFORE, WHOLE, States, write_states
from tsf.errors import UserError
from tsf.evaluation.reference_file import read_reference
from tsf.files import whole_file
from tsf.model.onnx_file import read_onnx

BLOCK = re.compile(
    r"(?:/backbone/transformer_layers/layers|/blocks/blocks)"
    r"\.(?P<block>\d+)/(?P<step>\w+(?:\.\d+)?)?"
)
STEPS = {  # the modules of mmaction2's model and of tsf.model.optimised, in the order of the steps
    "attentions.0": "temporal attention",
    "temporal": "temporal attention",
    "attentions.1": "spatial attention",
    "spatial": "spatial attention",
    "ffns.0": "MLP",
    "mlp": "MLP",
}


@dataclass(frozen=True)
class State:
    """A tensor to compare."""

    block: int  # 0 is the first, -1 what is before it, the number of blocks what is behind them
    step: str  # of STEPS, WHOLE, BEFORE or AFTER
    tensor: str


def find_states(graph: onnx.GraphProto) -> list[State]:
    """The states in order: the embedding, of every block its steps and then itself, the logits.

    The last step and the block may be the same tensor. Raises UserError for a model whose nodes
    have no such names.
    """
    last: dict[tuple[int, str], str] = {}
    entry = ""
    order = [*dict.fromkeys(STEPS.values()), WHOLE]
    for node in graph.node:
        match = BLOCK.match(node.name)
        if not match or node.op_type == "Constant":  # a simplifier moves constants to the front
            continue
        entry = entry or node.input[0]
        block, step = int(match["block"]), STEPS.get(match["step"] or "")
        last[block, WHOLE] = node.output[0]
        if step:
            last[block, step] = node.output[0]
    if not last or {step for _, step in last} == {WHOLE}:
        raise UserError("the model's nodes are not named after blocks and steps; export it anew")
    places = sorted(last, key=lambda place: (place[0], order.index(place[1])))
    # joint or space-only attention has but one of the two
    divided = "spatial attention" in {step for _, step in last}
    blocks = [
        State(block, step if divided else step.removeprefix("temporal "), last[block, step])
        for block, step in places
    ]
    logits = State(blocks[-1].block + 1, AFTER, graph.output[0].name)
    return [State(-1, BEFORE, entry), *blocks, logits]


def with_outputs(model: onnx.ModelProto, tensors: list[str]) -> None:
    """Add `tensors` to the outputs of the model, behind its own."""
    for name in tensors:
        info = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        model.graph.output.append(info)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True, help="npz: its first clip is run")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="onnx to write")
    parser.add_argument("--states", type=Path, required=True, help="npz to write: their values")
    args = parser.parse_args()

    model = read_onnx(args.onnx)
    states = find_states(model.graph)
    with_outputs(model, list(dict.fromkeys(state.tensor for state in states[:-1])))
    outputs = [output.name for output in model.graph.output]
    reference = read_reference(args.reference)
    entry = model.graph.input[0].type.tensor_type.elem_type
    clips = reference.uint8_clips if entry == onnx.TensorProto.UINT8 else reference.clips
    if clips is None:
        raise UserError(f"{args.onnx} takes uint8, but the recipe has no uint8 clips")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.log_severity_level = 3  # errors: the outputs have no shapes yet
    with whole_file(args.output) as part:
        onnx.save(model, part)
        session = onnxruntime.InferenceSession(part, options, providers=["CPUExecutionProvider"])
        values = dict(zip(outputs, session.run(outputs, {"imgs": clips[:1]}), strict=True))
        for output in model.graph.output[1:]:
            shape = values[output.name].shape
            output.CopyFrom(
                onnx.helper.make_tensor_value_info(output.name, onnx.TensorProto.FLOAT, shape)
            )
        onnx.save(model, part)
    write_states(
        args.states,
        States(
            name=reference.names[0],
            clip=clips[:1],
            blocks=[state.block for state in states],
            steps=[state.step for state in states],
            outputs=[outputs.index(state.tensor) for state in states],
            values=[values[name] for name in outputs],
        ),
    )
    print(f"{args.output}: {len(outputs)} outputs, {states[-1].block} blocks")


if __name__ == "__main__":
    errors.run(main)
