"""The environment of the jobs, and that of the vendor's programs, which need the user's Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tsf.errors import UserError
from tsf.progress import IN_A_JOB

# the environment variable that names the folder on PATH that is not for the vendor's programs
ADDED = "TSF_PYTHON_ON_PATH"
# ONNX Runtime and NNCF would otherwise report their use to their makers
NO_TELEMETRY = {"ORT_DISABLE_TELEMETRY": "1", "NNCF_CI": "1"}
# OpenCV and the FFmpeg in it name no file: what is wrong with a video is in `skipped.tsv`
QUIET_OPENCV = {"OPENCV_LOG_LEVEL": "ERROR", "OPENCV_FFMPEG_LOGLEVEL": "8"}  # 8: fatal errors


def prepare(package: Path) -> None:
    """Make `python -m tsf...` in a job run this Python and this checkout's package.

    Neither the environment needs to be activated nor the package installed. A job's conda
    environment still comes before this Python, and CANN's own modules stay on PYTHONPATH. The jobs'
    logs tell their CPU time.

    package: the folder that holds tsf/.
    """
    os.environ |= QUIET_OPENCV | dict(os.environ)  # the user's own values come first
    os.environ |= NO_TELEMETRY | {IN_A_JOB: "1"}
    modules = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = [folder for folder in modules if folder and folder != str(package)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(package), *others])
    own = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "")
    # a virtual environment, activated or not, holds the workflow's packages and not the tools'
    if own not in path.split(os.pathsep) or sys.prefix != sys.base_prefix:
        os.environ[ADDED] = own
    os.environ["PATH"] = own + os.pathsep + path


def tool_environment() -> dict[str, str]:
    """The environment for atc and ais_bench: the user's own `python3`, not the workflow's.

    atc imports Python modules of its own from the python3 on PATH, and ais_bench's native part is
    built for one Python version: the user installed both for that python3.
    """
    environment = dict(os.environ)
    folders = environment.get("PATH", "").split(os.pathsep)
    added = environment.pop(ADDED, None)
    environment["PATH"] = os.pathsep.join(folder for folder in folders if folder != added)
    return environment


def find_tool(name: str) -> str | None:
    """The path of a program in `tool_environment`, None if it is not on PATH there."""
    return shutil.which(name, path=tool_environment()["PATH"])


def source(script: str) -> None:
    """Take over what a shell script such as CANN's set_env.sh sets. Raises UserError.

    It runs without `set -u`, under which set_env.sh fails.
    """
    # `;` before env, not `&&`: the script's last command may fail although the script has worked
    command = '[ -r "$0" ] || exit 1; source "$0" >/dev/null; env -0'
    result = subprocess.run(["bash", "-c", command, script], capture_output=True)
    if result.returncode:
        reason = result.stderr.decode(errors="replace").strip() or "not readable, or it failed"
        raise UserError(f"ascend.set_env: cannot source {script} ({reason.splitlines()[-1]})")
    for entry in result.stdout.decode(errors="surrogateescape").split("\0"):
        name, equals, value = entry.partition("=")
        if equals and name not in ("_", "SHLVL"):
            os.environ[name] = value
