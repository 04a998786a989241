"""Which frames of a video make its clips: four rules, each as its owner's code has it.

mmaction2 0.x and 1.x pick different frames of most videos. What that does to the accuracy of the
guide's checkpoint (3f8e5d03, published as 77.92 with 0.x) is not known: the 77.69 of mmaction2 1.x
is the figure of another file (20220815-a4d0d01f).
"""

import numpy as np

from tsf.errors import UserError
from tsf.recipe.record import SAMPLERS, Sampling

FACEBOOK_FPS = 30  # DATA.TARGET_FPS, the rate at which facebook-kinetics counts its interval


def needs_fps(sampling: Sampling) -> bool:
    """Whether the frames depend on how many of them a second has."""
    return sampling.sampler == "facebook-kinetics"


def refuse_lost_fps(sampling: Sampling, advice: str = "set keep: bins") -> None:
    """Raises UserError for a sampler that cannot tell a clip from raw frames, with the advice."""
    if needs_fps(sampling):
        raise UserError(
            f"{sampling.sampler} needs the frame rate of a video, which raw frames do not keep; "
            f"{advice}"
        )


def frame_numbers(total: int, sampling: Sampling, fps: float | None = None) -> list[int]:
    """The numbers, from 1 as in img_00001.jpg, of the frames of all clips, clip after clip.

    total: frames of the video. fps: its frames a second, for a sampler that `needs_fps`.

    With T = clip_len, r = frame_interval, n = num_clips, frames counted from 0, i = 0 .. n - 1
    and k = 0 .. T - 1:

    - mmaction2-0.x (SampleFrames of release 0.24 in test mode): clip i starts at frame
      trunc((i + 1/2) (total - T r + 1) / n), at 0 where total < T r. Its frame k is
      (start + r k) mod total, so it wraps around in a video that is too short for it.
    - mmaction2-1.x (SampleFrames of release 1.2 in test mode): a clip ends at its last frame. With
      rest = max(total - (T - 1) r - 1, 0) the only clip starts at rest // 2, clip i of several
      at round(i rest / (n - 1)), a half going to the even number. Where T = 1, at
      (i + 1/2) total / n, cut off. Wraps around as above.
    - facebook-kinetics (decoder.py of facebookresearch/TimeSformer): one clip, which spans
      T r / 30 fps frames from the first one of the video. Its frames are T numbers from 0 to that
      span - 1 at equal distances, in float32 as torch.linspace has them, at most total - 1, cut
      off. The code looks up by time where the span ends; here frames count as equally far apart
      in time and the first as at 0, so in a video with uneven times its last frame may be another.
    - facebook-ssv2 (ssv2.py there): one clip. With s = (total - 1) / T its frame k is
      (round(s k) + round(s (k + 1))) // 2.

    Raises ValueError for a video without frames, UserError for clips that a rule does not have.
    """
    if total < 1:
        raise ValueError("a video without frames has no clip")
    if sampling.sampler == "mmaction2-0.x":
        return _equal_steps(_starts_of_0x(total, sampling), total, sampling)
    if sampling.sampler == "mmaction2-1.x":
        return _equal_steps(_starts_of_1x(total, sampling), total, sampling)
    if sampling.sampler not in SAMPLERS:
        raise UserError(f"sampler {sampling.sampler!r}: expected one of {', '.join(SAMPLERS)}")
    if sampling.num_clips != 1:
        raise UserError(f"{sampling.sampler} takes 1 clip of a video, num_clips is not 1")
    if sampling.sampler == "facebook-kinetics":
        return _over_a_span(total, sampling, fps)
    return _of_segments(total, sampling.clip_len)


def _equal_steps(starts: list[int], total: int, sampling: Sampling) -> list[int]:
    steps = [sampling.frame_interval * k for k in range(sampling.clip_len)]
    return [(start + step) % total + 1 for start in starts for step in steps]


def _starts_of_0x(total: int, sampling: Sampling) -> list[int]:
    span, clips = sampling.clip_len * sampling.frame_interval, range(sampling.num_clips)
    if total < span:
        return [0 for _ in clips]
    share = (total - span + 1) / len(clips)
    return [int(i * share + share / 2) for i in clips]


def _starts_of_1x(total: int, sampling: Sampling) -> list[int]:
    clips = range(sampling.num_clips)
    if sampling.clip_len == 1:
        share = total / len(clips)
        return [int(i * share + share / 2) for i in clips]
    rest = max(total - (sampling.clip_len - 1) * sampling.frame_interval - 1, 0)
    if len(clips) == 1:
        return [rest // 2]
    step = rest / (len(clips) - 1)
    return [round(i * step) for i in clips]


def _over_a_span(total: int, sampling: Sampling, fps: float | None) -> list[int]:
    if not fps:
        raise ValueError("facebook-kinetics needs the video's frames a second")
    count = sampling.clip_len
    end = np.float32(sampling.frame_interval * count / FACEBOOK_FPS * fps - 1)
    step = end / np.float32(max(count - 1, 1))
    k = np.arange(count, dtype=np.float32)
    # torch.linspace counts from the nearer end, which decides what cutting off gives
    places = np.where(k < count // 2, step * k, end - step * (np.float32(count - 1) - k))
    places[0] = 0
    return [int(place) + 1 for place in np.clip(places, 0, total - 1)]


def _of_segments(total: int, count: int) -> list[int]:
    length = (total - 1) / count
    bounds = [round(length * k) for k in range(count + 1)]
    return [(bounds[k] + bounds[k + 1]) // 2 + 1 for k in range(count)]
