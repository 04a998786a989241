"""The file of the reference, .npz: real clips and mmaction2's logits of them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tsf.files import whole_file


@dataclass(frozen=True)
class Reference:
    """Real clips, and mmaction2's logits of them."""

    names: list[str]  # of the videos
    clips: np.ndarray  # (videos, 3, 3, 8, 224, 224) float32
    uint8_clips: np.ndarray  # the same before normalisation
    logits: np.ndarray  # (videos * 3, classes) float32


def write_reference(path: Path, reference: Reference) -> None:
    with whole_file(path) as part:
        np.savez(part, **asdict(reference))


def read_reference(path: Path) -> Reference:
    with np.load(path) as arrays:
        content = dict(arrays)
    return Reference(**content | {"names": content["names"].tolist()})
