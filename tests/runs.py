"""Run the workflow from the tests, and read what it says."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARDS = 4  # of the default configuration
CHECKOUT = "a checkout"  # the blank is on purpose: paths of the user's may hold some


def snakemake(*arguments, directory, root=ROOT, cwd=None, env=None) -> subprocess.CompletedProcess:
    """Run Snakemake in `directory`; targets come first, as options swallow what follows them.

    directory: None leaves the option out, and the run is in `cwd`.
    """
    return subprocess.run(
        command(*arguments, directory=directory, root=root),
        cwd=cwd or root,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def command(*arguments, directory, root=ROOT) -> list[str]:
    options = ["--snakefile", root / "Snakefile"]
    options += [] if "--cores" in arguments else ["--cores", "2"]
    options += ["--directory", directory] if directory else []
    return [sys.executable, "-m", "snakemake", *map(str, arguments), *map(str, options)]


def module(name, *arguments) -> subprocess.CompletedProcess:
    """Run a module of the package as a command line; stdout and stderr apart."""
    return subprocess.run(
        [sys.executable, "-m", f"tsf.{name}", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )


def jobs(dry_run: subprocess.CompletedProcess) -> dict[str, int]:
    """How often each rule is due, from the table that a dry run prints."""
    assert dry_run.returncode == 0, dry_run.stdout
    if "Nothing to be done" in dry_run.stdout:
        return {}
    table = re.search(r"^Job stats:\n.*\n[- ]+\n((?:\S+ +\d+\n)+)", dry_run.stdout, re.MULTILINE)
    assert table, dry_run.stdout
    counts = dict(line.split() for line in table[1].splitlines())
    return {rule: int(count) for rule, count in counts.items() if rule != "total"}


def error_lines(run: subprocess.CompletedProcess) -> list[str]:
    """The error messages of a failed run, which must not contain a traceback."""
    assert run.returncode != 0, run.stdout
    assert "Traceback" not in run.stdout, run.stdout
    return [line for line in run.stdout.splitlines() if line.startswith("error: ")]


@dataclass(frozen=True)
class Run:
    """A checkout and the folder it ran in, side by side, so that relative paths are the same."""

    repo: Path
    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def snakemake(self, *arguments, **options) -> subprocess.CompletedProcess:
        return snakemake(*arguments, directory=self.folder, root=self.repo, **options)

    def dry_run(self, *arguments) -> dict[str, int]:
        return jobs(self.snakemake(*arguments, "-n"))

    def copy(self, where: Path) -> "Run":
        """Another checkout and folder. The results are hard links: replace them, never edit."""
        shutil.copytree(self.repo, where / CHECKOUT, symlinks=True)
        (where / "run").mkdir()
        shutil.copytree(self.folder / ".snakemake", where / "run/.snakemake", symlinks=True)
        shutil.copytree(self.results, where / "run/results", symlinks=True, copy_function=os.link)
        return Run(where / CHECKOUT, where / "run")


def checkout(where: Path, archives: Path) -> Path:
    """A copy of this checkout without what runs leave in it, which downloads nothing again."""
    left_out = shutil.ignore_patterns(
        ".git", ".venv*", ".snakemake", "results", "__pycache__", ".pytest_cache", ".ruff_cache"
    )
    shutil.copytree(ROOT, where, ignore=left_out, symlinks=True)
    replace_text(where / "config.yaml", "archives: null", f"archives: {archives}")
    return where


def replace_text(path: Path, old: str, new: str) -> None:
    """Edit a file as an editor does: written anew, so that a hard link's other name keeps its."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} has no {old!r}"
    path.unlink()
    path.write_text(text.replace(old, new), encoding="utf-8")
