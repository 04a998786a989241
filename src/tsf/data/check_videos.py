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
from tsf.data import decode, decoded
from tsf.data.account import (
    CONFLICT,
    DUPLICATE,
    UNKNOWN_LABEL,
    conflicting,
    refuse_bad_videos,
)
from tsf.data.class_numbers import add_class_count_argument, with_class_names
from tsf.data.classes import add_classes_argument, class_names, with_known_labels
from tsf.data.listed_file import file_of
from tsf.data.listing import (
    SUFFIXES,
    Dataset,
    ListedVideo,
    add_dataset_arguments,
    archived,
    dataset_of,
    list_videos,
)
from tsf.data.rawframe_folder import refuse_absent
from tsf.data.tables import write_table
from tsf.recipe.record import Sampling, add_recipe_argument
from tsf.workers import each

FEW_FRAMES = "fewer frames than a clip has (scored, as frames are repeated)"
NOT_LISTED = "not listed: no row names this file"
SCORED_ALL_THE_SAME = (FEW_FRAMES, NOT_LISTED)


def finding(video: ListedVideo, root: Path, sampling: Sampling) -> str:
    """The fault of a video's file or of its folder of raw frames, or ""."""
    try:
        decode.refuse_long_name(video.name)
        if video.rawframes is None:
            file = file_of(video, root)
            frames = decode.header_frames(file)
            if 0 < frames < sampling.clip_len:  # the header may be wrong
                frames = decode.count_frames(file, sampling)
        else:
            refuse_absent(root / video.path, video.rawframes, sampling)
            frames = video.rawframes.total
    except decode.SkippedVideo as reason:
        return str(reason)
    return FEW_FRAMES if 0 < frames < sampling.clip_len else ""


def given_up(video: ListedVideo, reason: str) -> str:
    """The finding of a video that took its process with it. reason: of `tsf.workers`."""
    return decoded.given_up(video, reason).skipped


def check(
    videos: list[ListedVideo],
    classes: list[str],
    root: Path,
    sampling: Sampling,
    processes: int,
    time_limit: float | None = None,
) -> list[tuple[str, str]]:
    """(path, finding) of every listed video that has one. time_limit: seconds for a video."""
    findings = []
    known, seen, disputed = set(classes), set(), conflicting(videos)
    work = partial(finding, root=root, sampling=sampling)
    files = each(work, videos, processes, "check videos", given_up, time_limit)
    for video, found in zip(videos, files, strict=True):
        if video.name in disputed:
            findings.append((video.path, CONFLICT))
        elif video.name in seen:
            findings.append((video.path, DUPLICATE))
        elif found and found not in SCORED_ALL_THE_SAME:
            findings.append((video.path, found))
        elif video.label and video.label not in known:
            findings.append((video.path, f"{UNKNOWN_LABEL}: {video.label}"))
        elif found:
            findings.append((video.path, found))
        seen.add(video.name)
    return findings


def not_listed(videos: list[ListedVideo], dataset: Dataset) -> list[tuple[str, str]]:
    """(path, NOT_LISTED) of every other video in the folders, or archives, of the listed ones."""
    found = []
    root, listed = dataset.root, {video.path for video in videos}
    if dataset.layout == "tar":
        names = {Path(path).name for path in listed}
        others = [member for member in archived(dataset) if member.name not in names]
        return [(m.place, NOT_LISTED) for m in others if Path(m.name).suffix.lower() in SUFFIXES]
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
    limits = (args.processes, args.video_time_limit)
    findings = check(videos, classes, args.root, args.recipe, *limits)
    if args.layout != "list":  # it names a part of the videos on purpose, those of a split
        findings += not_listed(videos, dataset_of(args))
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
