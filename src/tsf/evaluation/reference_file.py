"""The file of the reference, .npz: real clips and mmaction2's logits of them."""

import zipfile
import zlib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tsf.errors import UserError, on_one_line
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


def read_arrays(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; zip has a checksum of each.

    Raises UserError for a file that was cut short, or lacks one of the names.
    """
    try:
        with np.load(path) as arrays:
            found = dict(arrays)
    # ValueError, EOFError: not even the beginning is a zip file's; TypeError: it is an .npy file's
    except (ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(
            f"{path}: not a whole .npz file ({on_one_line(error)}); delete it and run again"
        ) from None
    if lacking := sorted(set(names) - found.keys()):
        raise UserError(f"{path}: it has no array {lacking[0]}; delete it and run again")
    return found


def read_reference(path: Path) -> Reference:
    content = read_arrays(path, ("names", "clips", "logits"))
    return Reference(
        content["names"].tolist(), content["clips"], content.get("uint8_clips"), content["logits"]
    )
