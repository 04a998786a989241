"""The bundle in an environment of its own packages alone gives the workflow's own predictions."""

import csv
import subprocess
import sys

import bundles
import pytest
import runs

pytestmark = pytest.mark.slow  # an environment from the package index


@pytest.fixture(scope="module")
def run(sample_run, tmp_path_factory):
    copy = sample_run.copy(tmp_path_factory.mktemp("bundle"))
    result = copy.snakemake("bundle")
    assert result.returncode == 0, result.stdout
    assert copy.dry_run("bundle") == {}
    return copy


def test_a_file_that_is_gone_is_made_again(run):
    model = run.results / "bundle/tsf_sim.onnx"
    content = model.read_bytes()
    model.unlink()
    result = run.snakemake("bundle")
    assert result.returncode == 0, result.stdout
    assert model.read_bytes() == content
    assert run.dry_run("bundle") == {}


def test_the_predictions_are_the_workflows_to_the_last_digit(run, tmp_path):
    bundle = tmp_path / "elsewhere"
    (run.results / "bundle").rename(bundle)
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    # nothing but what the file names, so it must name all
    command = [python, "-m", "pip", "-qq", "--disable-pip-version-check", "install", "--no-deps"]
    subprocess.run([*command, "-r", bundle / "requirements.txt"], check=True)
    videos = run.results / "sample_data/val"
    result = bundles.predict(bundle, "--json", videos, cwd=tmp_path, python=str(python))
    assert result.returncode == 1  # one of the sample's videos is cut off
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {videos}/") and "not one frame" in line
    with open(run.results / "predictions.csv", newline="") as file:
        expected = {
            str(run.results / "sample_data" / row["path"]): [
                (row[f"top{k}"], float(row[f"probability{k}"])) for k in range(1, 6)
            ]
            for row in csv.DictReader(file)
        }
    assert len(expected) == 40 and bundles.rows(result) == expected


def test_a_bundle_that_cannot_be_is_refused_before_any_work(tmp_path):
    for config, reason in (
        (["bundle={engine: torch}"], "bundle.engine is 'torch'"),
        (["bundle={engine: torch}", "engines=[torch]"], "needs PyTorch"),
        (
            ["recipe={name: facebook-kinetics, short_side: 224}", "keep=bins"],
            "no bundle of preprocessing facebook",
        ),
    ):
        result = runs.snakemake("bundle", "--config", *config, directory=tmp_path)
        (line,) = runs.error_lines(result)
        assert reason in line
    assert list(tmp_path.glob("results/*")) == []
