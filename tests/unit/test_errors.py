"""How a command line ends."""

import os
import subprocess
import sys

import pytest
from runs import ROOT


def run(number, unbuffered, stdout, **options):
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": unbuffered}
    code = f"from tsf import errors; errors.run(lambda: print('x' * {number}))"
    options |= {"env": env, "stdout": stdout, "stderr": subprocess.PIPE}
    return subprocess.run([sys.executable, "-c", code], check=False, **options)


@pytest.mark.parametrize(("number", "unbuffered"), [(1, ""), (1, "1"), (1 << 20, "")])
def test_a_reader_that_has_gone_is_no_error(number, unbuffered):
    """Whether Python finds it in a print, or when it writes the last of the output."""
    theirs, ours = os.pipe()
    os.close(theirs)
    with open(ours, "w") as stdout:
        result = run(number, unbuffered, stdout)
    assert result.stderr == b"" and result.returncode in (0, 141)  # 141: as of SIGPIPE


def test_an_output_that_is_closed_is_no_error():
    result = run(1, "", None, preexec_fn=lambda: os.close(1))
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.parametrize("number", [1, 1 << 20])
def test_a_full_disk_is_one_line(number):
    with open("/dev/full", "w") as stdout:
        result = run(number, "", stdout)
    assert result.returncode == 1 and result.stderr.count(b"\n") == 1
    assert result.stderr.endswith(b"free some space and run again\n")
