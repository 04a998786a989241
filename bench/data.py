"""The data path measured: from a video to its .bin file, the guide's way against ours.

    PYTHONPATH=src python bench/data.py      (`make bench-data` makes what it needs before)

The guide's way is run for real, with mmaction2's own code: every frame to a JPEG by
tools/data/build_rawframes.py, RawframeDataset with the config's test pipeline, then tofile. The
ways take turns within one process, clip after clip and round after round, on one processor, and
what counts is CPU time (user and system). Every .bin file is compared with the others.

The clips: three real ones as they are, and each at the size and length of a native Kinetics clip,
encoded with x264's own defaults at three bit rates.
"""

import argparse
import contextlib
import io
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2

from tsf import errors
from tsf.data import decode, preprocess, rawframes
from tsf.data.bins import bin_path, write_bin
from tsf.data.decoded import Decoded
from tsf.data.make_clip import clip_from_video
from tsf.engines.cpu import cpu_name
from tsf.files import sha256, write_json
from tsf.markdown import table
from tsf.model.recogniser import load_tool
from tsf.model.settings_argument import CONFIGS
from tsf.recipe.resolve import resolve
from tsf.sample import real_clips

CONFIG = "timesformer_divST_8x32x1_15e_kinetics400_rgb"
RECIPE = resolve({"config": CONFIG, "checkpoint": None}, None).recipe.clip
SOURCES = ("bikes", "bigbuckbunny", "carphone_pristine")
NATIVE = real_clips.Variant((340, 256), 300, 30)  # a native Kinetics clip
BIT_RATES = ("400k", "600k", "800k")  # bit/s; half a megabyte to one for ten seconds
REFERENCE, OURS, NEEDED, FLOOR = "guide", "keep: bins", "keep: frames", "decode only"


class Guide:
    """mmaction2's own scripts and classes, called as the guide calls them."""

    def __init__(self, mmaction2: Path, videos: list[Path], scratch: Path):
        sys.path.insert(0, str(mmaction2.resolve()))
        from mmaction.datasets import build_dataset
        from mmcv import Config

        self.rawframes = scratch / "rawframes"
        self.build_rawframes = load_tool(mmaction2, "data/build_rawframes.py")
        # the globals that its main() and its worker processes set
        vars(self.build_rawframes).update(
            args=Namespace(
                out_dir=str(self.rawframes),
                use_opencv=True,
                new_short=320,
                new_width=0,
                new_height=0,
            ),
            lock=threading.Lock(),
        )
        self.report = scratch / "build_report.txt"

        lines = []
        for video in videos:
            self.extract(video)
            lines.append(f"{video.stem} {len(os.listdir(self.rawframes / video.stem))} 0\n")
        file_list = scratch / "file_list.txt"
        file_list.write_text("".join(lines))
        test = Config.fromfile(str(mmaction2 / CONFIGS / f"{CONFIG}.py")).data.test
        test.update(ann_file=str(file_list), data_prefix=str(self.rawframes))
        self.dataset = build_dataset(test, {"test_mode": True})
        self.position = {video: index for index, video in enumerate(videos)}

    def extract(self, video: Path) -> None:
        """build_rawframes.py --level 1 --ext mp4 --task rgb --new-short 320 --use-opencv."""
        item = (str(video), video.name, 0, None, "rgb", str(self.report))
        with contextlib.redirect_stdout(io.StringIO()):
            self.build_rawframes.extract_frame(item)

    def make_bin(self, video: Path, folder: Path) -> None:
        from mmcv.parallel import collate

        self.extract(video)
        batch = collate([self.dataset[self.position[video]]], samples_per_gpu=1)
        batch["imgs"].numpy().tofile(bin_path(folder, video.stem))


def straight(video: Path, folder: Path) -> None:
    """Ours with `keep: bins`."""
    _, clip = clip_from_video(video, RECIPE)
    write_bin(clip, bin_path(folder, video.stem))


def through_frames(video: Path, folder: Path) -> None:
    """Ours with `keep: frames`."""
    total = rawframes.extract(video, folder / "needed" / video.stem, "needed", RECIPE.sampling)
    decoded = Decoded(video.stem, total, "")
    preprocess.bin_from_rawframes(decoded, folder / "needed", folder, RECIPE)


def decode_only(video: Path, folder: Path) -> None:
    """The floor: every frame is decoded and dropped. Writes nothing."""
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    while capture.grab():
        pass


