"""The workflow on a machine with CANN and NPUs, all stand-ins, on the embedded sample."""

import json
import os
import re
from itertools import pairwise

import machine
import numpy as np
import pytest
import runs
from markdown_rows import rows

from tsf.data.k400_info import read_info
from tsf.inference import results

BOTH = ["--config", "engines=[ascend, onnxruntime]"]


RECORD = {"all", "html_report", "measured", "provenance"}  # of the run, its config included


def ascend(text):
    return f"ascend={{{text}, performance: {{batches: [1], loop: 10}}}}"


@pytest.fixture(scope="session")
def npu_run(sample_run, tmp_path_factory):
    """The sample's run, carried on with the NPU beside the CPU, and its environment."""
    run = sample_run.copy(tmp_path_factory.mktemp("npu"))
    env = machine.environment(run.folder, LOG=str(run.folder / "npu.log"))
    result = run.snakemake("all", *BOTH, ascend("batch: 1"), env=env)
    assert result.returncode == 0, result.stdout
    return run, env


def read(run, name):
    return json.loads((run.results / name).read_text())


def logits(run, engine):
    info = read_info(run.results / "k400.info")
    folder = run.results / "result" / engine
    return np.stack([results.read_logits(folder / f"{v.index}_0.txt", 3) for v in info])


def uses(env):
    """(device, start, end, batch) of every process that the stand-in of ais_bench was."""
    with open(env["STAND_IN_LOG"]) as log:
        rows = [line.split() for line in log]
    return [(int(r[0]), float(r[2]), float(r[3]), int(r[4])) for r in rows]


def test_both_engines_agree(npu_run):
    run, env = npu_run
    accuracy = read(run, "accuracy.json")
    npu, cpu = (accuracy["engines"][name] for name in ("ascend", "onnxruntime"))
    assert npu["videos"] == cpu["videos"] == accuracy["scored"] == 40
    assert npu["top1"] == cpu["top1"] and npu["top5"] == cpu["top5"]
    assert (
        npu["device"] == "stand-in for Ascend310P3: ONNX Runtime on the CPU, force_fp16, fast Gelu"
    )
    assert npu["batch"] == 1 and npu["model"] == "results/tsf.om"
    # the same ONNX model ran: what differs is the 6 digits of the text files
    np.testing.assert_allclose(logits(run, "ascend"), logits(run, "onnxruntime"), atol=5e-5)
    [pair] = accuracy["paired"]
    assert (pair["first"], pair["second"]) == ("ascend", "onnxruntime")
    assert pair["same_class"] == pair["videos"] == 40 and pair["mcnemar_p"] == 1
    assert pair["first_only_right"] == pair["second_only_right"] == 0
    # the proof, four shards and one measurement, all on device 0
    assert [(device, batch) for device, _, _, batch in uses(env)] == [(0, 1)] * 6


def test_the_om_file_is_proven_before_the_dataset(npu_run):
    run, _ = npu_run
    row = read(run, "proven/ascend.json")["boundaries"][-1]
    assert row["name"] == "tsf.om (stand-in for Ascend310P3: ONNX Runtime on the CPU)"
    assert (row["measure"], row["allowed"]) == ("relative_l2", 0.02)
    # what the stand-in runs is the ONNX model
    assert row["relative_l2"] < 1e-5 and row["top1_agreement"] == 1
    # a row of it in the file of the whole run and in the report
    assert row in read(run, "verify.json")["boundaries"]
    found = rows((run.results / "accuracy.md").read_text())
    assert [row["name"], "relative l2 0.02"] in [[cells[0], cells[-1]] for cells in found]


def test_an_om_file_that_differs_stops_before_the_dataset_and_is_hunted(npu_run, tmp_path):
    first, _ = npu_run
    run = first.copy(tmp_path)
    for name in ("tsf.om", "proven/ascend.json", "parity/ascend.json"):
        os.unlink(run.results / name)
    softmax = "/backbone/transformer_layers/layers.1/attentions.1/attn/Softmax"
    env = machine.environment(tmp_path, FAULT=softmax)
    failed = run.snakemake("all", *BOTH, ascend("batch: 1"), env=env)
    [line] = {line.rpartition("  [")[0] for line in runs.error_lines(failed) if "  [" in line}
    assert line.startswith("error: tsf.om (stand-in for Ascend310P3: ONNX Runtime on the CPU) dif")
    assert "`snakemake ascend_blocks.json` finds the block" in line
    assert not (run.results / "proven/ascend.json").exists()
    assert "infer on an NPU" not in failed.stdout
    hunted = run.snakemake("ascend_blocks.json", *BOTH, ascend("batch: 1"), env=env)
    assert hunted.returncode == 0, hunted.stdout
    assert read(run, "ascend_blocks.json")["first"] == {"block": 1, "step": "spatial attention"}
    report = (run.results / "ascend_blocks.md").read_text()
    assert "The first over the threshold: block 1, spatial attention." in report


