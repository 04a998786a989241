"""What make says of a Python or a package that it cannot have, with stand-ins for both."""

import subprocess

import pytest
from runs import ROOT

# stands in for the environment's Python: pip finds everything but the lock in $LACKS
PYTHON = """#!/bin/sh
for last; do :; done
case "$*" in
    *sys.version_info*) echo {version};;
    *"-m pip"*install*) echo "$last" >> "$0.installed"
        if [ "$last" = "$LACKS" ]; then echo "$FAULT" >&2; exit 1; fi;;
esac
"""
RUN = ["envs/cpu.lock", "envs/openvino.lock", "envs/torch-cpu.lock"]
NOT_FOUND = "ERROR: No matching distribution found for it"


@pytest.fixture
def venv(tmp_path):
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin/python"
    python.write_text(PYTHON.format(version="3.11"))
    python.chmod(0o755)
    return tmp_path


def make(venv, target, *variables, **environment):
    command = ["make", "--no-print-directory", f"VENV={venv}", target, *variables]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"} | environment,
    )


def installed(venv):
    return (venv / "bin/python.installed").read_text().split()


@pytest.mark.parametrize("version", ["3.7", "3.9", "3.10", "3.14"])
def test_another_python_is_refused_in_one_line(tmp_path, version):
    python = tmp_path / "python"
    python.write_text(PYTHON.format(version=version))
    python.chmod(0o755)
    done = make(tmp_path / "venv", "run", f"PYTHON={python}")
    assert done.returncode == 2 and done.stdout == ""
    fault, makes = done.stderr.splitlines()
    assert fault == (
        f"error: Python 3.11, 3.12 or 3.13 is needed, and {python} is {version}; set PYTHON, as "
        "in: make run PYTHON=python3.12 (docs/ascend.md says how to get one)"
    )
    assert makes.startswith("make: ***")


def test_a_python_that_is_not_there_is_named(tmp_path):
    done = make(tmp_path / "venv", "run", "PYTHON=python3.99")
    assert "python3.99 is none; set PYTHON" in done.stderr


def test_the_plugins_for_clusters_are_installed_behind_the_run(venv):
    done = make(venv, "cluster")
    assert done.returncode == 0, done.stderr
    assert installed(venv) == [*RUN, "envs/cluster.lock"]


def test_what_is_found_is_installed(venv):
    done = make(venv, f"{venv}/run.stamp")
    assert done.returncode == 0, done.stderr
    assert installed(venv) == RUN


@pytest.mark.parametrize(
    ("lacks", "said", "instead"),
    [
        ("envs/openvino.lock", "going on without the engine openvino", []),
        ("envs/torch-cpu.lock", "installing the one for CUDA", ["envs/torch-cuda.lock"]),
    ],
)
def test_what_pip_does_not_find_is_told(venv, lacks, said, instead):
    done = make(venv, f"{venv}/run.stamp", LACKS=lacks, FAULT=NOT_FOUND)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert installed(venv) == RUN + instead


@pytest.mark.parametrize("lacks", ["envs/openvino.lock", "envs/torch-cpu.lock"])
def test_another_fault_of_pip_ends_the_installation(venv, lacks):
    fault = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."
    done = make(venv, f"{venv}/run.stamp", LACKS=lacks, FAULT=fault)
    assert done.returncode and fault in done.stderr
    assert not (venv / "run.stamp").exists()
    assert installed(venv)[-1] == lacks


def test_cpu_lock_must_be_found_whole(venv):
    done = make(venv, f"{venv}/run.stamp", LACKS="envs/cpu.lock", FAULT=NOT_FOUND)
    assert done.returncode and NOT_FOUND in done.stderr
