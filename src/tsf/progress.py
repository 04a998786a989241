"""Report the progress of work on many videos, and what a step cost.

Both are plain lines, which read the same on a terminal and in a log.
"""

import os
import resource
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

Result = TypeVar("Result")
SECONDS_BETWEEN_LINES = 5.0
# the environment variable that is set in the workflow's jobs, whose logs tell their CPU time
IN_A_JOB = "TSF_IN_A_JOB"

# CPU seconds of this step: of its imports, and of all that comes before its first video
_imported = 0.0
_started: float | None = None


def announce(text: str) -> None:
    """Print `text` behind the date and the time: a log then tells what a job did when.

    Not for a result: two runs over the same videos must give the same bytes.
    """
    print(f"{datetime.now().isoformat(' ', 'milliseconds')} {text}", flush=True)


def cpu_seconds() -> float:
    """User and system time of this process and of those of its children that have ended."""
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def imported() -> None:
    """Note what the step has used to start Python and import its modules."""
    global _imported
    _imported = cpu_seconds()


def begin(workers: int = 0) -> None:
    """Note what the step has used to start, before its first video; later calls note nothing.

    workers: processes that are started for the videos. Each imports what this one has imported,
    and so is taken to cost as much.
    """
    global _started
    if _started is None:
        _started = cpu_seconds() + workers * _imported


def tell_cpu_time() -> None:
    """In a job, the last line, for `tsf.workflow.measured_rates`.

    Snakemake's benchmark files have a CPU time, too, but as of the last sample: it takes one twice
    a second, and after a quarter of a minute twice a minute.
    """
    if IN_A_JOB in os.environ:
        start = _imported if _started is None else _started
        line = f"used {cpu_seconds():.2f} s of CPU time, {start:.2f} s of it to start"
        print(line, file=sys.stderr, flush=True)


def with_progress(results: Iterator[Result], total: int, label: str) -> Iterator[Result]:
    """Pass `results` on; print how many of `total` are done, how fast, and the time left."""
    begin()
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
