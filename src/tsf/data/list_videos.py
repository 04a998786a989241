"""List the videos and the classes of a dataset: videos.tsv and classes.txt."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.data.classes import add_classes_argument, class_names, unknown_labels, with_known_labels
from tsf.data.listing import add_dataset_arguments, list_videos, write_list
from tsf.files import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    add_classes_argument(parser)
    parser.add_argument("--output", type=Path, required=True, help="tsv: video, path, label")
    parser.add_argument("--output-classes", type=Path, required=True, help="text, a class a line")
    args = parser.parse_args()

    videos = list_videos(args.layout, args.root)
    names = class_names(args.layout, args.root, args.classes)
    unknown = unknown_labels(videos, names)
    if args.layout == "folder" and names and unknown:
        print(f"folders that are not classes, their videos unlabelled: {', '.join(unknown)}")
    write_list(args.output, with_known_labels(args.layout, videos, names))
    write_text(args.output_classes, "".join(f"{name}\n" for name in names))
    print(f"{len(videos)} videos listed, {len(names)} classes")


if __name__ == "__main__":
    errors.run(main)
