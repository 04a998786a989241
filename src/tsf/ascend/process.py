"""Run a vendor's program: its output passed on as it comes, and kept to be judged."""

import re
import subprocess
from pathlib import Path

from tsf.workflow.environment import tool_environment

PROGRESS_BAR = re.compile(r"\d+%\|")


def run(command: list[str], folder: Path | None = None, show: bool = True) -> tuple[str, int]:
    """Run `command` in `folder`. Returns what it printed, progress bars left out, and its status.

    show: print it too, as it comes.
    A program that is not there ends with status 127, as in a shell.
    """
    lines = []
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=tool_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            close_fds=False,  # passes on what is marked for it: the lock on a device
        )
    except FileNotFoundError:
        return f"{command[0]}: command not found", 127
    with process:
        assert process.stdout is not None  # a pipe, as asked for above
        for line in process.stdout:
            if not PROGRESS_BAR.search(line):
                lines.append(line)
                if show:
                    print(line, end="", flush=True)
    return "".join(lines), process.returncode


def ending(status: int) -> str:
    """How a program ended that did not succeed."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
