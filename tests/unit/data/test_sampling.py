"""Which frames make the clips: worked examples, and each rule step by step as its source has it."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from tsf.data.sampling import frame_numbers, refuse_lost_fps
from tsf.errors import UserError
from tsf.recipe.record import Sampling

OLD, NEW, KINETICS, SSV2 = "mmaction2-0.x", "mmaction2-1.x", "facebook-kinetics", "facebook-ssv2"
# (frames, interval, clips)
CLIPS = [(8, 32, 1), (16, 4, 1), (32, 2, 3), (8, 8, 10), (5, 3, 2), (1, 1, 4)]


def old_release(total, length, interval, clips):
    """SampleFrames of mmaction2 0.x in test mode, step by step as its source has it."""
    clip_span = length * interval
    average_interval = (total - clip_span + 1) / float(clips)
    if total > clip_span - 1:
        base_offsets = np.arange(clips) * average_interval
        offsets = (base_offsets + average_interval / 2.0).astype(int)
    else:
        offsets = np.zeros(clips, int)
    frames = offsets[:, None] + np.arange(length)[None, :] * interval
    return (np.mod(frames, total).ravel() + 1).tolist()


def new_release(total, length, interval, clips):
    """The same of mmaction2 1.x: the clip ends at its last frame, and is centred."""
    if length == 1:
        average_interval = total / float(clips)
        offsets = np.arange(clips) * average_interval + average_interval / 2.0
    else:
        max_offset = max(total - ((length - 1) * interval + 1), 0)
        if clips > 1:
            offsets = np.round(np.arange(clips) * (max_offset / float(clips - 1)))
        else:
            offsets = np.array([max_offset // 2])
    frames = offsets[:, None] + np.arange(length)[None, :] * interval
    return (np.mod(frames, total).ravel() + 1).astype(np.int32).tolist()


@pytest.mark.parametrize("sampler, reference", [(OLD, old_release), (NEW, new_release)])
@pytest.mark.parametrize("clip", CLIPS)
def test_every_length_up_to_400(sampler, reference, clip):
    for total in range(1, 401):
        assert frame_numbers(total, Sampling(sampler, *clip)) == reference(total, *clip), total


@pytest.mark.parametrize(
    "sampler, total, numbers",
    [
        (OLD, 300, [23, 55, 87, 119, 151, 183, 215, 247]),
        (OLD, 250, [1, 33, 65, 97, 129, 161, 193, 225]),
        (OLD, 225, [1, 33, 65, 97, 129, 161, 193, 225]),
        (OLD, 224, [1, 33, 65, 97, 129, 161, 193, 1]),
        (OLD, 100, [1, 33, 65, 97, 29, 61, 93, 25]),
        (OLD, 1, [1, 1, 1, 1, 1, 1, 1, 1]),
        # 0.x takes the clip to span 256 frames: the offset moves at 257, not at 256
        (OLD, 256, [1, 33, 65, 97, 129, 161, 193, 225]),
        (OLD, 257, [2, 34, 66, 98, 130, 162, 194, 226]),
        (NEW, 300, [38, 70, 102, 134, 166, 198, 230, 262]),
        (NEW, 250, [13, 45, 77, 109, 141, 173, 205, 237]),
        (NEW, 100, [1, 33, 65, 97, 29, 61, 93, 25]),
        # s = 299 / 8 = 37.375; bounds 0 37 75 112 150 (149.5) 187 224 262 299
        (SSV2, 300, [19, 57, 94, 132, 169, 206, 244, 281]),
        (SSV2, 1, [1, 1, 1, 1, 1, 1, 1, 1]),
        # s = 0.5; bounds 0 0 (0.5) 1 2 (1.5) 2 2 (2.5) 3 4 (3.5) 4
        (SSV2, 5, [1, 1, 2, 3, 3, 3, 4, 5]),
    ],
)
def test_worked_examples(sampler, total, numbers):
    assert frame_numbers(total, Sampling(sampler, 8, 32, 1)) == numbers


@pytest.mark.parametrize(
    "total, fps, numbers",
    [
        # 8 * 32 / 30 * 30 = 256 frames, 255 / 7 = 36.43 from one to the next, not 32
        (300, 30, [1, 37, 73, 110, 146, 183, 219, 256]),
        # at half the rate the same seconds: 128 frames, 127 / 7 = 18.14
        (300, 15, [1, 19, 37, 55, 73, 91, 109, 128]),
        # at twice the rate 512 frames, 511 / 7 = 73: what is past the end is the last frame
        (300, 60, [1, 74, 147, 220, 293, 300, 300, 300]),
        (1, 30, [1, 1, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_facebooks_clip_by_the_frame_rate(total, fps, numbers):
    assert frame_numbers(total, Sampling(KINETICS, 8, 32, 1), fps) == numbers


def test_several_clips_come_one_after_the_other():
    # 0.x: (105 - 6 + 1) / 2 = 50; starts 25 and 75. 1.x: rest 105 - 4 - 1 = 100; 0 and 100
    assert frame_numbers(105, Sampling(OLD, 3, 2, 2)) == [26, 28, 30, 76, 78, 80]
    assert frame_numbers(105, Sampling(NEW, 3, 2, 2)) == [1, 3, 5, 101, 103, 105]
    # too short: 0.x begins both with the first frame
    assert frame_numbers(4, Sampling(OLD, 3, 2, 2)) == [1, 3, 1, 1, 3, 1]


@pytest.mark.parametrize("count, interval", [(8, 32), (16, 16), (96, 4), (16, 4), (64, 32), (1, 8)])
def test_facebooks_frames_are_torchs_linspace(count, interval):
    """decoder.py: get_start_end_idx and temporal_sampling, for the first of one clip."""
    for fps in (10, 15, 24, 24000 / 1001, 25, 29.97, 30000 / 1001, 30, 48, 50, 59.94, 60):
        for total in (1, 7, 100, 250, 300, 4000):
            end = interval * count / 30 * fps - 1
            index = torch.clamp(torch.linspace(0, end, count), 0, total - 1).long()
            found = frame_numbers(total, Sampling(KINETICS, count, interval, 1), fps)
            assert found == (index + 1).tolist(), (fps, total)


def test_segments_are_numpys_rounding():
    """ssv2.py: the middle of each segment."""
    for count in (8, 16, 64):
        for total in range(1, 401):
            length = float(total - 1) / count
            ends = [int(np.round(length * i)) for i in range(count + 1)]
            middles = [math.floor((a + b) / 2) + 1 for a, b in pairwise(ends)]
            assert frame_numbers(total, Sampling(SSV2, count, 0, 1)) == middles


def test_numbers_lie_in_the_video():
    for total in range(1, 401):
        for sampler in (OLD, NEW, KINETICS, SSV2):
            numbers = frame_numbers(total, Sampling(sampler, 8, 32, 1), 29.97)
            assert len(numbers) == 8 and all(1 <= number <= total for number in numbers)


def test_no_clip_of_nothing():
    with pytest.raises(ValueError):
        frame_numbers(0, Sampling(OLD, 8, 32, 1))


@pytest.mark.parametrize("fps", [None, 0.0])
def test_no_rate_is_made_up(fps):
    with pytest.raises(ValueError, match="frames a second"):
        frame_numbers(300, Sampling(KINETICS, 8, 32, 1), fps)


@pytest.mark.parametrize(
    "sampler, clips, message",
    [
        ("mmaction2-2.x", 1, "sampler 'mmaction2-2.x': expected one of mmaction2-0.x, "),
        (KINETICS, 2, "facebook-kinetics takes 1 clip of a video"),
        (SSV2, 10, "facebook-ssv2 takes 1 clip of a video"),
    ],
)
def test_what_no_rule_has_is_refused(sampler, clips, message):
    with pytest.raises(UserError, match=message):
        frame_numbers(300, Sampling(sampler, 8, 32, clips), 30)


def test_raw_frames_are_refused_where_the_rate_counts():
    refuse_lost_fps(Sampling(SSV2, 8, 0, 1))
    with pytest.raises(UserError, match="which raw frames do not keep; set keep: bins"):
        refuse_lost_fps(Sampling(KINETICS, 8, 32, 1))
