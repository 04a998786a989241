"""How a step tells its user that the input is at fault: one line, no traceback."""

import errno
import sys
from collections.abc import Callable


class UserError(Exception):
    """A fault of the input or the machine: what is wrong, where, and what to do about it."""


def run(main: Callable[[], None]) -> None:
    """Run a command line; a UserError or a failed file operation ends it with one line."""
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        sys.exit(f"error: {error}" + ("; free some space and run again" if full else ""))
