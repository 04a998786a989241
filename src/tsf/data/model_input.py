"""The model's input for one video, and its size as a .bin file."""

from pathlib import Path

from tsf.errors import UserError

CLIP_LEN = 8  # frames
CROPS = 3
SIDE = 224  # pixels
CLIP_SHAPE = (CROPS, 3, CLIP_LEN, SIDE, SIDE)  # (crops, RGB, frames, y, x)
PIXELS = CROPS * 3 * CLIP_LEN * SIDE * SIDE
# a .bin file: normalised values, as the guide writes them, or the pixels themselves
BIN_BYTES = {"float32": 4 * PIXELS, "uint8": PIXELS}  # 14,450,688 and 3,612,672


def refuse_wrong_size(path: Path, values: str) -> None:
    """Raises UserError for a .bin file of another size, which may be taken for several clips.

    values: float32 or uint8.
    """
    size, expected = path.stat().st_size, BIN_BYTES[values]
    if size != expected:
        raise UserError(f"{path}: {size} bytes, expected {expected}; delete it and run again")
