"""Lend an NPU to one process at a time."""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tsf.progress import announce

SECONDS_BETWEEN_TRIES = 0.05  # a device stands idle for half of that before the next job


@contextmanager
def device(ids: list[int]) -> Iterator[int]:
    """One of the devices `ids` that no other job of this user has; waits until one is free.

    A lock on a file in the machine's temporary folder: the system drops it when the process and
    the programs that it started have ended, however they end, and it holds between workflows in
    different folders. Whoever waits takes whichever device is free first. The job's log gets the
    times at which it waits, has a device and gives it back.
    """
    waits = False
    while True:
        for number in ids:
            path = Path(tempfile.gettempdir(), f"tsf-npu{number}-{os.getuid()}.lock")
            with open(path, "w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                # ais_bench inherits the lock: if this process is killed, it still uses the device
                os.set_inheritable(file.fileno(), True)
                announce(f"device {number}: taken")
                try:
                    yield number
                finally:
                    announce(f"device {number}: given back")
                return
        if not waits:
            announce(f"wait for a device of {' '.join(map(str, ids))}: other jobs have them")
            waits = True
        time.sleep(SECONDS_BETWEEN_TRIES)