def test_the_reports_call_the_stand_in_one(npu_run):
    run, _ = npu_run
    report = (run.results / "accuracy.md").read_text()
    cells = rows(report)
    assert ["ascend, onnxruntime", "40 of 40"] in [row[:2] for row in cells]
    assert (
        cells[1][0].endswith("ONNX Runtime on the CPU, force_fp16, fast Gelu (ascend)")
        and cells[1][1] == "1"
    )
    assert "`atc --model=../tsf_sim.onnx " in report
    assert "stand-in for Ascend310P3" in report
    performance = (run.results / "ascend_performance.md").read_text()
    # the sample's model is not the guide's
    (guide,) = (row for row in rows(performance) if row[0].startswith("Ascend 310P3 (the guide"))
    assert guide[1:] == ["1", "force_fp16, fast Gelu", "7.53 fps"]
    assert "another model: 587.5 G multiply-adds a video, this one 0.94 G" in guide[0]
    for line in (report + performance).splitlines():
        if "Ascend310P3" in line:  # the command that made the model is no figure
            assert "stand-in" in line or "`atc --model=" in line
    found = read(run, "ascend_performance.json")
    [measured] = found["runs"]
    assert measured["runs"] == 5 and measured["batch"] == 1
    assert measured["videos_per_second"] == pytest.approx(1000 / measured["milliseconds"]["mean"])


def test_nothing_is_left_to_do_and_devices_change_nothing(npu_run):
    run, env = npu_run
    dry = run.snakemake("all", "-n", *BOTH, ascend("batch: 1"), env=env)
    assert runs.jobs(dry) == {}
    more = ascend("batch: 1, devices: [0, 1], python: python")
    dry = run.snakemake("all", "-n", *BOTH, more, env=env)
    assert set(runs.jobs(dry)) <= RECORD


def test_what_reruns(npu_run):
    run, env = npu_run

    def due(*more):
        return runs.jobs(run.snakemake("all", "-n", *BOTH, *more, env=env))

    found = due(ascend("precision: must_keep_origin_dtype"))
    assert found["om"] == 1 and found["infer_ascend"] == 4
    # neither the CPU's side nor the ONNX model
    assert not {"infer", "onnx", "onnx_sim", "rawframes", "out_bin"} & set(found)
    for change in (
        "soc_version: Ascend310P1",
        "fast_gelu: false",
        "atc_options: ['--sparsity=1']",
        "precision: allow_mix_precision, modify_mixlist: config/mixlist.json",
    ):
        found = due(ascend(change))
        assert found["om"] == 1 and "onnx" not in found, change


def test_batch_4_on_two_devices(npu_run, tmp_path):
    first, _ = npu_run
    run = first.copy(tmp_path)
    env = machine.environment(tmp_path, LOG=str(tmp_path / "npu.log"))
    result = run.snakemake("all", *BOTH, ascend("batch: 4, devices: [0, 1]"), env=env)
    assert result.returncode == 0, result.stdout
    accuracy = read(run, "accuracy.json")["engines"]
    assert accuracy["ascend"]["batch"] == 4 and accuracy["ascend"]["model"] == "results/tsf_bs4.om"
    assert accuracy["ascend"]["top1"] == accuracy["onnxruntime"]["top1"]
    # another batch size sums in another order
    np.testing.assert_allclose(logits(run, "ascend"), logits(first, "ascend"), atol=1e-4)
    found = uses(env)
    assert len(found) == 5 and {batch for *_, batch in found} == {4}
    [*_, row] = read(run, "proven/ascend.json")["boundaries"]
    assert row["name"].startswith("tsf_bs4.om ") and row["relative_l2"] < 1e-5
    assert {device for device, *_ in found} == {0, 1}
    for device in (0, 1):
        times = sorted(use[1:3] for use in found if use[0] == device)
        assert all(end <= start for (_, end), (start, _) in pairwise(times))
    assert (run.results / "tsf.om").is_file()  # measured at batch 1, and still there


