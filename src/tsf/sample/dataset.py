"""Writes a validation set of motion clips in the layout of the cvdfoundation Kinetics-400 download.

Besides the good clips it has two faults of a real download: a video cut off in its middle, which
no decoder opens, and a row whose video is missing.
"""

import argparse
import string
from functools import partial
from pathlib import Path

import numpy as np

from tsf import errors
from tsf.data.kinetics import clip_name, write_annotations
from tsf.data.listing import Dataset, list_videos
from tsf.data.manifest import write_manifest
from tsf.files import whole_folder
from tsf.sample.clips import LABELS, SPLITS, clip_rng, write_clip
from tsf.workers import each

CLIP_SECONDS = 10
ID_CHARACTERS = np.array(list(string.ascii_letters + string.digits + "_-"))
ID_LENGTH = 11
TRAIN_ROWS_A_LABEL = 3
TEST_ROWS = 4
Row = tuple[str, str, int, int, str]  # label, YouTube id, start and end in seconds, split
# The names and the order of the rows come from streams of their own, after any clip's.
NAMES_STREAM = 2**31


def draw_rows(seed: int, split: str, labels: list[str]) -> list[Row]:
    """One csv row a label, with a made-up video id of 11 characters and a span of 10 s."""
    rng = clip_rng(seed, split, NAMES_STREAM)
    rows = []
    for label in labels:
        youtube_id = "".join(rng.choice(ID_CHARACTERS, ID_LENGTH))
        start = int(rng.integers(0, 300))
        rows.append((label, youtube_id, start, start + CLIP_SECONDS, split))
    return rows


def _write_video(index: int, rows: list[Row], folder: Path, seed: int, truncated: int) -> None:
    """Writes the validation video of one row."""
    label, youtube_id, start, end, _ = rows[index]
    path = folder / f"{clip_name(youtube_id, start, end)}.mp4"
    write_clip(path, clip_rng(seed, "val", index), label)
    if index == truncated:
        # The index of the file lies at its end, so half a file is nothing a decoder can open.
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])


def write_dataset(root: Path, seed: int, videos: int, processes: int) -> None:
    """Writes the annotations, the validation videos and, last, the manifest below `root`.

    Args:
        root: gets annotations/{train,val,test}.csv, val/*.mp4 and manifest.tsv.
        seed: the same seed gives the same bytes, whatever the number of processes.
        videos: good validation clips; the classes take turns. One truncated and one missing
            video are listed besides.
        processes: clips rendered at once.
    """
    rows = draw_rows(seed, "val", [LABELS[index % len(LABELS)] for index in range(videos + 2)])
    truncated, missing = videos, videos + 1

    order = clip_rng(seed, "val", NAMES_STREAM + 1).permutation(len(rows))
    splits = {
        "train": draw_rows(seed, "train", list(LABELS) * TRAIN_ROWS_A_LABEL),
        "val": [rows[index] for index in order],
        "test": draw_rows(seed, "test", list(LABELS[:TEST_ROWS])),
    }
    for split in SPLITS:
        write_annotations(root / "annotations" / f"{split}.csv", splits[split])

    written = [index for index in range(len(rows)) if index != missing]
    with whole_folder(root / "val") as folder:
        work = partial(_write_video, rows=rows, folder=folder, seed=seed, truncated=truncated)
        each(work, written, processes, "generate")
    write_manifest(root, list_videos(Dataset("kinetics", root)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="the folder of the dataset")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--videos", type=int, default=40, help="good validation clips")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    write_dataset(options.output, options.seed, options.videos, options.processes)


if __name__ == "__main__":
    errors.run(main)
