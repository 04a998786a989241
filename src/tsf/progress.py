"""Report the progress of work on many videos.

Progress is plain lines, which read the same on a terminal and in a log.
"""

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

Result = TypeVar("Result")
SECONDS_BETWEEN_LINES = 5.0


def announce(text: str) -> None:
    """Print `text` behind the date and the time: a log then tells what a job did when.

    Not for a result: two runs over the same videos must give the same bytes.
    """
    print(f"{datetime.now().isoformat(' ', 'milliseconds')} {text}", flush=True)


def with_progress(results: Iterator[Result], total: int, label: str) -> Iterator[Result]:
    """Pass `results` on; print how many of `total` are done, how fast, and the time left."""
    start = last_line = time.monotonic()
    for done, result in enumerate(results, 1):
        yield result
        now = time.monotonic()
        if done == total or now - last_line >= SECONDS_BETWEEN_LINES:
            last_line = now
            rate = done / max(now - start, 1e-9)
            left = (total - done) / rate
            line = f"{label}: {done}/{total} videos, {rate:.1f}/s, {left:.0f} s left"
            print(line, file=sys.stderr, flush=True)
