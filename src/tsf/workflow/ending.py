"""TERM and INT end the jobs of a run, and not Snakemake alone, which then waits for its jobs.

On TERM it lets them finish, be it hours. On INT it counts on a terminal, which tells every process
that belongs to it; another program that sends INT tells Snakemake alone.
"""

import signal
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import psutil


def end_jobs_too() -> None:
    """To be called when Snakemake has set up its own handlers, which still come after."""
    for number in (signal.SIGINT, signal.SIGTERM):
        snakemakes = signal.getsignal(number)
        if callable(snakemakes):  # INT is ignored in a script's background
            signal.signal(number, partial(_end, snakemakes=snakemakes))


def _end(number: int, frame: FrameType | None, snakemakes: Any) -> None:
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    snakemakes(number, frame)
