"""The model's input for one video, and its size as a .bin file."""

from pathlib import Path

from tsf.errors import UserError

CLIP_LEN = 8  # frames
CROPS = 3
SIDE = 224  # pixels
CLIP_SHAPE = (CROPS, 3, CLIP_LEN, SIDE, SIDE)  # (crops, RGB, frames, y, x)
BIN_BYTES = 4 * CROPS * 3 * CLIP_LEN * SIDE * SIDE  # float32: 14,450,688


def refuse_wrong_size(path: Path) -> None:
    """Raises UserError for a .bin file of another size, which may be taken for several clips."""
    size = path.stat().st_size
    if size != BIN_BYTES:
        raise UserError(f"{path}: {size} bytes, expected {BIN_BYTES}; delete it and run again")
