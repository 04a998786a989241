"""From the frames of a video's clips to the model's input: resize, crops, normalise, layout.

Value for value what the test pipeline of the recipe's own code gives (mmaction2's Resize, ThreeCrop
or CenterCrop, Normalize, FormatShape('NCTHW'), for one), in an order that does the work once: the
resized planes are normalised before the crops, which overlap, are copied out of them.
"""

from collections.abc import Callable, Mapping
from math import ceil

import cv2
import numpy as np

from tsf.data import decode
from tsf.data.byte_range import VideoFile
from tsf.data.model_input import level_values
from tsf.errors import UserError
from tsf.recipe.record import CHANNELS, CROPS, PREPROCESSINGS, ClipRecipe

# what of a decoded picture is kept until the clip is made
KEEP: dict[str, Callable[[np.ndarray], bytes | np.ndarray]] = {
    "rawframes": decode.encode_rawframe,
    "video": decode.whole_picture,
}
KNOWN = {
    "source": tuple(KEEP),
    "preprocessing": PREPROCESSINGS,
    "crops": tuple(CROPS),
    "channels": CHANNELS,
}


def refuse_impossible(recipe: ClipRecipe, dtype: str) -> None:
    """Raises UserError for a recipe that its code has no clip for, or none of `dtype`."""
    for part, known in KNOWN.items():
        if getattr(recipe, part) not in known:
            found, expected = getattr(recipe, part), ", ".join(known)
            raise UserError(f"{part} {found!r}: expected one of {expected}")
    name = recipe.preprocessing
    if recipe.side > recipe.short_side:
        raise UserError(f"a crop of {recipe.side} pixels from a side of {recipe.short_side}")
    if name == "huggingface" and recipe.crops != "centre":
        raise UserError(f"preprocessing {name} has a centre crop only, crops is {recipe.crops}")
    as_high = recipe.side == recipe.short_side
    if name.startswith("mmaction2") and recipe.crops == "three" and not as_high:
        raise UserError(
            f"mmaction2's three crops are as high as the picture: short side {recipe.short_side}, "
            f"crop {recipe.side}"
        )
    if dtype == "uint8" and not recipe.has_uint8:
        raise UserError(
            f"preprocessing {name} resizes normalised values, which uint8 cannot hold; "
            "set bin: float32"
        )


def resized_size(width: int, height: int, recipe: ClipRecipe) -> tuple[int, int]:
    """The (width, height) that a picture is resized to.

    mmcv's rescale_size rounds the long side, Facebook's and Hugging Face's code cuts it off.
    """
    short = recipe.short_side
    if recipe.preprocessing.startswith("mmaction2"):
        scale = short / min(width, height)
        return int(width * scale + 0.5), int(height * scale + 0.5)
    if short == min(width, height):
        return width, height
    if recipe.preprocessing == "facebook":  # the quotient rounds before the product is cut off
        if width < height:
            return short, int(height / width * short)
        return int(width / height * short), short
    long = int(short * max(width, height) / min(width, height))
    return (short, long) if width <= height else (long, short)


