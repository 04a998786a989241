"""Lend an NPU to one process at a time."""

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tsf.errors import UserError
from tsf.progress import announce

# CANN's: the devices that a process sees, which it then counts from 0. A scheduler sets it for the
# devices that it gives a job.
VISIBLE = "ASCEND_RT_VISIBLE_DEVICES"

SECONDS_BETWEEN_TRIES = 0.05  # a device stands idle for half of that before the next job


def devices_here(ids: list[int]) -> dict[int, int]:
    """The number by which CANN's programs know each device here, by the device's id.

    ids: of the config, in whose place come the devices that the environment gives. Raises UserError
    for a list of those that CANN would read in part.
    """
    given = os.environ.get(VISIBLE)
    if given is None:
        return {number: number for number in ids}
    numbers = given.split(",")
    here = {int(n): index for index, n in enumerate(numbers) if re.fullmatch(r"[0-9]{1,9}", n)}
    if len(here) < len(numbers):
        raise UserError(
            f"{VISIBLE} is {given!r}, not ids with commas between them, each once, as in 0,1; set "
            "it so, or unset it for ascend.devices of the config to count"
        )
    return here


@contextmanager
def device(ids: list[int]) -> Iterator[int]:
    """One of `devices_here` that no other job of this user has; waits until one is free.

    Gives the number for CANN's programs. The lock and the log have the device's id, which is the
    same for every job of the machine.

    A lock on a file in the machine's temporary folder: the system drops it when the process and
    the programs that it started have ended, however they end, and it holds between workflows in
    different folders. Whoever waits takes whichever device is free first. The job's log gets the
    times at which it waits, has a device and gives it back.
    """
    waits = False
    here = devices_here(ids)
    while True:
        for number, index in here.items():
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
                    yield index
                finally:
                    announce(f"device {number}: given back")
                return
        if not waits:
            announce(f"wait for a device of {' '.join(map(str, here))}: other jobs have them")
            waits = True
        time.sleep(SECONDS_BETWEEN_TRIES)
