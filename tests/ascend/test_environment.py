"""Which Python and which environment atc and ais_bench get."""

import os
import sys
from pathlib import Path

import pytest
from machine import STAND_INS

from tsf.errors import UserError
from tsf.workflow import environment


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Restore the variables that the code under test sets in this process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_the_tools_get_the_users_python(monkeypatch):
    monkeypatch.setenv("PATH", "/cann/bin:/usr/bin")
    monkeypatch.setenv("PYTHONPATH", "/cann/python")
    monkeypatch.delenv(environment.ADDED, raising=False)
    environment.prepare(Path("/checkout/src"))
    own = str(Path(sys.executable).parent)
    assert os.environ["PATH"].split(":")[0] == own
    assert os.environ["PYTHONPATH"] == "/checkout/src:/cann/python"
    assert environment.tool_environment()["PATH"] == "/cann/bin:/usr/bin"
    # a job that starts Snakemake again prepares again
    environment.prepare(Path("/checkout/src"))
    assert environment.tool_environment()["PATH"] == "/cann/bin:/usr/bin"
    assert os.environ["PYTHONPATH"] == "/checkout/src:/cann/python"


@pytest.mark.parametrize("prefix, stays", [("/venv", False), (sys.base_prefix, True)])
def test_the_workflows_virtual_environment_is_not_the_tools(monkeypatch, prefix, stays):
    """An activated one is on PATH before; a Python that is no virtual environment may have both."""
    own = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{own}:/usr/bin")
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.delenv(environment.ADDED, raising=False)
    environment.prepare(Path("/checkout/src"))
    assert (own in environment.tool_environment()["PATH"].split(":")) is stays


def test_set_env_is_sourced_although_it_fails_under_set_u():
    environment.source(str(STAND_INS / "set_env.sh"))
    assert os.environ["ASCEND_TOOLKIT_HOME"] == str(STAND_INS / "cann")
    assert os.environ["PATH"].startswith(str(STAND_INS / "bin"))
    assert "BASH_FUNC" not in " ".join(os.environ)


@pytest.mark.parametrize("text", [None, "exit 3", "echo no such package >&2; exit 1"])
def test_a_set_env_that_fails(tmp_path, text):
    script = tmp_path / "set_env.sh"
    if text is not None:
        script.write_text(text)
    with pytest.raises(UserError) as fault:
        environment.source(str(script))
    assert "\n" not in str(fault.value) and str(script) in str(fault.value)


def test_a_set_env_whose_last_command_is_false_is_no_failure(tmp_path):
    script = tmp_path / "set_env.sh"
    script.write_text("export FROM_SET_ENV='two\nlines'\n[ -f /no/such/file ] && true\n")
    environment.source(str(script))
    assert os.environ["FROM_SET_ENV"] == "two\nlines"
