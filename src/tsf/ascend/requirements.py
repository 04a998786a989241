"""The programs that a step needs beyond this Python: found early, or refused with the remedy."""

import shutil
import subprocess

from tsf.ascend import npu_smi
from tsf.errors import UserError
from tsf.workflow.environment import tool_environment

# run in the Python that has ais_bench; prints what it lacks, and fails if the native part does
LACKS = """
import importlib.util
lacks = [n for n in ("ais_bench", "aclruntime") if importlib.util.find_spec(n) is None]
print(" ".join(lacks))
if not lacks:
    import aclruntime
"""


def require_atc(soc_version: str | None) -> None:
    """Raises UserError if tsf.om cannot be compiled here. soc_version: the configured one."""
    if shutil.which("atc", path=tool_environment()["PATH"]) is None:
        raise UserError(
            "atc is not on PATH, and results/tsf.om is made by it: install CANN, then "
            "`source /usr/local/Ascend/ascend-toolkit/set_env.sh` (from CANN 8.5: "
            "/usr/local/Ascend/cann/set_env.sh) in this shell and run the command again"
        )
    npu_smi.soc_version(soc_version)


def require_ais_bench(python: str) -> None:
    """Raises UserError if `python` cannot run ais_bench. python: a command, as in python3."""
    environment = tool_environment()
    where = shutil.which(python, path=environment["PATH"])
    if where is None:
        raise UserError(f"{python} is not on PATH; set ascend.python to the Python of ais_bench")
    try:
        result = subprocess.run(
            [where, "-c", LACKS], capture_output=True, text=True, timeout=60, env=environment
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{where} did not start within 60 s; see ascend.python") from None
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(
            f"{where} cannot run ais_bench ({last}); is CANN's set_env.sh sourced, and is "
            "aclruntime built for this Python and this CANN? See ascend.python"
        )
    if lacks := result.stdout.split():
        raise UserError(
            f"{where} lacks {' and '.join(lacks)}: install ais_bench's wheels there "
            "(docs/ascend.md says where they are), or set ascend.python to the Python that has them"
        )