def crop_offsets(width: int, height: int, recipe: ClipRecipe) -> list[tuple[int, int]]:
    """The (x, y) of the crops in a resized picture, in the order of the model's views.

    Three of mmaction2's: both ends of the long side, then its middle. Three of Facebook's: one end,
    the middle, the other end; its middle is half a pixel further where the rest is odd.
    """
    side = recipe.side
    facebook = recipe.preprocessing == "facebook"
    x, y = ((ceil(n / 2) if facebook else n // 2) for n in (width - side, height - side))
    if recipe.crops == "centre":
        return [(x, y)]
    if facebook:
        if height > width:
            return [(x, 0), (x, y), (x, height - side)]
        return [(0, y), (x, y), (width - side, y)]
    # an odd rest: the second crop is not at the end
    return [(0, 0), (2 * x, 2 * y), (x, y)]


def resized_planes(picture: np.ndarray, recipe: ClipRecipe, dtype: str) -> list[np.ndarray]:
    """The channels of a resized picture, in the recipe's order, (height, width) of `dtype` each.

    picture: (height, width, 3) uint8 BGR.
    """
    size = resized_size(picture.shape[1], picture.shape[0], recipe)
    if recipe.preprocessing.startswith("mmaction2"):
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    elif recipe.preprocessing == "huggingface":
        from PIL import Image  # this recipe alone needs it

        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    planes = cv2.split(picture)
    if recipe.channels == "rgb":
        planes = planes[::-1]
    if dtype == "uint8":
        return list(planes)
    values = level_values(recipe)  # (3, 256)
    planes = [cv2.LUT(plane, of_level) for plane, of_level in zip(planes, values, strict=True)]
    if recipe.preprocessing == "facebook":
        return list(_interpolated(np.stack(planes), size))  # resized when normalised
    return planes


def _interpolated(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(3, height, width) float32 at another size, which is (width, height).

    What torch.nn.functional.interpolate(mode="bilinear", align_corners=False) gives, to 2e-6,
    without PyTorch, which an Ascend machine need not have. cv2.resize places the pixels in another
    precision: up to 0.0006 off on noise.
    """
    for axis, new in ((1, size[1]), (2, size[0])):
        old = planes.shape[axis]
        if old == new:
            continue
        scale = np.float32(old) / np.float32(new)
        # product and difference round to float32 once, as PyTorch has it of a fused multiply-add
        place = (np.float64(scale) * (np.arange(new) + 0.5) - 0.5).astype(np.float32)
        place = np.maximum(place, 0)
        low = place.astype(int)
        high = np.minimum(low + 1, old - 1)
        share = (place - low.astype(np.float32)).reshape((-1, 1) if axis == 1 else -1)
        planes = planes.take(low, axis) * (1 - share) + planes.take(high, axis) * share
    return planes


def clip_from_frames(
    frames: Mapping[int, bytes | np.ndarray],
    numbers: list[int],
    recipe: ClipRecipe,
    dtype: str = "float32",
) -> np.ndarray:
    """The model's input for one video, of `recipe.shape`: (views, 3, frames, y, x).

    frames: by number the JPEGs of raw frames, or decoded pictures, (height, width, 3) uint8 BGR.
    numbers: of the frames of all clips, clip after clip. dtype: float32, or uint8 for the pixels
    before they are normalised. Raises ValueError for bytes that are no image, UserError for a
    recipe that there is no such clip for.
    """
    refuse_impossible(recipe, dtype)
    views = np.empty(recipe.shape, dtype)  # (views, 3, frames, y, x)
    clips, side = recipe.sampling.num_clips, recipe.side
    places: dict[int, list[tuple[int, int]]] = {number: [] for number in frames}  # (clip, t)
    for place, number in enumerate(numbers):
        places[number].append(divmod(place, recipe.sampling.clip_len))
    for number, frame in frames.items():
        if isinstance(frame, bytes):
            frame = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
            if frame is None:
                raise ValueError("not a readable JPEG")
        planes = resized_planes(frame, recipe, dtype)
        offsets = crop_offsets(planes[0].shape[1], planes[0].shape[0], recipe)
        for channel, plane in enumerate(planes):
            for crop, (x, y) in enumerate(offsets):
                for clip, t in places[number]:
                    views[crop * clips + clip, channel, t] = plane[y : y + side, x : x + side]
    return views


@decode.decoder_faults()
def clip_from_video(
    video: VideoFile, recipe: ClipRecipe, dtype: str = "float32"
) -> tuple[int, np.ndarray]:
    """The frame count and the model's input, as `clip_from_frames` gives it, from a video.

    JPEGs of raw frames stay in memory. Raises SkippedVideo, UserError.
    """
    refuse_impossible(recipe, dtype)
    keep = KEEP[recipe.source]
    total, numbers, frames = decode.clip_frames(video, recipe.sampling, keep)
    return total, clip_from_frames(frames, numbers, recipe, dtype)
