import math

import pytest

from tsf.data.sampling import frame_numbers


def old_release(total):
    """SampleFrames of mmaction2 0.x in test mode, step by step as its source has it."""
    clip_span = 8 * 32
    average_interval = (total - clip_span + 1) / 1.0
    offset = math.trunc(average_interval / 2.0) if total > clip_span - 1 else 0
    return [(offset + 32 * k) % total + 1 for k in range(8)]


def new_release(total):
    """The same of mmaction2 1.x: the clip ends at its last frame, and is centred."""
    clip_span = 7 * 32 + 1
    offset = math.trunc(max(total - clip_span, 0) / 2.0)
    return [(offset + 32 * k) % total + 1 for k in range(8)]


@pytest.mark.parametrize(
    "sampler, reference", [("mmaction2-0.x", old_release), ("mmaction2-1.x", new_release)]
)
def test_every_length_up_to_400(sampler, reference):
    for total in range(1, 401):
        assert frame_numbers(total, sampler) == reference(total), total


@pytest.mark.parametrize(
    "sampler, total, numbers",
    [
        ("mmaction2-0.x", 300, [23, 55, 87, 119, 151, 183, 215, 247]),
        ("mmaction2-0.x", 250, [1, 33, 65, 97, 129, 161, 193, 225]),
        ("mmaction2-0.x", 225, [1, 33, 65, 97, 129, 161, 193, 225]),
        ("mmaction2-0.x", 224, [1, 33, 65, 97, 129, 161, 193, 1]),
        ("mmaction2-0.x", 100, [1, 33, 65, 97, 29, 61, 93, 25]),
        ("mmaction2-0.x", 1, [1, 1, 1, 1, 1, 1, 1, 1]),
        # 0.x takes the clip to span 256 frames: the offset moves at 257, not at 256
        ("mmaction2-0.x", 256, [1, 33, 65, 97, 129, 161, 193, 225]),
        ("mmaction2-0.x", 257, [2, 34, 66, 98, 130, 162, 194, 226]),
        ("mmaction2-1.x", 300, [38, 70, 102, 134, 166, 198, 230, 262]),
        ("mmaction2-1.x", 250, [13, 45, 77, 109, 141, 173, 205, 237]),
        ("mmaction2-1.x", 100, [1, 33, 65, 97, 29, 61, 93, 25]),
    ],
)
def test_worked_examples(sampler, total, numbers):
    assert frame_numbers(total, sampler) == numbers


def test_numbers_lie_in_the_video():
    for total in range(1, 401):
        for sampler in ("mmaction2-0.x", "mmaction2-1.x"):
            assert all(1 <= number <= total for number in frame_numbers(total, sampler))


@pytest.mark.parametrize("total, sampler", [(0, "mmaction2-0.x"), (300, "mmaction2-2.x")])
def test_no_clip_of_nothing_and_no_unknown_sampler(total, sampler):
    with pytest.raises(ValueError):
        frame_numbers(total, sampler)
