"""Motion clips drawn from a seed: an orange disc performs the class, a blue one another class.

The classes differ in motion alone, and four pairs of them are each other's time reversal, so a
model cannot name a clip from one frame or from frames in the wrong order. The distractor has the
disc's colour with red and blue exchanged, so a model fed BGR frames follows the wrong disc.

Everything is painted in YUV (BT.601, limited range), the colour space of the encoded file, where
a painted edge is a linear mix. The arithmetic before the rounding to uint8 is float64, so that the
last-bit differences between machines do not reach a pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

LABELS = (
    "moving left",
    "moving right",
    "moving up",
    "moving down",
    "circling clockwise",
    "circling counterclockwise",
    "growing",
    "shrinking",
)
SPLITS = ("train", "val", "test")

WIDTH, HEIGHT = 340, 256
# The left, middle and right crops of the resized frame share x = 84..256 of the 340 columns: the
# motion is centred there, so that each of the three crops sees nearly all of it.
CENTRE = (170.0, 128.0)

ORANGE = (240.0, 130.0, 20.0)
BLUE = ORANGE[::-1]
COLOUR_JITTER = 10.0

# The camera stays within this many pixels of its middle: the background is larger by twice that.
DRIFT = 12
GRAIN_PLANES = 8
GRAIN_AMPLITUDE = 3

# x264's rate control and several of its decisions use floats whose last bits depend on the CPU.
# With a constant quantiser, a fixed frame pattern and those decisions off, the file does not.
X264_OPTIONS = {
    "preset": "veryfast",
    "qp": "22",
    "x264-params": (
        "threads=1:lookahead-threads=1:cpu-independent=1:aq-mode=0:mbtree=0:psy=0:weightp=0"
        ":scenecut=0:b-adapt=0:bframes=2:keyint=250"
    ),
}


@dataclass(frozen=True)
class Scene:
    """What moves in a clip of T frames.

    Attributes:
        fps: frames per second.
        disc, distractor: centre x, centre y and radius in pixels of the 340x256 frame, (T, 3).
        disc_yuv, distractor_yuv: colours, (3,).
        drift: x and y of the frame's corner in the background, whole pixels, (T, 2).
    """

    fps: Fraction
    disc: np.ndarray
    distractor: np.ndarray
    disc_yuv: np.ndarray
    distractor_yuv: np.ndarray
    drift: np.ndarray


def clip_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """The random generator of one clip; clips of different splits never share a stream."""
    return np.random.default_rng([seed, SPLITS.index(split), index])


def rgb_to_yuv(rgb: np.ndarray) -> np.ndarray:
    """BT.601 limited-range YUV of RGB in 0..255; both (3,)."""
    r, g, b = rgb
    return np.array(
        [
            16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255,
            128 + (-37.797 * r - 74.203 * g + 112.0 * b) / 255,
            128 + (112.0 * r - 93.786 * g - 18.214 * b) / 255,
        ]
    )


def draw_track(rng: np.random.Generator, label: str, progress: np.ndarray) -> np.ndarray:
    """The path of a disc that performs `label` once while `progress` runs from 0 to 1.

    Returns:
        Centre x, centre y, radius in pixels of the 340x256 frame, (T, 3).
    """
    x: float | np.ndarray = CENTRE[0] + rng.uniform(-25, 25)
    y: float | np.ndarray = CENTRE[1] + rng.uniform(-35, 35)
    radius: float | np.ndarray = rng.uniform(17, 24)
    verb, _, way = label.partition(" ")
    step = progress - 0.5
    if verb == "moving":
        length = rng.uniform(120, 160)
        if way in ("left", "right"):
            x = CENTRE[0] + rng.uniform(-8, 8) + step * length * (1 if way == "right" else -1)
        else:
            y = CENTRE[1] + rng.uniform(-15, 15) + step * length * (1 if way == "down" else -1)
    elif verb == "circling":
        orbit = rng.uniform(38, 54)
        # y points down, so a growing angle turns clockwise on the screen.
        turn = 2 * np.pi * rng.uniform(0.95, 1.15) * (1 if way == "clockwise" else -1)
        angle = rng.uniform(0, 2 * np.pi) + turn * progress
        x = CENTRE[0] + rng.uniform(-12, 12) + orbit * np.cos(angle)
        y = CENTRE[1] + rng.uniform(-20, 20) + orbit * np.sin(angle)
    else:
        small, large = rng.uniform(9, 12), rng.uniform(38, 46)
        radius = small + (large - small) * (progress if verb == "growing" else 1 - progress)
    return np.stack(np.broadcast_arrays(x, y, radius), axis=-1)


def draw_scene(rng: np.random.Generator, label: str) -> Scene:
    """Draws a clip's length, motion and colours; one clip in eight is 250 frames at 25 fps.

    The others have 262 to 300 frames at 30 or 30000/1001 fps, as most Kinetics clips do.
    """
    if rng.integers(8) == 0:
        fps, frames = Fraction(25), 250
    else:
        fps = Fraction(30) if rng.integers(2) else Fraction(30000, 1001)
        frames = int(rng.integers(262, 301))
    progress = np.arange(frames) / (frames - 1)
    other = rng.choice([name for name in LABELS if name != label])
    corner, shift = rng.uniform(0, 2 * DRIFT, (2, 2))
    drift = corner + (shift - corner) * progress[:, None]  # (T, 2)
    return Scene(
        fps=fps,
        disc=draw_track(rng, label, progress),
        distractor=draw_track(rng, str(other), progress),
        disc_yuv=rgb_to_yuv(ORANGE + rng.uniform(-COLOUR_JITTER, COLOUR_JITTER, 3)),
        distractor_yuv=rgb_to_yuv(BLUE + rng.uniform(-COLOUR_JITTER, COLOUR_JITTER, 3)),
        drift=np.rint(drift).astype(int),
    )


def _pink_noise(
    rng: np.random.Generator, height: int, width: int, exponent: float, blur: float
) -> np.ndarray:
    """Noise of spectrum 1/f^exponent behind a Gaussian lens of `blur` pixels; mean 0, std 1."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf  # no mean
    lens = np.exp(-2 * (np.pi * blur * np.where(np.isinf(frequency), 0, frequency)) ** 2)
    spectrum = np.fft.rfft2(rng.standard_normal((height, width)))
    noise: np.ndarray = np.fft.irfft2(spectrum * frequency**-exponent * lens, s=(height, width))
    noise /= noise.std()
    return noise


