"""Work that dies, hangs or raises as its item says; a module that spawned processes can import."""

import os
import signal
import time
from pathlib import Path

from tsf.errors import UserError


def work(item, folder=None):
    """Does what the item says, and notes that it was tried."""
    if folder:
        with open(folder / str(item).replace("/", "_"), "a") as file:
            file.write("x")
    if item == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "exit":
        os._exit(3)
    if item == "hang":
        time.sleep(600)
    if item == "memory":
        raise MemoryError
    if item == "raise":
        raise UserError("what, where and what to do")
    if item == "no pickle":
        raise NoPickle(1, 2)
    if isinstance(item, Path) and not item.exists():  # dies at the first try alone
        item.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return f"did {item}"


class NoPickle(Exception):
    def __init__(self, one, two):
        super().__init__("of two")
