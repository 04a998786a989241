"""Errors of the user's input, and their message: one line, no traceback."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tsf.progress import imported, tell_cpu_time

REMEDIES = {
    errno.ENOSPC: "; free some space and run again",
    errno.EDQUOT: "; free some space and run again",
    errno.EACCES: "; give the user who runs this the right to it, with chmod or chown",
    errno.EPERM: "; give the user who runs this the right to it, with chmod or chown",
    errno.EROFS: "; run in a folder that can be written to",
}


class UserError(Exception):
    """A fault of the input or the machine: what is wrong, where, and what to do about it."""


def last_line(output: str) -> str:
    """The last line that a program printed: mostly it says why the program failed."""
    return (output.strip().splitlines() or ["no message"])[-1].strip()


def on_one_line(error: object) -> str:
    """The text of a library's exception, which may have many lines, cut at 300 characters."""
    return " ".join(str(error).split())[:300]


@contextmanager
def one_line() -> Iterator[None]:
    """End the program with one line for a UserError or a file that the system refuses."""
    try:
        yield
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted")
    except BrokenPipeError:  # who read the output has read enough, as in `| head`
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        sys.exit(f"error: {_of_file(error)}")


def _of_file(error: OSError) -> str:
    """What the system says of a file, and what to do about it."""
    what = f"{error.filename}: {error.strerror}" if error.filename else on_one_line(error)
    return f"{what}{REMEDIES.get(error.errno or 0, '')}"


def run(main: Callable[[], None]) -> None:
    """Run a command line in `one_line`, and tell what it has used."""
    imported()
    with one_line():
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise
        finally:
            _print_the_rest()
        tell_cpu_time()


def _print_the_rest() -> None:
    """Before Python does, which would end with lines of its own if it cannot be written."""
    if sys.stdout is None:  # closed by who started this, as by `>&-`
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise
