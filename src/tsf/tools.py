"""The programs that a step needs beyond this Python: found early, or refused with the remedy."""

import os
import shutil
import sys
from pathlib import Path

from tsf.errors import UserError


def put_this_python_first() -> None:
    """Make `python` in a job mean this one, also where its environment was not activated.

    A job's conda environment still comes before it.
    """
    own = str(Path(sys.executable).parent)
    os.environ["PATH"] = own + os.pathsep + os.environ.get("PATH", "")


def require_atc(soc_version: str | None) -> None:
    """Raises UserError if tsf.om cannot be compiled here."""
    if shutil.which("atc") is None:
        raise UserError(
            "atc is not on PATH, and results/tsf.om is made by it: install CANN, then "
            "`source /usr/local/Ascend/ascend-toolkit/set_env.sh` (from CANN 8.5: "
            "/usr/local/Ascend/cann/set_env.sh) in this shell and run the command again"
        )
    if soc_version is None:
        raise UserError(
            "ascend.soc_version is not set in the config: `npu-smi info` shows the chip, "
            "and 310P3 is Ascend310P3"
        )
