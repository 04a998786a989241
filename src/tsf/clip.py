"""The model's input for one video, and its size as a .bin file."""

CLIP_LEN = 8  # frames
CROPS = 3
SIDE = 224  # pixels
CLIP_SHAPE = (CROPS, 3, CLIP_LEN, SIDE, SIDE)  # (crops, RGB, frames, y, x)
BIN_BYTES = 4 * CROPS * 3 * CLIP_LEN * SIDE * SIDE  # float32: 14,450,688
