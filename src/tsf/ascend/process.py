"""Run a vendor's program, printing its output as it comes and returning it to be checked."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from tsf.workflow.environment import tool_environment

# tqdm's, after which an error may stand in the same line
PROGRESS_BAR = re.compile(r"[^\n]*\d+%\|[^\n]*\| \d+/\d+ \[[^\]\n]*\]")
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS_TO_END = 5  # after SIGTERM, before SIGKILL; and for what SIGKILL has ended to be gone


class OutOfTime(Exception):
    """The program did not end in time; it and all that it had started have been ended."""


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turn a signal that would end this process at once into an exception, for clean-up to run.

    The program has a session of its own, which the signals that a terminal or a scheduler sends to
    this process do not reach.
    """

    def end(number: int, frame: object) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # a second one must not break the clean-up off
        sys.exit(128 + number)

    found = {number: signal.getsignal(number) for number in ENDING}
    # one that is ignored, as SIGHUP under nohup, stays so
    before = {number: handler for number, handler in found.items() if handler != signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_all(program: subprocess.Popen[str]) -> None:
    """End `program` and what it has started and left behind, which would keep the device."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        limit = time.monotonic() + SECONDS_TO_END
        try:
            os.killpg(program.pid, number)
            while time.monotonic() < limit:
                program.poll()  # an ended program counts as there until its status is read
                os.killpg(program.pid, 0)
                time.sleep(0.05)
        except ProcessLookupError:
            return


def read(output: TextIO, lines: list[str], show: bool) -> None:
    """Append the output's lines to `lines`, without progress bars, and print them."""
    for printed in output:
        line = PROGRESS_BAR.sub("", printed)
        if line != printed and not line.strip():
            continue
        lines.append(line)
        if show:
            with suppress(BrokenPipeError):  # unread, the program would wait for its reader
                print(line, end="", flush=True)


def run(
    command: list[str], folder: Path | None = None, show: bool = True, seconds: float | None = None
) -> tuple[str, int]:
    """Run `command` in `folder`. Returns its output, progress bars left out, and its exit status.

    show: print the output too, as it comes. seconds: the longest that it may take. A missing
    program gives status 127, as in a shell. Whatever ends this function also ends the program and
    every process that it has started. Raises OutOfTime.
    """
    lines: list[str] = []
    with ending_on_signals():
        try:
            program = subprocess.Popen(
                command,
                cwd=folder,
                env=tool_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                close_fds=False,  # the program inherits the lock on its device
                start_new_session=True,
            )
        except FileNotFoundError:
            return f"{command[0]}: command not found", 127
        reader = threading.Thread(target=read, args=(program.stdout, lines, show), daemon=True)
        reader.start()
        try:
            program.wait(seconds)
        except subprocess.TimeoutExpired:
            raise OutOfTime from None
        finally:
            end_all(program)
            reader.join(SECONDS_TO_END)
    return "".join(lines), program.returncode


def ending(status: int) -> str:
    """How a failed program ended, as the end of a sentence."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
