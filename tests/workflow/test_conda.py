"""`--sdm conda`: every environment of envs/, made and used, with a stand-in of conda."""

import re
import shutil
import subprocess
import sys

import pytest
import rules
import runs
from machine import STAND_INS, environment
from runs import ROOT

CONDA = STAND_INS / "conda/bin"
FILES = {path.stem: path for path in (ROOT / "envs").glob("*.yaml")}


def conda(*arguments) -> subprocess.CompletedProcess:
    line = [sys.executable, CONDA / "conda", *arguments]
    return subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("name", FILES)
def test_conda_takes_the_file(name, tmp_path):
    taken = conda("env", "create", "--dry-run", "--file", FILES[name], "--prefix", tmp_path / "x")
    if "on this machine" in taken.stdout:
        pytest.skip(f"{name}: {taken.stdout.strip()}")
    assert taken.returncode == 0, taken.stdout


@pytest.mark.parametrize(
    "old, new",
    [
        ("name: tsf-cpu", "name: TSF CPU"),
        ("  - conda-forge", "  - defaults"),
        ("dependencies:", "dependency:"),
        ("  - pip=25.3\n", ""),
        ("numpy==2.3.5", "numpy>=2.3.5"),
    ],
)
def test_the_stand_in_refuses_what_conda_might_take_otherwise(tmp_path, old, new):
    file = tmp_path / "cpu.yaml"
    shutil.copy(FILES["cpu"], file)
    runs.replace_text(file, old, new)
    taken = conda("env", "create", "--dry-run", "--file", file, "--prefix", tmp_path / "x")
    assert taken.returncode == 1 and str(file) in taken.stdout and "Traceback" not in taken.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the files of envs/ have Python 3.11")
def test_the_jobs_run_in_their_rules_environments(sample_run, tmp_path):
    repo, folder = tmp_path / "checkout", tmp_path / "run"
    shutil.copytree(sample_run.repo, repo, symlinks=True)
    folder.mkdir()
    (folder / "videos").symlink_to(sample_run.results / "sample_data")
    # the tools of CANN, but not their python3: the environment's comes first
    env = environment(folder)
    env["PATH"] = f"{CONDA}:{env['PATH']}"
    options = ["--config", "dataset={root: videos}", "keep=bins", "shards=1", "--sdm", "conda"]
    targets = ["results/engines/ascend.json", "results/out_bin/000"]
    run = runs.snakemake(*targets, *options, directory=folder, root=repo, env=env)
    assert run.returncode == 0, run.stdout

    ours = rules.load("{keep: bins, engines: [ascend, onnxruntime]}")
    expected = {"cpu": set(), "ascend": set()}
    for name in ("mmaction2", "onnx", "onnx_sim", "out_bin", "om", "describe_ascend"):
        (file,) = (file for file in FILES if f"/{file}.yaml" in str(ours[name].conda_env))
        expected[file] |= rules.modules_run(ours[name])
    started = {}
    for file in (folder / ".snakemake/conda").glob("*/started.txt"):
        (source,) = file.parent.parent.glob(f"{file.parent.name}.yaml")
        name = next(name for name, path in FILES.items() if path.read_text() == source.read_text())
        started[name] = set(re.findall(r"(?m)^-m tsf\.(\S+)", file.read_text()))
    assert started == expected
    # the same bytes as in the environment of make
    for path in sample_run.results.glob("out_bin/*/*.bin"):
        assert (folder / "results/out_bin/000" / path.name).read_bytes() == path.read_bytes()
    model = "results/tsf_sim.onnx"
    assert (folder / model).read_bytes() == (sample_run.folder / model).read_bytes()

    def due():
        planned = runs.snakemake("-n", *targets, *options, directory=folder, root=repo, env=env)
        return runs.jobs(planned)

    # a changed file redoes the jobs that run in it
    assert due() == {}
    runs.replace_text(repo / "envs/ascend.yaml", "tqdm==4.67.1", "tqdm==4.67.0")
    assert due() == {"om": 1, "describe_ascend": 1}
    runs.replace_text(repo / "envs/cpu.yaml", "tabulate==0.10.0", "tabulate==0.9.0")
    assert set(due()) == {"mmaction2", "onnx", "onnx_sim", "out_bin", "om", "describe_ascend"}
