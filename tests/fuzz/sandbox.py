"""Run a step's main() in this process as its command line, and watch what it does.

A process a step, as the workflow's rules start one, would take some seconds of imports each.
"""

import io
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from tsf import errors

MEMORY = 2 << 30  # bytes beyond those of the imported packages
# what an audit event is called -> which of its arguments are paths that it changes
CHANGES = {
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "shutil.rmtree": (0,),
}
OF_ONNX_RUNTIME = ".ses"  # which it leaves in TMPDIR, once a process


class Fault(Exception):
    """What a step must never do; the message says what it was."""


class Watch:
    """Remembers each file that is changed outside the folders where that is allowed."""

    def __init__(self) -> None:
        self.on = False  # while a step runs
        self.allowed: tuple[str, ...] = ()
        self.outside: list[str] = []

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        if event == "open":
            path, _, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            paths = [path] if writes else []
        elif event in ("os.remove", "os.rmdir") and arguments[1] != -1:
            paths = []  # relative to an open folder: a part of shutil.rmtree, seen as a whole
        else:
            paths = [arguments[number] for number in CHANGES.get(event, ())]
        for path in paths:
            if isinstance(path, (str, bytes, os.PathLike)):
                absolute = os.path.abspath(os.fsdecode(path))
                if not absolute.startswith((*self.allowed, "/dev/")):
                    self.outside.append(f"{event} {absolute}")


WATCH = Watch()


@cache
def watch() -> None:
    """Once a process, which cannot take it off again."""
    sys.addaudithook(WATCH)


@cache
def prepare() -> None:
    """Once a process of mutants: the watch, a bound on its memory, and one thread a library."""
    import cv2
    import torch

    watch()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # FFmpeg's and libjpeg's own messages
    sys.dont_write_bytecode = True
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with open("/proc/self/status") as file:
        used = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmData"))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, hard))


@contextmanager
def watched(scratch: Path) -> Iterator[None]:
    """Within `scratch`, where `out` alone may be changed. Raises Fault for a change elsewhere."""
    back = os.getcwd()
    temporary = scratch / "tmp"
    temporary.mkdir()
    os.chdir(scratch)
    with mock.patch.dict(os.environ, TMPDIR=str(temporary)), mock.patch("tempfile.tempdir", None):
        WATCH.outside.clear()
        WATCH.allowed = (f"{scratch / 'out'}", f"{temporary}")
        try:
            yield
        finally:
            os.chdir(back)
    if WATCH.outside:
        raise Fault(f"changed outside of its output: {WATCH.outside[0]}")
    left = {path.name for path in temporary.iterdir()} - {OF_ONNX_RUNTIME}
    if left:
        raise Fault(f"left behind in TMPDIR: {min(left)}")


def here(work: Callable, items: Sequence, *_: Any, **__: Any) -> list:
    """Stands in for `tsf.workers.each`: no process of its own, which would take a second."""
    return [work(item) for item in items]


def step(module: str, *arguments: object) -> bool:
    """Whether a step succeeds; the other end that it may have is one line. Raises Fault."""
    loaded = import_module(f"tsf.{module}")
    with mock.patch.object(sys, "argv", [module, *map(str, arguments)]):
        if hasattr(loaded, "each"):
            with mock.patch.object(loaded, "each", here):
                return ends_well(loaded.main)
        return ends_well(loaded.main)


def ends_well(main: Callable[[], Any]) -> bool:
    """Whether `main` succeeds; the other end that it may have is one line. Raises Fault."""
    said = io.StringIO()
    WATCH.on = True
    try:
        with redirect_stdout(said), redirect_stderr(said):
            errors.run(main)
    except SystemExit as end:
        if end.code in (None, 0):
            return True
        if not isinstance(end.code, str) or not end.code.startswith("error: "):
            raise Fault(f"ended with {end.code!r}: {said.getvalue()[-300:]}") from None
        if len(end.code.splitlines()) > 1:
            raise Fault(f"several lines: {end.code!r}") from None
        return False
    except MemoryError:
        raise
    except Exception:
        raise Fault(traceback.format_exc()) from None
    finally:
        WATCH.on = False
    return True
