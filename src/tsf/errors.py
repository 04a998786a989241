"""Errors of the user's input, and their message: one line, no traceback."""

import errno
import sys
from collections.abc import Callable


class UserError(Exception):
    """A fault of the input or the machine: what is wrong, where, and what to do about it."""


def last_line(output: str) -> str:
    """The last line that a program printed: mostly it says why the program failed."""
    return (output.strip().splitlines() or ["no message"])[-1].strip()


def on_one_line(error: Exception) -> str:
    """The text of a library's exception, which may have many lines, cut at 300 characters."""
    return " ".join(str(error).split())[:300]


def run(main: Callable[[], None]) -> None:
    """Run a command line; a UserError or a failed file operation ends it with one line."""
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        sys.exit(f"error: {error}" + ("; free some space and run again" if full else ""))
