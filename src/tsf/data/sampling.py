"""Which eight frames of a video make the clip.

mmaction2 0.x and 1.x pick different frames of most videos, so the sampler is a named choice. Its
effect on the accuracy is not known for the guide's checkpoint (3f8e5d03, published as 77.92 with
0.x): the 77.69 of mmaction2 1.x is the figure of another file (20220815-a4d0d01f).
"""

import argparse

from tsf.data.model_input import CLIP_LEN

FRAME_INTERVAL = 32  # from one frame of the clip to the next
SAMPLERS = ("mmaction2-0.x", "mmaction2-1.x")


def frame_numbers(total: int, sampler: str) -> list[int]:
    """The numbers, from 1 as in img_00001.jpg, of the clip's frames in a video of `total`.

    SampleFrames(clip_len=8, frame_interval=32, num_clips=1, test_mode=True) of mmaction2
    0.24 or 1.x: the clip is centred, and wraps around in a video that is too short for it.
    """
    if total < 1:
        raise ValueError("a video without frames has no clip")
    if sampler == "mmaction2-0.x":
        # the clip is taken to span 8 * 32 frames, and shorter videos start at the first
        span = CLIP_LEN * FRAME_INTERVAL
        offset = (total - span + 1) // 2 if total >= span else 0
    elif sampler == "mmaction2-1.x":
        # the clip is taken to end at its last frame: 7 * 32 + 1
        offset = max(total - (CLIP_LEN - 1) * FRAME_INTERVAL - 1, 0) // 2
    else:
        raise ValueError(f"unknown sampler {sampler!r}, expected one of {SAMPLERS}")
    return [(offset + FRAME_INTERVAL * k) % total + 1 for k in range(CLIP_LEN)]


def add_sampler_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0])