def shard_bytes(run, shard="000"):
    folder = run.results / "shards/ascend" / shard
    return {path.name: path.read_bytes() for path in folder.glob("*_0.txt")}


def test_a_shard_that_fails_and_the_rerun(npu_run, tmp_path):
    first, _ = npu_run
    run = first.copy(tmp_path)
    before = shard_bytes(run)
    target = ["results/shards/ascend/000", "--force", *BOTH, ascend("batch: 1")]
    failed = run.snakemake(*target, env=machine.environment(tmp_path, AIS_BENCH="fails-midway"))
    assert failed.returncode == 1  # the traceback in between is ais_bench's
    line = next(line for line in failed.stdout.splitlines() if line.startswith("error: "))
    assert line.startswith("error: ais_bench ended with status 1: filepath:work/bins/")
    # half of the results were written; none of them is here
    assert shard_bytes(run) == {}
    again = run.snakemake(*target, env=machine.environment(tmp_path))
    assert again.returncode == 0, again.stdout
    assert shard_bytes(run) == before and before


def test_om_that_fails_and_the_rerun(npu_run, tmp_path):
    first, _ = npu_run
    run = first.copy(tmp_path)
    os.unlink(run.results / "tsf.om")
    failed = run.snakemake("tsf.om", env=machine.environment(tmp_path, ATC="E19010"))
    line = runs.error_lines(failed)[0]
    assert line.startswith("error: atc failed with E19010: No parser is registered")
    assert not (run.results / "tsf.om").exists()
    assert "E19010" in (run.results / "logs/om.log").read_text()  # the log is kept
    again = run.snakemake("tsf.om", env=machine.environment(tmp_path))
    assert again.returncode == 0, again.stdout
    assert (run.results / "tsf.om").read_bytes() == (first.results / "tsf.om").read_bytes()


def test_bin_files_within_the_job(npu_run, tmp_path):
    """With keep: nothing a shard's .bin files are there during its inference alone."""
    first, _ = npu_run
    run = first.copy(tmp_path)
    target = ["results/shards/ascend/000", "--force", *BOTH, "keep=nothing", ascend("batch: 1")]
    result = run.snakemake(*target, env=machine.environment(tmp_path))
    assert result.returncode == 0, result.stdout
    assert shard_bytes(run) == shard_bytes(first)
    assert not (run.results / "out_bin/ascend.000").exists()


