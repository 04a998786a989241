"""The file of a listed video, or why it has none."""

from pathlib import Path

from tsf.data.byte_range import VideoFile
from tsf.data.decode import SkippedVideo
from tsf.data.listing import ListedVideo


def file_of(video: ListedVideo, root: Path) -> VideoFile:
    """Raises SkippedVideo for a video that the archives do not have as a file."""
    if video.fault:
        raise SkippedVideo(video.fault)
    return video.file(root)
