"""Faults of the user's files, told by Snakemake itself: one line `error: ...`, no traceback."""

import pytest
from runs import error_lines, snakemake


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
