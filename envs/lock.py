"""Write the locks of envs/: all that the chosen packages need, each with its hashes.

cpu.in   -> cpu.lock, all but the two that follow
         -> openvino.lock, alone since its builds for aarch64 need a newer glibc than the others,
            and only the engine openvino needs it
         -> torch-cpu.lock and torch-cuda.lock, the two builds of torch: PyTorch's own index has
            the first, which needs nothing else; the package index has the second, with gigabytes
            of CUDA's libraries on Linux
         -> the pins in cpu.yaml
test.in, cluster.in -> a lock each: what they need beyond cpu.lock, of which they move no version
audit.in -> audit.lock, for an environment of its own

One lock with the hashes of both builds of torch would not do: of two files pip prefers the one
whose hash its index names, which a folder of wheels does not, and it would install the libraries
with either.

A pin stays as long as the .in file allows it; to take newer ones delete its lock first.
`make lock` runs this, with uv. It ends with an error if a lock has no wheel for x86_64 or aarch64,
for a Python of the README or for glibc 2.28 (openvino.lock apart).
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from itertools import product
from pathlib import Path

ENVS = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13")
# the oldest glibc that `make` installs on: that of openEuler 20.03 and Kylin V10
MACHINES = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
SOURCE_ONLY = "connection-pool"  # plain Python of which the index has no wheel
CUDA = ("torch", "cuda-", "nvidia-", "triton")

# from the listing of PyTorch's own index
TORCH = "2.13.0"
TORCH_CPU = """
    cp311 x86_64   6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
    cp311 aarch64  84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7
    cp312 x86_64   4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2
    cp312 aarch64  6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604
    cp313 x86_64   3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6
    cp313 aarch64  0b8f7d0423027ae8b90c7977c627f3379f325363a08224dffad9b4b2d684a83d
"""

# how cpu.lock binds each: Slurm's plugin asks for a newer numpy, of which it uses np.inf alone
LAYERS = {"test": "--constraint", "cluster": "--override"}

HEADER = "# Written by `make lock` from {source}: change that file.\n"


def entries(lock: str) -> dict[str, str]:
    """The text of every pinned package, its hashes included, by name.

    One that has a version for some Pythons and another for the others has both in its text.
    """
    found: dict[str, str] = {}
    for text in re.findall(r"^[a-z0-9].*\n(?:[ ].*\n)*", lock, re.MULTILINE):
        name = re.split("[ =]", text)[0]
        found[name] = found.get(name, "") + text
    return found


def uv(*arguments: str | Path) -> bool:
    """Whether `uv pip ...` succeeds; its own message of why not is on the screen."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["uv", "pip", *arguments, "--quiet", "--python", sys.executable]
    return subprocess.run(command, cwd=ENVS, env={**os.environ, "PATH": path}).returncode == 0


def resolve(chosen: Path, locked: str, *options: str | Path) -> dict[str, str]:
    """What `chosen` needs on every Python and Linux machine, at the versions of `locked`."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "lock"
        output.write_text(locked)
        universal = ["--universal", "--python-version", PYTHONS[0], "--generate-hashes"]
        if not uv("compile", *universal, *options, "--output-file", output, chosen.name):
            sys.exit(f"error: uv cannot lock {chosen}")
        return entries(output.read_text())


def cpu_builds(torch: str) -> str:
    """The CPU builds of the release of torch that is locked."""
    if not torch.startswith(f"torch=={TORCH} "):
        sys.exit(f"error: {__file__} has the hashes of torch {TORCH}'s CPU builds; give the new's")
    hashes = [f"    --hash=sha256:{line.split()[-1]}" for line in TORCH_CPU.strip().splitlines()]
    return " \\\n".join([f"torch=={TORCH}+cpu", *hashes]) + "\n"


def write(path: Path, source: str, texts: dict[str, str]) -> None:
    path.write_text(HEADER.format(source=source) + "".join(texts.values()))


def check_installs(lock: str) -> None:
    """End if a machine or Python that is promised finds no file in a lock. Nothing is installed."""
    files = ["--require-hashes", "--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
    for machine, python in product(MACHINES, PYTHONS):
        platform = ["--python-platform", machine, "--python-version", python]
        with tempfile.TemporaryDirectory() as empty:
            where = ["--target", empty, "--dry-run", "--no-deps", "--requirement", lock]
            if not uv("install", *where, *platform, *files):
                sys.exit(f"error: {lock} cannot be installed on {machine} with Python {python}")


def old(*names: str) -> str:
    return "".join(path.read_text() for name in names if (path := ENVS / name).exists())


def conda_environment(yaml: str, texts: Iterable[str]) -> str:
    """`yaml` with these packages' pins instead of its own."""
    start = yaml.index("  - pip:\n") + len("  - pip:\n")
    lines = [line for text in texts for line in text.splitlines() if not line.startswith(" ")]
    pins = [line.rstrip(" \\") for line in lines]
    return yaml[:start] + "".join(f"      - {pin}\n" for pin in pins)


def main() -> None:
    found = resolve(ENVS / "cpu.in", old("cpu.lock", "openvino.lock", "torch-cuda.lock"))
    cuda = {name: text for name, text in found.items() if name.startswith(CUDA)}
    cpu = {name: text for name, text in found.items() if name not in {*cuda, "openvino"}}
    write(ENVS / "cpu.lock", "cpu.in", cpu)
    write(ENVS / "openvino.lock", "cpu.in", {"openvino": found["openvino"]})
    write(ENVS / "torch-cpu.lock", "lock.py", {"torch": cpu_builds(cuda["torch"])})
    write(ENVS / "torch-cuda.lock", "cpu.in", cuda)

    yaml = ENVS / "cpu.yaml"
    pinned = [text for name, text in found.items() if name in {*cpu, "openvino", "torch"}]
    yaml.write_text(conda_environment(yaml.read_text(), pinned))

    for layer, bound in LAYERS.items():
        needed = resolve(ENVS / f"{layer}.in", old(f"{layer}.lock"), bound, "cpu.lock")
        added = {name: text for name, text in needed.items() if name not in cpu}
        write(ENVS / f"{layer}.lock", f"{layer}.in", added)

    audit = resolve(ENVS / "audit.in", old("audit.lock"))
    write(ENVS / "audit.lock", "audit.in", audit)

    for lock in ("cpu", "torch-cuda", *LAYERS, "audit"):
        check_installs(f"{lock}.lock")


if __name__ == "__main__":
    main()
