"""Lend an NPU to one process at a time."""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS_BETWEEN_TRIES = 0.2


@contextmanager
def device(ids: list[int]) -> Iterator[int]:
    """One of the devices `ids` that no other job of this user has; waits until one is free.

    A lock on a file in the machine's temporary folder: the system drops it when the process and
    the programs that it started have ended, however they end, and it holds between workflows in
    different folders.
    """
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
                yield number
                return
        time.sleep(SECONDS_BETWEEN_TRIES)
