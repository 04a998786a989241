"""`make audit` says what it asked about, and does not call silence good news."""

import json
import runpy
import subprocess
import sys

import pytest
from runs import ROOT

KNOWN = {"name": "a", "version": "1", "vulns": []}
UNKNOWN = {"name": "b", "skip_reason": "not found"}
FAULTY = {"name": "c", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}


@pytest.fixture
def audit(monkeypatch, capsys):
    """What it prints where pip-audit tells this of every lock."""
    main = runpy.run_path(str(ROOT / "envs/audit.py"), run_name="audit")["main"]

    def audit(stdout, stderr=""):
        done = subprocess.CompletedProcess([], 1, stdout, stderr)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
        monkeypatch.setattr(sys, "argv", ["audit"])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().out

    return audit


def told(*packages):
    return json.dumps({"dependencies": packages})


def test_packages_without_faults_are_counted(audit):
    code, said = audit(told(KNOWN, UNKNOWN))
    assert code == 0 and "not in the database: b" in said
    assert said.endswith(", osv: 6 packages, 0 known vulnerabilities\n")


def test_a_fault_is_named(audit):
    code, said = audit(told(KNOWN, FAULTY))
    assert code == 1 and "c 2: CVE-1, mended in 3\n" in said


@pytest.mark.parametrize("stdout", ["", told(UNKNOWN)])
def test_no_answer_is_an_error(audit, stdout):
    code, _ = audit(stdout, "Traceback\nno route to host")
    assert code.startswith("error: osv's database") and code.endswith(("host)", "audited"))
    assert "\n" not in code and "nothing was audited" in code
