"""A shard's .bin files are there for a command and not after, and are of the videos counted."""

import json
import os
import subprocess
import sys

import pytest
from recipes import GUIDE
from runs import ROOT

from tsf.data.decoded import Decoded, write_decoded
from tsf.data.temporary_bins import refuse_other_outcome
from tsf.errors import UserError
from tsf.recipe.record import to_json

NAME = "short5_000000_000010"
COUNTED = [Decoded("a", 300, ""), Decoded("b", 0, "missing file"), Decoded("c", 5, "")]


def test_the_same_outcome_passes(tmp_path):
    refuse_other_outcome(COUNTED, COUNTED, tmp_path)
    refuse_other_outcome(COUNTED, COUNTED[::-1], tmp_path)
    refuse_other_outcome(COUNTED, [], tmp_path)


@pytest.mark.parametrize(
    "found, words",
    [
        (Decoded("a", 299, ""), "a: 299 frames now, but 300 frames in "),
        (Decoded("a", 0, "missing file"), "a: missing file now, but 300 frames in "),
        (Decoded("b", 7, ""), "b: 7 frames now, but missing file in "),
        (Decoded("b", 0, "empty file"), "b: empty file now, but missing file in "),
        (Decoded("new", 5, ""), "new: 5 frames now, but not there in "),
    ],
)
def test_another_outcome_names_the_video_and_both(tmp_path, found, words):
    table = tmp_path / "000.tsv"
    with pytest.raises(UserError) as fault:
        refuse_other_outcome(COUNTED, [COUNTED[2], found, Decoded("c", 1, "")], table)
    assert str(fault.value).startswith(f"{words}{table}; ") and "\n" not in str(fault.value)


@pytest.fixture
def run(streams, tmp_path):
    """Runs a Python command on the .bin files of a dataset of one video, counted at 5 frames."""

    def run(program, counted=5, early=()):
        root, table = tmp_path / "root", tmp_path / "000.tsv"
        (root / "annotations").mkdir(parents=True)
        (root / "val").symlink_to(streams["short5"].parent)
        header = "label,youtube_id,time_start,time_end,split\n"
        (root / "annotations/val.csv").write_text(f"{header}yoga,short5,0,10,val\n")
        write_decoded(table, [Decoded(NAME, counted, "")])
        module = [sys.executable, "-m", "tsf.data.temporary_bins"]
        options = ["--root", root, "--table", table, "--folder", tmp_path / "bins"]
        options += ["--recipe", to_json(GUIDE)]
        command = ["--", sys.executable, "-c", program, tmp_path / "bins"] if program else []
        return subprocess.run(
            [*module, *map(str, [*options, "--dtype", "uint8", *early, *command])],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
        )

    return run


SIZES = "import os, sys, json; d = sys.argv[1]; "
SIZES += "names = [n for n in os.listdir(d) if n.endswith('.bin')]; "
SIZES += "print(json.dumps({n: os.path.getsize(os.path.join(d, n)) for n in names}))"


def test_the_files_are_there_for_the_command_alone(run, tmp_path):
    (tmp_path / "bins").mkdir()
    (tmp_path / "bins/left.bin").touch()  # by a killed run
    found = run(SIZES)
    assert found.returncode == 0, found.stderr
    # after the lines that tell when the shard was decoded
    assert json.loads(found.stdout.splitlines()[-1]) == {f"{NAME}.bin": 3_612_672}
    assert not (tmp_path / "bins").exists()


def test_the_commands_status_is_passed_on(run, tmp_path):
    assert run("raise SystemExit(3)").returncode == 3
    assert not (tmp_path / "bins").exists()


def test_another_outcome_runs_no_command_and_leaves_nothing(run, tmp_path):
    found = run(SIZES, counted=6)
    assert found.returncode == 1 and "{" not in found.stdout  # which the command would print
    (line,) = (line for line in found.stderr.splitlines() if line.startswith("error: "))
    assert line.startswith(f"error: {NAME}: 5 frames now, but 6 frames in ")
    assert "Traceback" not in found.stderr and not (tmp_path / "bins").exists()


@pytest.mark.parametrize("early", [(), ("--early",)])
def test_a_command_that_is_killed_is_an_error(run, tmp_path, early):
    found = run("import os; os.kill(os.getpid(), 9)", early=early)
    (line,) = (line for line in found.stderr.splitlines() if line.startswith("error: "))
    assert found.returncode == 1 and "was killed by SIGKILL" in line
    assert not (tmp_path / "bins").exists()


def test_an_early_command_finds_the_files_when_it_is_told(run):
    found = run("assert input() == 'made'; " + SIZES, early=("--early",))
    assert json.loads(found.stdout.splitlines()[-1]) == {f"{NAME}.bin": 3_612_672}


def test_an_early_command_that_does_not_wait_is_an_error(run, tmp_path):
    found = run(SIZES, early=("--early",))
    assert found.returncode == 1 and "ended before it had any .bin file to read" in found.stderr
    assert not (tmp_path / "bins").exists()


def test_without_a_command_there_is_nothing_to_do(run, tmp_path):
    found = run(None)
    assert found.returncode == 2 and "no command after --" in found.stderr
    assert not (tmp_path / "bins").exists()
