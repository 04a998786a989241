"""The locks agree: with what is chosen, with each other, with conda's file, with what runs here."""

import ast
import re
import sys
from importlib.metadata import requires, version
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from runs import ROOT

from tsf.workflow.sources import sources

OF_CPU_IN = ["cpu.lock", "openvino.lock", "torch-cuda.lock"]
TOGETHER = (*OF_CPU_IN, "torch-cpu.lock", "test.lock", "cluster.lock")
LOCKS = (*TOGETHER, "audit.lock")  # which has an environment of its own


def requirements(name):
    """Every requirement of a file in envs/, with the number of its hashes, and its project."""
    text = re.sub(r"\s*#.*", "", (ROOT / "envs" / name).read_text())
    for entry in text.replace("\\\n", "").splitlines():
        line, *hashes = re.split(r"\s+--hash=sha256:", entry.strip())
        if line:
            assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes), entry
            requirement = Requirement(line)
            yield canonicalize_name(requirement.name), requirement, len(hashes)


def pins(name):
    """The versions by project; a project may have another for some Pythons."""
    found = {}
    for project, requirement, _ in requirements(name):
        found.setdefault(project, []).append(str(requirement.specifier))
    return found


def the_only_pin(name, project):
    (pin,) = pins(name)[project]
    return pin


def versions_here(*names):
    """The locked version of each project, on the Python that runs this."""
    entries = [entry for name in names for entry in requirements(name)]
    here = [(name, r) for name, r, _ in entries if not r.marker or r.marker.evaluate()]
    return {project: str(r.specifier).removeprefix("==") for project, r in here}


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_one_version_and_its_hashes(name):
    for _, requirement, hashes in requirements(name):
        assert re.fullmatch(r"==[^=*,]+", str(requirement.specifier)), requirement
        assert hashes, requirement


def test_the_lock_has_what_its_packages_need_on_this_python():
    """Or `make`, which installs without dependencies, leaves them out."""
    locked = versions_here("cpu.lock", "openvino.lock") | {"torch": version("torch")}
    for project in locked:
        for needed in map(Requirement, requires(project) or []):
            if needed.marker and not needed.marker.evaluate({"extra": ""}):
                continue
            name = canonicalize_name(needed.name)
            if project == "torch" and name.startswith(("nvidia", "cuda", "triton")):
                continue  # in torch-cuda.lock
            assert name in locked, f"{project} needs {needed}"
            assert needed.specifier.contains(locked[name]), f"{project} needs {needed}"


@pytest.mark.parametrize(
    ("chosen", "locks"),
    [
        ("cpu.in", OF_CPU_IN),
        ("test.in", ["test.lock"]),
        ("cluster.in", ["cluster.lock"]),
    ],
)
def test_what_is_chosen_is_locked(chosen, locks):
    locked = {project: pin for lock in locks for project, pin in pins(lock).items()}
    assert pins(chosen).items() <= locked.items(), "run `make lock`"


def test_both_builds_of_torch_are_one_release():
    cuda = the_only_pin("torch-cuda.lock", "torch")
    assert pins("torch-cpu.lock") == {"torch": [f"{cuda}+cpu"]}


def test_no_lock_touches_another():
    for one, other in combinations(TOGETHER, 2):
        assert pins(one).keys() & pins(other).keys() <= {"torch"}


def test_conda_installs_the_lock():
    listed = yaml.safe_load((ROOT / "envs/cpu.yaml").read_text())["dependencies"][-1]["pip"]
    locked = [str(requirement) for _, requirement, _ in requirements("cpu.lock")]
    for lock, project in (("openvino.lock", "openvino"), ("torch-cuda.lock", "torch")):
        locked += [str(r) for name, r, _ in requirements(lock) if name == project]
    assert sorted(map(str, map(Requirement, listed))) == sorted(locked), "run `make lock`"


PACKAGES = {"cv2": "opencv-python-headless", "PIL": "pillow"}  # by module, where names differ


def imported(module):
    """The packages that a step imports, at its start or for some inputs alone."""
    for path in sources(module):
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module]
            else:
                names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            yield from (name.split(".")[0] for name in names)


def test_the_ascend_environment_has_what_its_steps_import():
    """The pip lines are by hand, as the versions are older than the lock's, for CANN's sake."""
    listed = yaml.safe_load((ROOT / "envs/ascend.yaml").read_text())["dependencies"][-1]["pip"]
    files = [(ROOT / f"rules/{name}.smk").read_text() for name in ("ascend", "ascend_studies")]
    rules = "".join(files).split("\nrule ")
    text = "".join(rule for rule in rules if "envs/ascend.yaml" in rule)
    modules = set(re.findall(r'(?:-m tsf\.|module=")([a-z_.]+)', text)) | {"data.temporary_bins"}
    assert {"ascend.atc", "ascend.ais_bench", "ascend.performance", "ascend.variant"} <= modules
    found = {name for module in modules for name in imported(module)}
    found -= sys.stdlib_module_names | {"tsf"}
    assert "PIL" in found  # of a Hugging Face recipe alone
    assert {PACKAGES.get(name, name) for name in found} <= {Requirement(x).name for x in listed}


@pytest.mark.parametrize("name", ["cpu.lock", "openvino.lock", "test.lock", "cluster.lock"])
def test_the_tests_run_on_what_is_locked(name):
    for project, requirement, _ in requirements(name):
        if requirement.marker is None or requirement.marker.evaluate():
            assert requirement.specifier.contains(version(project)), requirement


def test_the_plugins_for_clusters_take_the_versions_of_the_run():
    """cpu.lock overrides what they ask for, which is refused by one of them for numpy alone."""
    locked = versions_here("cpu.lock", "cluster.lock")
    refused = set()
    for plugin in pins("cluster.lock"):
        for asked in map(Requirement, requires(plugin)):
            if asked.marker and not asked.marker.evaluate({"extra": ""}):
                continue
            if not asked.specifier.contains(locked[canonicalize_name(asked.name)]):
                refused.add((plugin, asked.name))
    assert refused == {("snakemake-executor-plugin-slurm", "numpy")}


def test_torch_is_one_of_the_locked_builds():
    builds = {the_only_pin(lock, "torch") for lock in ("torch-cpu.lock", "torch-cuda.lock")}
    assert f"=={version('torch')}" in builds
