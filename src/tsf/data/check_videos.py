"""Check the file of every listed video before the long work, and report the faults.

Only the header of a file is read, and raw frames are only looked for. Damage behind that is found
when the video is decoded, and accounted for then.
"""

import argparse
import os
from collections import Counter
from functools import partial
from pathlib import Path

from tsf import errors
from tsf.data import decode
from tsf.data.account import DUPLICATE, UNKNOWN_LABEL, refuse_bad_videos
from tsf.data.class_numbers import add_class_count_argument, with_class_names
from tsf.data.classes import add_classes_argument, class_names, with_known_labels
from tsf.data.listing import (
    SUFFIXES,
    ListedVideo,
    add_dataset_arguments,
    dataset_of,
    list_videos,
)
from tsf.data.rawframe_folder import refuse_absent
from tsf.data.tables import write_table
from tsf.progress import each
from tsf.recipe.record import Sampling, add_recipe_argument

FEW_FRAMES = "fewer frames than a clip has (scored, as frames are repeated)"
NOT_LISTED = "not listed: no row names this file"
SCORED_ALL_THE_SAME = (FEW_FRAMES, NOT_LISTED)


def finding(video: ListedVideo, root: Path, sampling: Sampling) -> str:
    """The fault of a video's file or of its folder of raw frames, or ""."""
    path = root / video.path
    try:
        if video.rawframes is None:
            frames = decode.header_frames(path)
        else:
            refuse_absent(path, video.rawframes, sampling)
            frames = video.rawframes.total
    except decode.SkippedVideo as reason:
        return str(reason)
    return FEW_FRAMES if 0 < frames < sampling.clip_len else ""


def check(
    videos: list[ListedVideo], classes: list[str], root: Path, sampling: Sampling, processes: int
) -> list[tuple[str, str]]:
    """(path, finding) of every listed video that has one."""
    findings = []
    known, seen = set(classes), set()
    files = each(partial(finding, root=root, sampling=sampling), videos, processes, "check videos")
    for video, found in zip(videos, files, strict=True):
        if video.name in seen:
            findings.append((video.path, DUPLICATE))
        elif found and found not in SCORED_ALL_THE_SAME:
            findings.append((video.path, found))
        elif video.label and video.label not in known:
            findings.append((video.path, f"{UNKNOWN_LABEL}: {video.label}"))
        elif found:
            findings.append((video.path, found))
        seen.add(video.name)
    return findings


def not_listed(videos: list[ListedVideo], root: Path) -> list[tuple[str, str]]:
    """(path, NOT_LISTED) of every other video in the folders that the listed ones lie in."""
    found = []
    listed = {video.path for video in videos}
    for folder in sorted({str(Path(path).parent) for path in listed}):
        for name in sorted(os.listdir(root / folder) if (root / folder).is_dir() else []):
            path = str(Path(folder, name))
            if Path(name).suffix.lower() in SUFFIXES and path not in listed:
                found.append((path, NOT_LISTED))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    add_classes_argument(parser)
    add_class_count_argument(parser)
    add_recipe_argument(parser, Sampling)
    parser.add_argument("--on-bad-video", choices=["skip", "fail"], default="skip")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="tsv to write: path, finding")
    args = parser.parse_args()

    classes = class_names(args.layout, args.root, args.classes, args.class_count)
    videos = list_videos(dataset_of(args))
    if args.layout == "list":
        videos, classes = with_class_names(videos, classes, args.class_count)
    videos = with_known_labels(args.layout, videos, classes)
    findings = check(videos, classes, args.root, args.recipe, args.processes)
    if args.layout != "list":  # it names a part of the videos on purpose, those of a split
        findings += not_listed(videos, args.root)
    for path, found in findings:
        print(f"{path}: {found}")
    bad = [(path, found) for path, found in findings if found not in SCORED_ALL_THE_SAME]
    kinds = Counter(found.split(":")[0] for _, found in findings)
    summary = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common()) or "no fault found"
    print(f"{len(videos)} videos listed: {summary}")
    if args.on_bad_video == "fail":
        refuse_bad_videos(bad, len(videos))
    write_table(args.output, ("path", "finding"), findings)


if __name__ == "__main__":
    errors.run(main)
