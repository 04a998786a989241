"""Run a vendor's program, printing its output as it comes and returning it to be checked."""

import re
import subprocess
from pathlib import Path

from tsf.workflow.environment import tool_environment

PROGRESS_BAR = re.compile(r"\d+%\|")


def run(command: list[str], folder: Path | None = None, show: bool = True) -> tuple[str, int]:
    """Run `command` in `folder`. Returns its output, progress bars left out, and its exit status.

    show: print the output too, as it comes. A missing program gives status 127, as in a shell.
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
            close_fds=False,  # the program inherits the lock on its device
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
    """How a failed program ended, as the end of a sentence."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
