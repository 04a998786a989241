"""Lend an NPU or a GPU to one process at a time."""

import ctypes
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from uuid import UUID

from tsf.engines.setup import Setup
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


def first_gpu() -> str:
    """The UUID of the first GPU that CUDA sees here; "0" where no driver of CUDA's tells it.

    Only the driver knows which one that is: CUDA_VISIBLE_DEVICES may count in another order than
    nvidia-smi does, or only among those that a scheduler left to the job, and may name a part of a
    GPU. Nothing is started on the GPU. The functions are those of cuda.h.
    """
    ordinal, uuid = ctypes.c_int(), ctypes.create_string_buffer(16)
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        status = (
            cuda.cuInit(0)
            or cuda.cuDeviceGet(ctypes.byref(ordinal), 0)
            or cuda.cuDeviceGetUuid_v2(uuid, ordinal)
        )
    except (OSError, AttributeError):  # no driver, or one before CUDA 11.4
        return "0"
    return "0" if status else str(UUID(bytes=uuid.raw))


@contextmanager
def device(ids: list[int]) -> Iterator[int]:
    """One of `devices_here` that no other job of this user has; waits until one is free.

    Gives the number for CANN's programs. The lock and the log have the device's id, which is the
    same for every job of the machine.
    """
    here = {str(number): index for number, index in devices_here(ids).items()}
    with _one_of("npu", list(here)) as number:
        yield here[number]


def device_of(setup: Setup) -> AbstractContextManager[object]:
    """The GPU or NPU that a setup's engine opens, the first that it sees; as `device`.

    To be had before the engine is loaded. An engine on the CPU waits for nothing.
    """
    if setup.accelerator is None:
        return nullcontext()
    name = str(next(iter(devices_here([0])))) if setup.accelerator == "npu" else first_gpu()
    return _one_of(setup.accelerator, [name])


@contextmanager
def _one_of(kind: str, names: list[str]) -> Iterator[str]:
    """One of the devices with these names; waits until one is free.

    A lock on a file in the machine's temporary folder: the system drops it when the process and
    the programs that it started have ended, however they end, and it holds between workflows in
    different folders. Whoever waits takes whichever device is free first. The job's log gets the
    times at which it waits, has a device and gives it back.
    """
    waits = False
    while True:
        for name in names:
            path = Path(tempfile.gettempdir(), f"tsf-{kind}{name}-{os.getuid()}.lock")
            with open(path, "w", opener=_no_link) as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                # a program that is started for the device, as ais_bench, may inherit the lock: if
                # this process is killed, that one still uses the device
                os.set_inheritable(file.fileno(), True)
                announce(f"device {name}: taken")
                try:
                    yield name
                finally:
                    announce(f"device {name}: given back")
                return
        if not waits:
            announce(f"wait for a device of {' '.join(names)}: other jobs have them")
            waits = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _no_link(path: str, flags: int) -> int:
    """In a folder where everyone may write, a link would have another file of ours emptied."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
