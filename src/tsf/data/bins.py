"""The .bin files: one clip each, without a header, as the guide's preprocessing writes them.

Beside each is its digest, which every reader checks.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from tsf.data.model_input import normalise
from tsf.digests import SUFFIX, digest_path, refuse_changed, write_with_digest
from tsf.errors import UserError
from tsf.recipe.record import ITEM_BYTES, ClipRecipe

MADE = b"made\n"  # what tells a command that was started before its .bin files that they are there


def bin_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.bin"


def bin_files(folder: Path) -> list[Path]:
    """Every .bin file in `folder`, by name. Raises UserError if one has gone that was written."""
    found = sorted(folder.glob("*.bin"))
    written = {path.name.removesuffix(SUFFIX) for path in folder.glob(f"*.bin{SUFFIX}")}
    if lost := written - {path.name for path in found}:
        raise UserError(f"{folder / min(lost)}: missing; delete {folder} and run again")
    return found


def add_dtype_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dtype", choices=list(ITEM_BYTES), default="float32", help="of .bin files"
    )


def refuse_wrong_size(path: Path, recipe: ClipRecipe, dtype: str) -> None:
    """Raises UserError for a file that does not have the size of one video's input.

    dtype: normalised float32 as in the guide, or uint8 pixels.
    """
    size, expected = path.stat().st_size, recipe.bin_bytes(dtype)
    if size != expected:
        raise UserError(
            f"{path}: {size} bytes, expected {expected}; delete {path.parent} and run again"
        )


def write_bin(clip: np.ndarray, path: Path) -> None:
    """Write a clip as the guide does: little-endian values, no header. And its digest beside it."""
    # not clip.tofile(), which on a full disk does not say that the disk is full
    write_with_digest(path, np.ascontiguousarray(clip, clip.dtype.newbyteorder("<")).data)


def delete_bin(folder: Path, name: str) -> None:
    path = bin_path(folder, name)
    for file in (path, digest_path(path)):
        file.unlink(missing_ok=True)


def delete_bins(folder: Path) -> None:
    """Delete a folder of .bin files, or the link to one."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def read_bin(path: Path, recipe: ClipRecipe, dtype: str) -> np.ndarray:
    """The views of one video, (views, 3, frames, y, x) of `dtype`, float32 or uint8.

    Raises UserError for a file of another size, or that has changed since it was written.
    """
    refuse_wrong_size(path, recipe, dtype)
    values = np.fromfile(path, np.dtype(dtype).newbyteorder("<"))
    refuse_changed(path, values.data, path.parent)
    return values.reshape(recipe.shape)


def read_for_model(path: Path, recipe: ClipRecipe, dtype: str, model_dtype: str) -> np.ndarray:
    """`read_bin` in the type that the model takes: uint8 is normalised for a float32 model.

    dtype: of the file. Raises UserError for a float32 file and a model that takes uint8.
    """
    if (dtype, model_dtype) == ("float32", "uint8"):
        raise UserError(f"{path} holds float32, but the model takes uint8; set bin: uint8")
    clip = read_bin(path, recipe, dtype)  # (views, 3, frames, y, x)
    return normalise(clip, recipe) if (dtype, model_dtype) == ("uint8", "float32") else clip


def fill_batch(clips: list[np.ndarray] | np.ndarray, batch: int) -> np.ndarray:
    """At most `batch` clips, filled up with zeros: (batch, views, 3, frames, y, x)."""
    filled = np.zeros((batch, *clips[0].shape), clips[0].dtype)
    filled[: len(clips)] = clips
    return filled
