"""The file of the reference, .npz: real clips and mmaction2's logits of them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tsf.files import whole_file


@dataclass(frozen=True)
class Reference:
    """Real clips, and mmaction2's logits of them."""

    names: list[str]  # of the videos
    clips: np.ndarray  # (videos, views, 3, frames, y, x) float32
    uint8_clips: np.ndarray | None  # the same before normalisation; None: the recipe has none
    logits: np.ndarray  # (videos * views, classes) float32


def write_reference(path: Path, reference: Reference) -> None:
    with whole_file(path) as part:
        np.savez(part, **{key: v for key, v in asdict(reference).items() if v is not None})


def read_reference(path: Path) -> Reference:
    with np.load(path) as arrays:
        content = dict(arrays)
    return Reference(**{"uint8_clips": None} | content | {"names": content["names"].tolist()})