def test_bytes_on_the_npu(npu_run, tmp_path):
    """bin: uint8 with models that take bytes, kept and within the job."""
    first, _ = npu_run
    run = first.copy(tmp_path)
    env = machine.environment(tmp_path)
    engines = "engines=[ascend, {engine: onnxruntime, model: tsf_opt_u8}]"
    kept = ["--config", engines, "bin=uint8", ascend("batch: 2, onnx: tsf_opt_u8")]
    result = run.snakemake("all", *kept, env=env)
    assert result.returncode == 0, result.stdout
    sizes = {path.stat().st_size for path in (run.results / "out_bin").rglob("*.bin")}
    assert sizes == {machine.BIN_BYTES // 4}
    expected = logits(run, "onnxruntime_tsf_opt_u8")
    # the text files' digits, and another batch size
    np.testing.assert_allclose(logits(run, "ascend"), expected, atol=1e-4)
    np.testing.assert_allclose(logits(first, "ascend"), expected, atol=1e-3)
    # proven on the bytes, as the NPU gets them
    proof = [boundary["name"] for boundary in read(run, "proven/ascend.json")["boundaries"]]
    assert "tsf_bs2_opt_u8.onnx (onnxruntime_tsf_opt_u8_bs2)" in proof
    before = shard_bytes(run)
    target = ["results/shards/ascend/000", "--force", *kept, "keep=nothing"]
    result = run.snakemake(*target, env=env)
    assert result.returncode == 0, result.stdout
    assert shard_bytes(run) == before and before
    line = refusal(
        run, "all", "-n", "--config", engines, "bin=uint8", ascend("onnx: tsf_npu"), env=env
    )
    assert line == (
        "error: config: ascend.onnx: tsf_npu takes float32, but bin is uint8; set bin: float32, or "
        "ascend.onnx to tsf_opt_u8 or tsf_npu_u8"
    )


def test_the_model_laid_out_for_an_npu(npu_run, tmp_path):
    first, _ = npu_run
    run = first.copy(tmp_path)
    target = ["results/shards/ascend/000", *BOTH, ascend("onnx: tsf_npu")]
    result = run.snakemake(*target, env=machine.environment(tmp_path))
    assert result.returncode == 0, result.stdout
    shards = [r.results / "shards/ascend/000" for r in (run, first)]
    for path in shards[0].glob("*_0.txt"):
        found, expected = (results.read_logits(shard / path.name, 3) for shard in shards)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def refusal(run, *arguments, env):
    """The one line that stops a run before any of its jobs."""
    result = run.snakemake(*arguments, env=env)
    [line] = runs.error_lines(result)
    assert not re.search(r"^Job \d", result.stdout, re.MULTILINE)
    return line


def test_refusals_before_any_work(sample_run, tmp_path):
    run = sample_run.copy(tmp_path)
    mixed = machine.environment(tmp_path, NPU_SMI="mixed")
    line = refusal(run, "tsf.om", env=mixed)
    assert line.startswith("error: npu-smi shows several kinds of chip, Ascend310 and Ascend310P3")
    no_driver = machine.environment(tmp_path, NPU_SMI="fails")
    line = refusal(run, "tsf.om", env=no_driver)
    assert line.startswith("error: ascend.soc_version is not set in the config, and npu-smi info")
    no_bench = machine.environment(tmp_path) | {"PYTHONPATH": ""}
    line = refusal(run, "all", *BOTH, env=no_bench)
    assert "lacks ais_bench and aclruntime" in line
    more = ascend("atc_options: ['--precision_mode_v2=fp16']")
    line = refusal(run, "tsf.om", "--config", more, env=machine.environment(tmp_path))
    assert "given by ascend.precision" in line
    # without CANN
    line = refusal(run, "tsf.om", env={})
    assert line.startswith("error: atc, which compiles results/tsf.om, is not on PATH")
    (tmp_path / "a+b").mkdir()
    line = refusal(run, "all", *BOTH, env=machine.environment(tmp_path / "a+b"))
    assert line.startswith(f"error: the temporary folder {tmp_path}/a+b: ais_bench takes only")
    dry = runs.jobs(run.snakemake("tsf.om", "-n"))
    assert dry == {"om": 1, "tsf.om": 1}


def test_a_working_directory_that_atc_refuses(sample_run, tmp_path):
    folder = tmp_path / "a+b"
    folder.mkdir()
    run = runs.Run(sample_run.repo, folder)
    line = refusal(run, "tsf.om", env=machine.environment(tmp_path))
    assert line.startswith(f"error: the working directory {folder}: atc takes only A-Z")
    # an engine that has nothing to do with atc
    assert runs.jobs(run.snakemake("tsf.onnx", "-n"))["onnx"] == 1


def test_a_shard_that_hangs(npu_run, tmp_path):
    first, _ = npu_run
    run = first.copy(tmp_path)
    pids = tmp_path / "pids"
    env = machine.environment(tmp_path, AIS_BENCH="hangs", PIDS=str(pids))
    target = ["results/shards/ascend/000", "--force", *BOTH]
    limit = ascend("batch: 1, time_limit: {atc: 60, ais_bench: 5, per_video: 0.1}")
    failed = run.snakemake(*target, limit, env=env)
    assert "error: ais_bench did not end within 6 s" in failed.stdout
    for number in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(number), 0)
    assert shard_bytes(run) == {}
    # neither is the limit a reason to redo what is done
    done = first.snakemake("all", "-n", *BOTH, limit, env=machine.environment(tmp_path))
    assert set(runs.jobs(done)) <= RECORD


def test_set_env_from_the_config(sample_run, tmp_path):
    """CANN's environment need not be sourced in the shell."""
    run = sample_run.copy(tmp_path)
    script = machine.STAND_INS / "set_env.sh"
    env = {"STAND_IN_PYTHON": machine.environment(tmp_path)["STAND_IN_PYTHON"]}
    result = run.snakemake("tsf.om", "--config", f"ascend={{set_env: {script}}}", env=env)
    assert result.returncode == 0, result.stdout
    assert (run.results / "tsf.om").is_file()


def test_snakemake_doctor(sample_run, tmp_path):
    run = sample_run.copy(tmp_path)
    result = run.snakemake("doctor", *BOTH, env=machine.environment(tmp_path))
    assert result.returncode == 0, result.stdout
    assert "soc_version  ok: Ascend310P3" in result.stdout
    result = run.snakemake("doctor", *BOTH)
    assert result.returncode == 1
    assert "CANN         missing: " in result.stdout
