"""Check, before any job runs, for the programs that jobs need beyond this Python."""

import subprocess

from tsf.ascend import npu_smi
from tsf.errors import UserError, last_line
from tsf.workflow.environment import find_tool, tool_environment

# runs in ais_bench's Python: prints the missing packages, and fails if aclruntime does not load
LACKS = """
import importlib.util
lacks = [n for n in ("ais_bench", "aclruntime") if importlib.util.find_spec(n) is None]
print(" ".join(lacks))
if not lacks:
    import aclruntime
"""


def require_atc(soc_version: str | None) -> None:
    """Raises UserError if tsf.om cannot be compiled here. soc_version: the configured one."""
    if find_tool("atc") is None:
        raise UserError(
            "atc, which compiles results/tsf.om, is not on PATH: install CANN, then "
            "`source /usr/local/Ascend/ascend-toolkit/set_env.sh` (from CANN 8.5: "
            "/usr/local/Ascend/cann/set_env.sh) in this shell and run the command again"
        )
    npu_smi.soc_version(soc_version)


def require_ais_bench(python: str) -> str:
    """The path of `python`, a command as in python3. Raises UserError if it lacks ais_bench."""
    where = find_tool(python)
    if where is None:
        raise UserError(f"{python} is not on PATH; set ascend.python to the Python of ais_bench")
    try:
        result = subprocess.run(
            [where, "-c", LACKS], capture_output=True, text=True, timeout=60, env=tool_environment()
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{where} did not start within 60 s; check ascend.python") from None
    if result.returncode:
        raise UserError(
            f"{where} cannot run ais_bench ({last_line(result.stderr)}); source CANN's set_env.sh, "
            "install an aclruntime that was built for this Python and this CANN, or set "
            "ascend.python to another Python"
        )
    if lacks := result.stdout.split():
        raise UserError(
            f"{where} lacks {' and '.join(lacks)}: install ais_bench's wheels there "
            "(docs/ascend.md says where they are), or set ascend.python to the Python that has them"
        )
    return where
