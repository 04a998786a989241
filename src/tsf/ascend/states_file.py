"""The file of a model's states, .npz: one clip, and ONNX Runtime's states of it."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tsf.evaluation.reference_file import read_arrays
from tsf.files import whole_file

WHOLE = "block"
BEFORE = "embedding"  # what enters the first block
AFTER = "head"  # from the last block to the logits, the model's own output


@dataclass(frozen=True)
class States:
    """A clip, and the outputs of a model of it, each a state or more."""

    name: str  # of the video
    clip: np.ndarray  # (1, views, 3, frames, y, x)
    blocks: list[int]  # of each state; 0 is the first, -1 is before it
    steps: list[str]  # of each state: temporal attention, ..., WHOLE, BEFORE or AFTER
    outputs: list[int]  # of each state: the number of the output
    values: list[np.ndarray]  # of each output


def write_states(path: Path, states: States) -> None:
    content = asdict(states)
    values = {f"value_{n}": value for n, value in enumerate(content.pop("values"))}
    with whole_file(path) as part:
        np.savez(part, **content, **values)


def read_states(path: Path) -> States:
    arrays = read_arrays(path, ("name", "clip", "blocks", "steps", "outputs", "value_0"))
    outputs = arrays["outputs"].tolist()
    return States(
        name=str(arrays["name"]),
        clip=arrays["clip"],
        blocks=arrays["blocks"].tolist(),
        steps=arrays["steps"].tolist(),
        outputs=outputs,
        values=[arrays[f"value_{number}"] for number in range(max(outputs) + 1)],
    )
