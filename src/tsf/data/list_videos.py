"""List the videos and the classes of a dataset: videos.tsv and classes.txt."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.data.class_numbers import add_class_count_argument, with_class_names
from tsf.data.classes import (
    add_classes_argument,
    class_names,
    unknown_labels,
    with_known_labels,
    write_classes,
)
from tsf.data.listing import ListedVideo, add_dataset_arguments, dataset_of, list_videos, write_list


def described(args: argparse.Namespace, videos: list[ListedVideo]) -> str:
    """What the annotation file was taken for, on one line. args: of `add_dataset_arguments`."""
    blanks = sum(" " in video.path for video in videos)
    noted = f"; {blanks} paths hold blanks, which mmaction2 refuses" if blanks else ""
    if videos[0].rawframes is None:
        return f"{args.list}: PATH LABEL, videos in {args.root}{noted}"
    first = videos[0].rawframes.file_name(1)
    return f"{args.list}: FOLDER FRAMES LABEL, raw frames in {args.root} from {first} on{noted}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    add_classes_argument(parser)
    add_class_count_argument(parser)
    parser.add_argument("--output", type=Path, required=True, help="tsv: video, path, label")
    parser.add_argument("--output-classes", type=Path, required=True, help="text, a class a line")
    args = parser.parse_args()

    videos = list_videos(dataset_of(args))
    names = class_names(args.layout, args.root, args.classes, args.class_count)
    if args.layout == "list":
        print(described(args, videos))
        videos, names = with_class_names(videos, names, args.class_count)
    unknown = unknown_labels(videos, names)
    if args.layout == "folder" and names and unknown:
        print(f"folders that are not classes, their videos unlabelled: {', '.join(unknown)}")
    write_list(args.output, with_known_labels(args.layout, videos, names))
    write_classes(args.output_classes, names)
    print(f"{len(videos)} videos listed, {len(names)} classes")


if __name__ == "__main__":
    errors.run(main)
