"""The size, frame rate and true number of frames of every scored video, as a table."""

import argparse
from functools import partial
from pathlib import Path

import av
import pandas as pd

from tsf import errors
from tsf.data.byte_range import ffmpeg_name
from tsf.data.listing import (
    ListedVideo,
    add_dataset_arguments,
    by_name,
    dataset_of,
    list_videos,
)
from tsf.data.tables import read_lines, read_table, write_table
from tsf.workers import each

COLUMNS = ("video", "width", "height", "fps", "frames")


def head(video: ListedVideo, root: Path) -> tuple[str, str, str]:
    """Width, height and average frame rate, "" where the file does not tell, or is raw frames."""
    if video.rawframes is not None:
        return "", "", ""
    file = video.file(root)
    try:
        # titles may be in any encoding
        with ffmpeg_name(file) as name, av.open(name, metadata_errors="replace") as container:
            stream = container.streams.video[0]
            if stream.codec_context is None:  # a codec that is not known
                return "", "", ""
            rate = stream.average_rate
            return str(stream.width), str(stream.height), f"{float(rate):.6g}" if rate else ""
    except (av.FFmpegError, OSError):  # it went, or was replaced, since it was decoded
        return "", "", ""


def untold(video: ListedVideo, reason: str) -> tuple[str, str, str]:
    """The head of a video that took its process with it. reason: of `tsf.workers`."""
    return "", "", ""


def read_heads(path: Path) -> pd.DataFrame:
    """By video the columns width, height, fps and frames, NaN where not known."""
    table = pd.DataFrame(read_table(path, COLUMNS), columns=list(COLUMNS))
    numbers = table.drop(columns="video").apply(pd.to_numeric, errors="coerce")
    return numbers.set_index(table["video"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_dataset_arguments(parser)
    parser.add_argument("--file-list", type=Path, required=True, help="mmaction2's, of the scored")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="tsv to write")
    args = parser.parse_args()

    rows = (line.split(" ") for line in read_lines(args.file_list))
    frames = {name: total for name, total, _ in rows}
    listed = by_name(list_videos(dataset_of(args)))
    videos = [video for name, video in listed.items() if name in frames]
    work, limit = partial(head, root=args.root), args.video_time_limit
    found = each(work, videos, args.processes, "read the videos' heads", untold, limit)
    rows_of_videos = [
        (video.name, *of_video, frames[video.name])
        for video, of_video in zip(videos, found, strict=True)
    ]
    write_table(args.output, COLUMNS, rows_of_videos)


if __name__ == "__main__":
    errors.run(main)
