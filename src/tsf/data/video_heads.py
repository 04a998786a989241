"""The size, frame rate and true number of frames of every scored video, as a table."""

import argparse
from functools import partial
from pathlib import Path

import av
import pandas as pd

from tsf import errors
from tsf.data.listing import ListedVideo, add_dataset_arguments, dataset_of, list_videos
from tsf.files import write_text
from tsf.progress import each

HEADER = "video\twidth\theight\tfps\tframes\n"


def head(video: ListedVideo, root: Path) -> tuple[str, str, str]:
    """Width, height and average frame rate, "" where the file does not tell, or is raw frames."""
    if video.rawframes is not None:
        return "", "", ""
    try:
        with av.open(str(root / video.path)) as container:
            stream = container.streams.video[0]
            rate = stream.average_rate
            return str(stream.width), str(stream.height), f"{float(rate):.6g}" if rate else ""
    except (av.FFmpegError, OSError):  # it went, or was replaced, since it was decoded
        return "", "", ""


def read_heads(path: Path) -> pd.DataFrame:
    """By video the columns width, height, fps and frames, NaN where not known."""
    table = pd.read_csv(path, sep="\t", dtype={"video": str}, keep_default_na=False)
    numbers = table.drop(columns="video").apply(pd.to_numeric, errors="coerce")
    return numbers.set_index(table["video"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    parser.add_argument("--file-list", type=Path, required=True, help="mmaction2's, of the scored")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="tsv to write")
    args = parser.parse_args()

    rows = (line.split(" ") for line in args.file_list.read_text("utf-8").splitlines())
    frames = {name: total for name, total, _ in rows}
    # by name, so that a video with two rows counts once: the first of them, as it was scored
    videos = list({v.name: v for v in list_videos(dataset_of(args))[::-1]}.values())[::-1]
    videos = [video for video in videos if video.name in frames]
    found = each(partial(head, root=args.root), videos, args.processes, "read the videos' heads")
    lines = [
        "\t".join([video.name, *of_video, frames[video.name]]) + "\n"
        for video, of_video in zip(videos, found, strict=True)
    ]
    write_text(args.output, HEADER + "".join(lines))


if __name__ == "__main__":
    errors.run(main)
