"""Write the guide's file list, k400.info, and why each other listed video is not scored."""

import argparse
import os
from pathlib import Path

from tsf import errors
from tsf.data.classes import read_classes
from tsf.data.decoded import Decoded, read_decoded
from tsf.data.k400_info import NO_LABEL, ScoredVideo, write_info, write_skipped
from tsf.data.listing import ListedVideo, read_list
from tsf.data.tables import write_lines
from tsf.errors import UserError
from tsf.files import whole_folder

UNKNOWN_LABEL = "unknown label: not among the classes"
DUPLICATE = "duplicate row"
CONFLICT = "conflicting labels: its rows do not agree"


def account(
    listed: list[ListedVideo], decoded: dict[str, Decoded], classes: list[str]
) -> tuple[list[ScoredVideo], list[tuple[ListedVideo, str]]]:
    """Split the listed videos into scored and skipped (with the reason), in the list's order.

    Raises UserError if the listed videos are not those of the shards' tables, or if none can be
    scored.
    """
    class_index = {name: index for index, name in enumerate(classes)}
    scored: list[ScoredVideo] = []
    skipped: list[tuple[ListedVideo, str]] = []
    seen = set()
    disputed = conflicting(listed)
    for video in listed:
        if video.name not in decoded:
            raise UserError(
                f"{video.path} was added to the list after the shards were decoded; run again"
            )
        if video.name in disputed:
            skipped.append((video, CONFLICT))
        elif video.name in seen:
            skipped.append((video, DUPLICATE))
        elif decoded[video.name].skipped:
            skipped.append((video, decoded[video.name].skipped))
        elif video.label and video.label not in class_index:
            skipped.append((video, UNKNOWN_LABEL))
        else:
            label = class_index.get(video.label, NO_LABEL)
            scored.append(ScoredVideo(len(scored), video.name, label))
        seen.add(video.name)
    if strange := decoded.keys() - seen:
        raise UserError(
            f"{min(strange)} was decoded, but is not listed; delete results/videos.tsv and run "
            "again"
        )
    if not scored:
        raise UserError(
            f"none of the {len(listed)} listed videos can be scored; the first, "
            f"{skipped[0][0].path}: {skipped[0][1]}; check dataset.root in the config"
        )
    return scored, skipped


def conflicting(listed: list[ListedVideo]) -> set[str]:
    """The names of the videos that have rows with several labels: none tells which one is right."""
    labels: dict[str, str] = {}
    return {v.name for v in listed if labels.setdefault(v.name, v.label) != v.label}


def refuse_bad_videos(bad: list[tuple[str, str]], listed: int) -> None:
    """Raises UserError if there is one. bad: path and reason; listed: how many videos in all."""
    if bad:
        path, reason = bad[0]
        raise UserError(
            f"{len(bad)} of {listed} listed videos cannot be scored, the first is {path}: "
            f"{reason}; repair or remove them, or set on_bad_video: skip"
        )


def main() -> None:
    # @FILE stands for the lines of FILE: a command line has no room for tens of thousands of shards
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--list", type=Path, required=True, help="tsv of the listed videos")
    parser.add_argument("--classes", type=Path, required=True, help="text, a class a line")
    parser.add_argument("--tables", type=Path, required=True, nargs="+", help="the shards' tables")
    parser.add_argument("--rawframes", type=Path, nargs="*", default=[], help="the shards' folders")
    parser.add_argument("--on-bad-video", choices=["skip", "fail"], default="skip")
    parser.add_argument("--file-list", type=Path, required=True)
    parser.add_argument("--info", type=Path, required=True)
    parser.add_argument("--skipped", type=Path, required=True)
    parser.add_argument("--links", type=Path, help="folder to write: <video> -> its raw frames")
    args = parser.parse_args()

    listed = read_list(args.list)
    decoded = {video.name: video for path in args.tables for video in read_decoded(path)}
    scored, skipped = account(listed, decoded, read_classes(args.classes))
    for video, reason in skipped:
        print(f"skipped {video.path}: {reason}")
    if args.on_bad_video == "fail":
        refuse_bad_videos([(video.path, reason) for video, reason in skipped], len(listed))

    lines = (f"{v.name} {decoded[v.name].frames} {v.label}" for v in scored)
    write_lines(args.file_list, lines)
    write_info(args.info, scored)
    write_skipped(args.skipped, [(v.name, v.label, reason) for v, reason in skipped])
    if args.links:
        link_rawframes(args.rawframes, args.links)
    print(f"{len(listed)} videos listed, {len(scored)} scored, {len(skipped)} skipped")


def link_rawframes(shards: list[Path], links: Path) -> None:
    """One folder with every video's raw frames, as mmaction2's datasets expect them."""
    with whole_folder(links) as folder:
        for shard in shards:
            for video in shard.glob("[!.]*"):  # Snakemake keeps a hidden file there
                target = os.path.relpath(video, links)
                (folder / video.name).symlink_to(target, target_is_directory=True)


if __name__ == "__main__":
    errors.run(main)
