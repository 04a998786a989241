"""The NPUs of this machine, read from npu-smi, and the soc_version that ATC needs."""

import re
import subprocess
from dataclasses import dataclass

from tsf.errors import UserError, last_line
from tsf.workflow.environment import find_tool, tool_environment

# a device takes two lines of three cells each; other lines, as of the process table, match neither
FIRST_LINE = re.compile(
    r"^\s*\|\s*(\d+)\s+((?:Ascend\s*)?\d{3}[\w-]*)\s*"
    r"\|\s*(OK|Warning|Alarm|Critical|UNKNOWN)\s*\|([^|]*)\|\s*$"
)
SECOND_LINE = re.compile(
    r"^\s*\|\s*(\d+)(?:\s+(\d+))?\s*\|\s*([0-9A-Fa-f:.]+|NA)\s*"
    r"\|\s*(\d+|-|NA)\s+(\d+)\s*/\s*(\d+)([^|]*)\|\s*$"
)
HBM = re.compile(r"(\d+)\s*/\s*(\d+)")
BOARD_LINE = re.compile(r"^\s*(Chip Name|NPU Name)\s*:\s*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Chip:
    """One device of the machine."""

    npu: int  # number of the card in npu-smi; the numbers may have gaps
    chip: int  # on its card
    name: str  # as printed: 310P3, 910B4, Ascend910
    health: str
    device: int  # the id for ais_bench
    memory_used: int  # MB; of the HBM where there is one
    memory_total: int  # MB; 0 if npu-smi does not show it


def parse_info(text: str) -> list[Chip]:
    """The devices in the table that `npu-smi info` prints."""
    found: list[Chip] = []
    first = None
    for line in text.splitlines():
        if line.count("|") != 4:
            continue
        if match := FIRST_LINE.match(line):
            first = match
        elif first and (match := SECOND_LINE.match(line)):
            used, total = match[5], match[6]
            if hbm := HBM.search(match[7]):
                used, total = hbm[1], hbm[2]
            found.append(
                Chip(
                    npu=int(first[1]),
                    chip=int(match[1]),
                    name=first[2],
                    health=first[3],
                    # 910 tables have no Device column: the ids follow the order of the table
                    device=int(match[2]) if match[2] else len(found),
                    memory_used=int(used),
                    memory_total=int(total),
                )
            )
            first = None
    return found


def parse_board(text: str) -> str:
    """The soc_version in `npu-smi info -t board`: its chip name and NPU name, joined by _."""
    names = dict(BOARD_LINE.findall(text))
    parts = (names.get("Chip Name"), names.get("NPU Name"))
    return normalise("_".join(part for part in parts if part))


def normalise(name: str) -> str:
    """`310P3`, `Ascend 310P3` and `Ascend310P3` are all Ascend310P3."""
    name = re.sub(r"\s", "", name)
    return name if name.startswith("Ascend") else f"Ascend{name}"


def _npu_smi(*arguments: str) -> str:
    """The output of npu-smi. Raises UserError if the program is missing or fails."""
    program = find_tool("npu-smi")
    if program is None:
        raise UserError("npu-smi is not on PATH (it comes with the NPU's driver)")
    try:
        result = subprocess.run(
            [program, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=60,
            env=tool_environment(),
        )
    except subprocess.TimeoutExpired:
        raise UserError(
            "npu-smi did not answer within 60 s; run `npu-smi info` yourself, and if it hangs too, "
            "reload the NPU's driver or restart the machine"
        ) from None
    if result.returncode:
        raise UserError(
            f"npu-smi {' '.join(arguments)} ended with status {result.returncode}: "
            f"{last_line(result.stdout)}"
        )
    return result.stdout


def chips() -> list[Chip]:
    """The devices of this machine. Raises UserError if npu-smi shows none."""
    found = parse_info(_npu_smi("info"))
    if not found:
        raise UserError(
            "`npu-smi info` shows no device; check that /dev/davinci* exists and that this user "
            "may open it"
        )
    return found


def soc_version_of(chip: Chip) -> str:
    """The chip's soc_version; from `npu-smi info -t board` if the table says Ascend910 alone."""
    name = normalise(chip.name)
    if name != "Ascend910":
        return name
    return parse_board(_npu_smi("info", "-t", "board", "-i", str(chip.npu), "-c", str(chip.chip)))


def soc_version(configured: str | None) -> str:
    """The configured chip, or else the one kind of chip that npu-smi shows.

    Raises UserError if npu-smi shows no chip, or several kinds.
    """
    if configured is not None:
        return configured
    try:
        found = chips()
        kinds = sorted({soc_version_of(chip) for chip in found})
    except UserError as fault:
        raise UserError(
            f"ascend.soc_version is not set in the config, and {fault}; set it, as in "
            "--config 'ascend={soc_version: Ascend310P3}'"
        ) from None
    if len(kinds) > 1:
        where = ", ".join(f"device {chip.device}: {soc_version_of(chip)}" for chip in found)
        raise UserError(
            f"npu-smi shows several kinds of chip, {' and '.join(kinds)} ({where}); choose one by "
            "ascend.soc_version and ascend.devices in the config"
        )
    return kinds[0]


def soc_version_if_known(configured: str | None) -> str:
    """`soc_version`, or words where npu-smi cannot tell it, as in a dry run without an NPU."""
    try:
        return soc_version(configured)
    except UserError:
        return "the chip that npu-smi shows"
