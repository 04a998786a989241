"""Faults of the user's files, told by Snakemake itself: one line `error: ...`, no traceback."""

import os
import shutil
import subprocess

import pytest
from runs import ROOT, command, error_lines, snakemake


@pytest.mark.parametrize(
    "text, fault",
    [
        (b"shards: [\n", ", line 2: no YAML"),
        ("dataset: {name: 数据}\n".encode("gbk"), ": is not UTF-8 text"),
        (b"shards: 2\nshards: 3\n", ": line 2: shards is there twice"),
        (b"", ": holds no keys with values"),
    ],
)
def test_a_faulty_configfile(tmp_path, text, fault):
    file = tmp_path / "own.yaml"
    file.write_bytes(text)
    run = snakemake("--dry-run", "--configfile", file, directory=tmp_path)
    (line,) = error_lines(run)
    assert line.startswith(f"error: {file}{fault}")


def test_a_configfile_that_is_faulty_is_told_without_the_profile_too(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("shards: 2\nshards: 3\n")
    options = ["--workflow-profile", "none"]
    run = snakemake("--dry-run", *options, "--configfile", file, directory=tmp_path)
    assert "shards is there twice" in error_lines(run)[0]


def test_a_name_that_begins_with_a_dash_is_no_option(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("dataset: {name: -rf}\n")
    run = snakemake("--dry-run", "--printshellcmds", "--configfile", file, directory=tmp_path)
    assert run.returncode == 0 and " --dataset=-rf " in run.stdout


def without_roots_rights(*arguments, directory):
    """A dry run to which permissions apply, whoever runs the tests."""
    line = command("--dry-run", *arguments, directory=directory)
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root, and no setpriv to give its rights away")
        line = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *line]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(line, cwd=ROOT, **output)


@pytest.mark.parametrize(
    "locked, options",
    [
        ("k400/annotations/val.csv", ["--config", "dataset={root: k400}"]),
        ("k400/annotations/train.csv", ["--config", "dataset={root: k400}"]),
        ("k400", ["--config", "dataset={root: k400}"]),
        ("own.pth", ["--config", "model={checkpoint: own.pth}"]),
        ("own.py", ["--config", "model={config: own.py}"]),
        ("results", []),
        (".snakemake", []),
        ("", []),
    ],
)
def test_what_cannot_be_read_or_written_is_named(tmp_path, locked, options):
    names = [f"class {n},a{n:010},1,11,val" for n in range(8)]
    for name in ("train", "val"):
        file = tmp_path / f"k400/annotations/{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(["label,youtube_id,time_start,time_end,split", *names, ""]))
    (tmp_path / "k400/val").mkdir()
    shutil.copy(ROOT / "models/tsf_sample.pth", tmp_path / "own.pth")
    shutil.copy(ROOT / "models/tsf_sample.py", tmp_path / "own.py")
    if locked:
        (tmp_path / "results").mkdir()
        (tmp_path / ".snakemake").mkdir()
    place = tmp_path / locked
    # to enter, but not to write into
    place.chmod(0o500 if place in (tmp_path, tmp_path / "results") else 0)
    try:
        run = without_roots_rights(*options, directory=tmp_path)
    finally:
        place.chmod(0o700)
    (line,) = error_lines(run)
    assert str(place if locked in ("", "results", ".snakemake") else locked) in line
    assert "ermission denied" in line or "no right to read and write" in line
