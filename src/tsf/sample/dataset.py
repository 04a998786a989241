"""Writes a validation set of motion clips in the layout of the cvdfoundation Kinetics-400 download.

Besides the good clips it holds what a real download holds: a video cut off in its middle, which no
decoder opens, and a row whose video is missing.
"""

import argparse
import csv
import io
import string
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from tsf.dataset import list_videos
from tsf.fingerprint import write_manifest
from tsf.sample.clips import LABELS, SPLITS, clip_rng, write_clip

CLIP_SECONDS = 10
COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")
ID_CHARACTERS = np.array(list(string.ascii_letters + string.digits + "_-"))
ID_LENGTH = 11
TRAIN_ROWS_A_LABEL = 3
TEST_ROWS = 4
# The names and the order of the rows come from streams of their own, after any clip's.
NAMES_STREAM = 2**31
SECONDS_A_REPORT = 2.0


def draw_rows(seed: int, split: str, labels: list[str]) -> list[tuple[str, str, int, int, str]]:
    """One csv row a label, with a made-up video id of 11 characters and a span of 10 s."""
    rng = clip_rng(seed, split, NAMES_STREAM)
    rows = []
    for label in labels:
        youtube_id = "".join(rng.choice(ID_CHARACTERS, ID_LENGTH))
        start = int(rng.integers(0, 300))
        rows.append((label, youtube_id, start, start + CLIP_SECONDS, split))
    return rows


def video_name(row: tuple[str, str, int, int, str]) -> str:
    """The file name of a row's video in the cvdfoundation download."""
    _, youtube_id, start, end, _ = row
    return f"{youtube_id}_{start:06d}_{end:06d}.mp4"


def _write_text(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="")
    part.replace(path)


def _write_annotations(path: Path, rows: list[tuple[str, str, int, int, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    _write_text(path, text.getvalue())


def _write_video(path: Path, seed: int, index: int, label: str, truncated: bool) -> None:
    """Writes one validation video beside its place and renames it."""
    part = path.with_name(path.name + ".part")
    write_clip(part, clip_rng(seed, "val", index), label)
    if truncated:
        # The index of the file lies at its end, so half a file is nothing a decoder can open.
        content = part.read_bytes()
        part.write_bytes(content[: len(content) // 2])
    part.replace(path)


def _write_videos(jobs: list[tuple], processes: int) -> None:
    """Runs `_write_video` on every job, with a line of progress every two seconds."""
    began = reported = time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        pending = [pool.submit(_write_video, *job) for job in jobs]
        for done, future in enumerate(as_completed(pending), 1):
            future.result()
            now = time.monotonic()
            if now - reported >= SECONDS_A_REPORT or done == len(jobs):
                reported, rate = now, done / (now - began)
                print(
                    f"{done}/{len(jobs)} videos, {rate:.1f} a second, "
                    f"{(len(jobs) - done) / rate:.0f} s left",
                    file=sys.stderr,
                    flush=True,
                )


def write_dataset(root: Path, seed: int, videos: int, processes: int) -> None:
    """Writes the annotations, the validation videos and, last, the manifest below `root`.

    Args:
        root: gets annotations/{train,val,test}.csv, val/*.mp4 and manifest.tsv.
        seed: the same seed gives the same bytes, whatever the number of processes.
        videos: good validation clips; the classes take turns. One truncated and one missing
            video are listed besides.
        processes: clips rendered at once.

    Raises:
        FileExistsError: val/ holds a file that is not of this set, which would be taken for a
            part of it.
    """
    folder = root / "val"
    rows = draw_rows(seed, "val", [LABELS[index % len(LABELS)] for index in range(videos + 2)])
    truncated, missing = videos, videos + 1
    names = {video_name(row): index for index, row in enumerate(rows) if index != missing}

    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name.removesuffix(".part") not in names:
            raise FileExistsError(f"not a video of this set, remove it first: {path}")
    (root / "annotations").mkdir(exist_ok=True)
    (root / "manifest.tsv").unlink(missing_ok=True)  # it stands for a finished set

    order = clip_rng(seed, "val", NAMES_STREAM + 1).permutation(len(rows))
    splits = {
        "train": draw_rows(seed, "train", list(LABELS) * TRAIN_ROWS_A_LABEL),
        "val": [rows[index] for index in order],
        "test": draw_rows(seed, "test", list(LABELS[:TEST_ROWS])),
    }
    for split in SPLITS:
        _write_annotations(root / "annotations" / f"{split}.csv", splits[split])

    jobs = [
        (folder / name, seed, index, rows[index][0], index == truncated)
        for name, index in names.items()
    ]
    _write_videos(jobs, processes)

    write_manifest(root, list_videos("kinetics", root))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="the folder of the dataset")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--videos", type=int, default=40, help="good validation clips")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    try:
        write_dataset(options.output, options.seed, options.videos, options.processes)
    except FileExistsError as error:
        sys.exit(f"tsf.sample.dataset: {error}")


if __name__ == "__main__":
    main()
