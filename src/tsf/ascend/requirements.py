"""Check, before any job runs, for the programs that jobs need beyond this Python."""

import os
import subprocess

from tsf.ascend import atc, npu_smi, process
from tsf.errors import UserError, last_line
from tsf.workflow.environment import find_tool, tool_environment

FOUND = "tsf found:"  # begins the probe's line: what it imports prints lines of its own
# runs in ais_bench's Python: prints the missing packages, or why aclruntime does not load
PROBE = f"""
import importlib.util
found = "lacks " + " and ".join(
    name for name in ("ais_bench", "aclruntime") if importlib.util.find_spec(name) is None
)
if found == "lacks ":
    try:
        import aclruntime
        found = "all"
    except Exception as error:
        found = "fault " + " ".join(f"{{type(error).__name__}}: {{error}}".split())
print("\\n{FOUND}", found, flush=True)
"""


def require_path_for_atc() -> None:
    """Raises UserError if atc would refuse the paths of this run."""
    # atc looks at the real path, whatever it is given
    folder = os.path.realpath(".")
    if not atc.PATH_CHARACTERS.fullmatch(folder):
        raise UserError(
            f"the working directory {folder}: atc takes only A-Z a-z 0-9 _ . / - and Chinese "
            "characters in a path; use --directory with a folder of such a name"
        )


def require_atc(soc_version: str | None) -> None:
    """Raises UserError if tsf.om cannot be compiled here. soc_version: the configured one."""
    if find_tool("atc") is None:
        raise UserError(
            "atc, which compiles results/tsf.om, is not on PATH: install CANN, then "
            "`source /usr/local/Ascend/ascend-toolkit/set_env.sh` (from CANN 8.5: "
            "/usr/local/Ascend/cann/set_env.sh) in this shell and run the command again"
        )
    require_path_for_atc()
    npu_smi.soc_version(soc_version)


def require_ais_bench(python: str) -> str:
    """The path of `python`, a command as in python3. Raises UserError if it lacks ais_bench."""
    where = find_tool(python)
    if where is None:
        raise UserError(f"{python} is not on PATH; set ascend.python to the Python of ais_bench")
    try:
        result = subprocess.run(
            [where, "-c", PROBE],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            env=tool_environment(),
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{where} did not start within 60 s; check ascend.python") from None
    found = next((x for x in result.stdout.splitlines() if x.startswith(FOUND)), "")
    outcome, _, words = found.removeprefix(FOUND).strip().partition(" ")
    if outcome == "lacks":
        raise UserError(
            f"{where} lacks {words}: install ais_bench's wheels there "
            "(docs/ascend.md says where they are), or set ascend.python to the Python that has them"
        )
    if outcome != "all":
        # without a line of the probe, the native part has ended Python itself
        ended = f"{process.ending(result.returncode)}: {last_line(result.stderr)}"
        raise UserError(
            f"{where} cannot run ais_bench ({words or ended}); source CANN's set_env.sh, "
            "install an aclruntime that was built for this Python and this CANN, or set "
            "ascend.python to another Python"
        )
    return where