def draw_background(rng: np.random.Generator) -> np.ndarray:
    """A dim photograph-like texture larger than the frame by twice DRIFT.

    Natural-image spectrum (about 1/f), weak colour, and slabs of other brightness whose borders
    are edges as in a room or a street.

    Returns:
        YUV planes at full resolution, (3, 280, 364) uint8.
    """
    height, width = HEIGHT + 2 * DRIFT, WIDTH + 2 * DRIFT
    luma = _pink_noise(rng, height, width, exponent=1.2, blur=0.8)
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    for _ in range(int(rng.integers(5, 13))):
        angle = rng.uniform(0, 2 * np.pi)
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        across = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
        along = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
        half = rng.uniform(8, 70, 2)
        # One to three pixels of ramp: an edge seen by a lens, not a staircase.
        inside = np.clip((half[0] - np.abs(across)) / rng.uniform(1, 3), 0, 1)
        inside *= np.clip((half[1] - np.abs(along)) / 2, 0, 1)
        luma += inside * rng.uniform(-2.2, 2.2)
    luma = (luma - luma.mean()) / luma.std()
    yuv = np.empty((3, height, width))
    yuv[0] = np.clip(rng.uniform(65, 105) + rng.uniform(18, 28) * luma, 30, 190)
    for plane in (1, 2):
        tint = _pink_noise(rng, height, width, exponent=1.3, blur=2.0)
        yuv[plane] = np.clip(128 + rng.uniform(-6, 6) + rng.uniform(3, 6) * tint, 104, 152)
    return np.rint(yuv).astype(np.uint8)


def coverage(x: np.ndarray, y: np.ndarray, disc: np.ndarray, pixel: float) -> np.ndarray:
    """How much of each pixel a disc covers, 0..1, its edge one pixel of side `pixel` wide.

    Args:
        x, y: pixel centres in the 340x256 frame, broadcastable to the result.
        disc: centre x, centre y and radius on the last axis.
    """
    distance = np.hypot(x - disc[..., 0], y - disc[..., 1])
    covered: np.ndarray = np.clip((disc[..., 2] - distance) / pixel + 0.5, 0, 1)
    return covered


def _paint(plane: np.ndarray, disc: np.ndarray, value: float, pixel: int) -> None:
    """Paints a disc into a uint8 plane whose samples are `pixel` frame pixels apart."""
    x, y, radius = disc
    reach = radius + pixel
    top, left = (max(0, int((centre - reach) / pixel)) for centre in (y, x))
    bottom, right = (int((centre + reach) / pixel) + 1 for centre in (y, x))
    patch = plane[top:bottom, left:right]
    rows = (np.arange(top, top + patch.shape[0])[:, None] + 0.5) * pixel
    columns = (np.arange(left, left + patch.shape[1])[None] + 0.5) * pixel
    alpha = coverage(columns, rows, disc, pixel)
    patch[...] = np.rint(patch + alpha * (value - patch))


def render_frames(rng: np.random.Generator, scene: Scene) -> Iterator[np.ndarray]:
    """Yields the T frames of a scene as yuv420p planes, each (384, 340) uint8.

    The three planes lie one after the other as PyAV expects them: 256 rows of Y, then U and V of
    170x128 samples each.
    """
    background = draw_background(rng)
    height, width = HEIGHT // 2, WIDTH // 2
    # The grain stays within the room that the background leaves below and above, so that adding
    # in uint8 arithmetic cannot wrap.
    grain = rng.integers(
        -GRAIN_AMPLITUDE, GRAIN_AMPLITUDE + 1, (GRAIN_PLANES, HEIGHT, WIDTH), np.int8
    ).view(np.uint8)
    order = rng.integers(GRAIN_PLANES, size=len(scene.drift))
    layers = ((scene.distractor, scene.distractor_yuv), (scene.disc, scene.disc_yuv))
    for number, (left, top) in enumerate(scene.drift):
        view = background[:, top : top + HEIGHT, left : left + WIDTH]
        frame = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
        luma = frame[:HEIGHT]  # (256, 340)
        chroma = frame[HEIGHT:].reshape(2, height, width)  # (U and V, 128, 170)
        luma[...] = view[0]
        chroma[...] = view[1:, ::2, ::2]
        for track, yuv in layers:
            _paint(luma, track[number], yuv[0], 1)
            _paint(chroma[0], track[number], yuv[1], 2)
            _paint(chroma[1], track[number], yuv[2], 2)
        luma += grain[order[number]]
        yield frame


def write_clip(path: Path, rng: np.random.Generator, label: str) -> None:
    """Renders a clip of `label` and encodes it as H.264 in mp4, the index (moov) at the end."""
    scene = draw_scene(rng, label)
    # bitexact: neither a date nor library versions in the file.
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=scene.fps, options=X264_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for planes in render_frames(rng, scene):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