def make_clips(videos: Path, folder: Path) -> list[Path]:
    """The real clips, and the native ones encoded from them: <source>_<bit rate>.mp4.

    videos: the folder of tsf.sample.real_clips' videos.
    """
    for source in SOURCES:
        clip = folder / f"{source}.mp4"
        shutil.copyfile(videos / f"{real_clips.clip_name(source, 0)}.mp4", clip)
        images = real_clips.read_frames(clip)
        for rate in BIT_RATES:
            path = folder / f"{source}_{rate}.mp4"
            real_clips.encode(path, images, NATIVE, {"preset": "medium", "b": rate})
    return sorted(folder.iterdir())


def describe(video: Path) -> dict:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        if stream.duration is None or stream.time_base is None:
            raise errors.UserError(f"{video}: its header does not tell how long it is")
        seconds = float(stream.duration * stream.time_base)
        return {
            "width": stream.width,
            "height": stream.height,
            "frames": decode.count_frames(video, RECIPE.sampling),
            "mbit_per_second": video.stat().st_size * 8e-6 / seconds,
            "native": (stream.width, stream.height) == NATIVE.size,
        }


def measure(
    ways: Mapping[str, Callable[[Path, Path], None]], videos: list[Path], rounds: int, scratch: Path
) -> dict[str, dict[str, list[float]]]:
    """CPU seconds by video, way and round. The first round warms up and is not among them."""
    seconds: dict[str, dict[str, list[float]]] = {
        video.stem: {way: [] for way in ways} for video in videos
    }
    names = list(ways)
    for turn in range(rounds + 1):
        order = names[turn % len(names) :] + names[: turn % len(names)]
        for video in videos:
            digests = set()
            for way in order:
                folder = scratch / "bins"
                folder.mkdir()
                start = time.process_time()
                ways[way](video, folder)
                spent = time.process_time() - start
                if turn:
                    seconds[video.stem][way].append(spent)
                if way != FLOOR:
                    digests.add(sha256(bin_path(folder, video.stem)))
                shutil.rmtree(folder)
            if len(digests) != 1:
                raise errors.UserError(f"{video}: the ways give different .bin files")
        print(f"round {turn} of {rounds}", file=sys.stderr, flush=True)
    return seconds


def ratio(
    seconds: dict[str, dict[str, list[float]]], videos: list[str], above: str, below: str
) -> dict[str, float]:
    """The CPU time of `above` by that of `below`, summed over the videos: a figure a round."""
    rounds = range(len(seconds[videos[0]][above]))
    found = [
        sum(seconds[v][above][r] for v in videos) / sum(seconds[v][below][r] for v in videos)
        for r in rounds
    ]
    return {"median": statistics.median(found), "min": min(found), "max": max(found)}


def time_table(clips: dict[str, dict], seconds: dict[str, dict[str, list[float]]]) -> str:
    """CPU milliseconds a video, the median of the rounds."""
    ways = list(next(iter(seconds.values())))
    rows = [
        [
            name,
            f"{clip['width']}x{clip['height']}",
            str(clip["frames"]),
            f"{clip['mbit_per_second']:.2f}",
            *(f"{1000 * statistics.median(seconds[name][way]):.0f}" for way in ways),
        ]
        for name, clip in clips.items()
    ]
    return table(["clip", "size", "frames", "Mbit/s", *ways], rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mmaction2", type=Path, default=Path("results/mmaction2"))
    parser.add_argument("--videos", type=Path, default=Path("results/real_clips/val"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("results/bench_data.json"))
    args = parser.parse_args()

    # with one processor to see, every library starts one thread
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(dir=args.output.parent) as scratch:
        folder = Path(scratch, "clips")
        folder.mkdir()
        videos = make_clips(args.videos, folder)
        clips = {video.stem: describe(video) for video in videos}
        guide = Guide(args.mmaction2, videos, Path(scratch))
        ways = {
            REFERENCE: guide.make_bin,
            OURS: straight,
            NEEDED: through_frames,
            FLOOR: decode_only,
        }
        seconds = measure(ways, videos, args.rounds, Path(scratch))

    native = [name for name, clip in clips.items() if clip["native"]]
    ratios = {
        f"{above} / {below}": ratio(seconds, native, above, below)
        for above, below in ((REFERENCE, OURS), (REFERENCE, NEEDED), (OURS, FLOOR))
    }
    content = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": cpu_name(),
        "opencv": cv2.__version__,
        "rounds": args.rounds,
        "clips": clips,
        "cpu_seconds": seconds,
        "native_ratios": ratios,
    }
    write_json(args.output, content)
    print(time_table(clips, seconds))
    print(f"CPU ms a video, median of {args.rounds} rounds; .bin files equal in every round.")
    print(f"Over the {len(native)} clips of 340x256, median [min, max] of the rounds:")
    for name, found in ratios.items():
        print(f"  {name}: {found['median']:.2f} [{found['min']:.2f}, {found['max']:.2f}]")


if __name__ == "__main__":
    errors.run(main)
