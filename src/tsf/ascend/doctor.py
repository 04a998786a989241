"""Check before a long run that everything it needs is there: a line each, with the remedy.

The exit status is 1 if the configured engines need something that is missing.
"""

import argparse
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tsf import errors
from tsf.ascend import ais_bench, npu_smi, requirements
from tsf.engines.device import devices_here
from tsf.errors import UserError
from tsf.model.opset import OPSET
from tsf.workflow.environment import find_tool

MODELS_GB = 3  # checkpoint, ONNX models and tsf.om of the full-size model
NPU_MEMORY_MB = 2048  # free, for the full-size model at a small batch
SET_ENV = ("/usr/local/Ascend/ascend-toolkit/set_env.sh", "/usr/local/Ascend/cann/set_env.sh")
VERSION = re.compile(r"^\s*version\s*=\s*\[?([\w.]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """The outcome of one check."""

    subject: str
    text: str  # the finding, or the fault and its remedy
    ok: bool
    needed: bool = True  # by the configured engines

    def __str__(self) -> str:
        state = "ok" if self.ok else "missing" if self.needed else "missing (not needed)"
        return f"{self.subject:<12} {state}: {self.text}"


def opsets(cann: str) -> tuple[int, int]:
    """The first and last ONNX opset that a CANN release reads. cann: a version such as 5.1.RC2."""
    major = int(cann.split(".")[0])
    if major < 7:
        return 9, 13
    return (9, 18) if major == 7 else (11, 18)


def cann_home() -> Path:
    """The folder of CANN. Raises UserError if its set_env.sh was not sourced."""
    for name in ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH"):
        if os.environ.get(name):
            home = Path(os.environ[name])
            if home.is_dir():
                return home
            raise UserError(f"{name} is {home}, which is not a folder; source set_env.sh again")
    there = next((path for path in SET_ENV if Path(path).is_file()), None)
    if there:
        raise UserError(f"its environment is not set; `source {there}`, or set ascend.set_env")
    raise UserError(
        "its environment is not set; install CANN, then source its set_env.sh "
        f"({SET_ENV[0]}, from CANN 8.5 {SET_ENV[1]})"
    )


def cann_version(home: Path) -> str | None:
    """The version in the release's own files; None if they have none."""
    patterns = ("*-linux/ascend_toolkit_install.info", "version.cfg", "compiler/version.info")
    for pattern in patterns:
        for path in sorted(home.glob(pattern)):
            if match := VERSION.search(path.read_text(errors="replace")):
                return match[1]
    return None


def python() -> str:
    return f"{platform.python_version()}, {sys.executable}"


def disk(bins_mb: int) -> str:
    free = shutil.disk_usage(".").free / 1e9
    need = MODELS_GB + bins_mb / 1e3
    found = f"{free:.0f} GB free here, about {need:.0f} GB are needed"
    if free < need:
        raise UserError(f"{found}; set keep: nothing, or use --directory on a larger disk")
    return found


def permissions() -> str:
    results = Path("results")
    folder = results if results.is_dir() else Path(".")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{folder.resolve()} is not writable; use --directory with another folder")
    return f"{folder.resolve()} is writable"


def path_characters() -> str:
    requirements.require_path_for_atc()
    ais_bench.refuse_temporary_folder()
    return f"atc accepts {Path.cwd()}, ais_bench accepts {tempfile.gettempdir()}"


def cpu_engine(module: str) -> str:
    if importlib.util.find_spec(module) is None:
        raise UserError("not in this Python; `make run` installs it if pip finds a build of it")
    return "installed"


def cann() -> str:
    home = cann_home()
    version = cann_version(home)
    return f"{version or 'of an unknown version'} in {home}"


def atc_program() -> str:
    where = find_tool("atc")
    if where is None:
        raise UserError("atc is not on PATH; source CANN's set_env.sh, or set ascend.set_env")
    return where


def opset() -> str:
    version = cann_version(cann_home())
    if version is None or not version[0].isdigit():
        return f"the model has opset {OPSET}, which every known CANN reads"
    first, last = opsets(version)
    if not first <= OPSET <= last:
        raise UserError(f"the model has opset {OPSET}, CANN {version} reads {first} to {last}")
    return f"the model has {OPSET}, CANN {version} reads {first} to {last}"


def chip(configured: str | None) -> str:
    found = npu_smi.soc_version(configured)
    return f"{found} ({'set in the config' if configured else 'as npu-smi shows'})"


def devices(wanted: list[int]) -> str:
    found = {chip.device: chip for chip in npu_smi.chips()}
    lines = []
    for number in devices_here(wanted):
        if number not in found:
            have = ", ".join(map(str, sorted(found)))
            raise UserError(f"no device {number}, npu-smi shows {have}; set ascend.devices")
        device = found[number]
        free = device.memory_total - device.memory_used
        if device.memory_total and free < NPU_MEMORY_MB:
            raise UserError(
                f"device {number} has {free} MB free, {NPU_MEMORY_MB} are needed; stop the "
                "programs that use it, or set ascend.devices"
            )
        memory = f"{free} MB free" if device.memory_total else "memory not shown"
        lines.append(f"{number}: {device.name}, {device.health}, {memory}")
    return "; ".join(lines)


def ais_bench_program(command: str) -> str:
    where = requirements.require_ais_bench(command)
    version = subprocess.run([where, "--version"], capture_output=True, text=True)
    return f"ais_bench and aclruntime are in {where} ({version.stdout.strip()})"


def check(subject: str, find: Callable[[], str], needed: bool) -> Check:
    """find: returns the finding, or raises UserError."""
    try:
        return Check(subject, find(), ok=True, needed=needed)
    except UserError as fault:
        return Check(subject, str(fault), ok=False, needed=needed)


def examine(
    engines: list[str], soc_version: str | None, wanted: list[int], command: str, bins_mb: int
) -> Iterator[Check]:
    """Every check, in the order in which a run needs its subject."""
    npu = "ascend" in engines
    yield check("Python", python, True)
    yield check("disk", lambda: disk(bins_mb), True)
    yield check("permissions", permissions, True)
    yield check("path", path_characters, npu)
    yield check("ONNX Runtime", lambda: cpu_engine("onnxruntime"), "onnxruntime" in engines)
    yield check("OpenVINO", lambda: cpu_engine("openvino"), "openvino" in engines)
    yield check("CANN", cann, npu)
    yield check("atc", atc_program, npu)
    yield check("opset", opset, npu)
    yield check("soc_version", lambda: chip(soc_version), npu)
    yield check("ais_bench", lambda: ais_bench_program(command), npu)
    yield check("devices", lambda: devices(wanted), npu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", nargs="+", required=True)
    parser.add_argument("--soc-version", help="the config's ascend.soc_version")
    parser.add_argument("--devices", type=int, nargs="+", required=True)
    parser.add_argument("--python", default="python3", help="the Python that has ais_bench")
    parser.add_argument(
        "--bins-mb", type=int, default=0, help="size of the .bin files that are kept"
    )
    args = parser.parse_args()

    missing = 0
    for result in examine(args.engines, args.soc_version, args.devices, args.python, args.bins_mb):
        print(result, flush=True)
        missing += result.needed and not result.ok
    if missing:
        engines = " and ".join(args.engines)
        raise UserError(f"{missing} requirements of {engines} are not met, see the lines above")


if __name__ == "__main__":
    errors.run(main)
