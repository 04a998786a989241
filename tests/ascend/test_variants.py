"""The variants of the compiled model on the stand-ins: one table, refusals in it."""

import json

import machine
import pytest
import runs
from markdown_rows import rows

from tsf.ascend import ais_bench, variant, variants
from tsf.errors import UserError

VARIANTS = (
    "onnx: [tsf_sim, tsf_npu_u8], precisions: [force_fp16, must_keep_origin_dtype], batches: [1]"
)
CONFIG = ["--config", f"ascend={{variants: {{{VARIANTS}}}, performance: {{loop: 10}}}}"]


def test_one_table_of_what_was_measured_and_refused(sample_run, tmp_path):
    run = sample_run.copy(tmp_path)
    (run.results / "tsf.om").write_bytes(b"the user's")
    refuses = {"ATC": "E19010", "ATC_ONLY": "must_keep_origin_dtype"}
    env = machine.environment(tmp_path, **refuses)
    result = run.snakemake("ascend_variants.json", *CONFIG, env=env)
    assert result.returncode == 0, result.stdout
    found = json.loads((run.results / "ascend_variants.json").read_text())["variants"]
    assert [(v["onnx"], v["precision"], v["batch"], bool(v["refused"])) for v in found] == [
        ("tsf_sim.onnx", "force_fp16", 1, False),
        ("tsf_sim.onnx", "must_keep_origin_dtype", 1, True),
        ("tsf_npu_u8.onnx", "force_fp16", 1, False),
        ("tsf_npu_u8.onnx", "must_keep_origin_dtype", 1, True),
    ]
    for one in found[::2]:
        assert one["speed"]["runs"] == 5 and one["speed"]["batch"] == 1
        assert one["speed"]["device"].startswith("stand-in for Ascend310P3")
        # ONNX Runtime ran it: what differs is rounding and the digits of the text files
        assert one["distance"]["max_abs"] <= 1e-4 and one["distance"]["top1_agreement"] == 1
    assert found[1]["refused"].startswith("atc failed with E19010: No parser is registered")
    assert (run.results / "tsf.om").read_bytes() == b"the user's"
    table = rows((run.results / "ascend_variants.md").read_text())[1:]
    assert [row[:3] for row in table[:2]] == [
        ["tsf_sim.onnx", "force_fp16, fast Gelu", "1"],
        ["tsf_sim.onnx", "must_keep_origin_dtype, fast Gelu", "1"],
    ]
    assert table[0][-1].startswith("stand-in") and table[1][-1].startswith("refused: atc failed")
    dry = run.snakemake("ascend_variants.json", "-n", *CONFIG, env=env)
    assert "Nothing to be done" in dry.stdout
    more = CONFIG[1].replace("ascend={", "ascend={atc_options: ['--keep_dtype=/x'], ")
    failed = run.snakemake("ascend_variants.json", "--config", more, env=env)
    (line,) = runs.error_lines(failed)
    assert "--keep_dtype has no effect with precision must_keep_origin_dtype" in line


@pytest.mark.parametrize("demand", ["no-block", "EE1001", "killed"])
def test_a_fault_of_the_machine_is_no_finding(tmp_path, npu, demand):
    (tmp_path / "results").mkdir()
    machine.tiny_model(tmp_path / "results/tsf_sim.onnx", 1)
    arguments = ["--onnx", "results/tsf_sim.onnx", "--soc-version", "Ascend310P3", *machine.RECIPE]
    arguments += ["--may-be-refused", "--output", "results/v/tsf.om"]
    arguments += ["--status", "results/v/status.json"]
    machine.error(machine.run("ascend.atc", *arguments, folder=tmp_path, env=npu(ATC=demand)))
    assert not (tmp_path / "results/v/status.json").exists()


def test_a_refusal_is_a_status_without_a_model(tmp_path, npu):
    (tmp_path / "results").mkdir()
    machine.tiny_model(tmp_path / "results/tsf_sim.onnx", 1)
    arguments = ["--onnx", "results/tsf_sim.onnx", "--soc-version", "Ascend310P3", *machine.RECIPE]
    arguments += ["--may-be-refused", "--output", "results/v/tsf.om"]
    arguments += ["--status", "results/v/status.json"]
    result = machine.run("ascend.atc", *arguments, folder=tmp_path, env=npu(ATC="EZ3003"))
    assert result.returncode == 0, result.stdout
    status = json.loads((tmp_path / "results/v/status.json").read_text())
    assert status["refused"].startswith("atc failed with EZ3003") and "command" not in status
    assert not (tmp_path / "results/v/tsf.om").exists()


@pytest.mark.parametrize(
    ("output", "finding"),
    [
        ("RuntimeError: execute acl model failed, ret is 507011", True),
        ("RuntimeError: load model from file failed, ret is 245000", True),
        ("RuntimeError: filepath: not valid", False),
        ("No module named 'aclruntime'", False),
    ],
)
def test_what_ais_bench_says_of_the_model_is_a_finding(output, finding):
    fault = UserError(ais_bench.explain(output, 1))
    assert variant.is_finding(fault) == finding
    assert variant.is_finding(UserError(f"ais_bench's result of 0: x; {ais_bench.NOT_FINITE}"))


def test_where_every_variant_is_refused_the_machine_is_at_fault():
    refused = {"refused": "atc failed with E20001: x"}
    with pytest.raises(UserError, match="every variant was refused, the first with: atc failed"):
        variants.refuse_all_refused([refused, refused])
    variants.refuse_all_refused([refused, {"refused": None}])
