"""What every job asks of a machine or of a cluster's scheduler, as Snakemake evaluates it."""

from types import SimpleNamespace

import pytest
import rules
import yaml
from runs import ROOT
from snakemake.iocontainers import InputFiles

ENGINES = (
    "engines: [onnxruntime, torch, {engine: torch, device: cuda}, "
    "{engine: onnxruntime, device: cann}, ascend]"
)
GPU, NPU = "torch_cuda", "onnxruntime_cann"
# of wildcards that do not tell the engine
WILDCARDS = {
    **{"shard": "000", "bs": "", "u8": "", "model": "tsf_opt", "config": "c", "seed": "0"},
    "variant": "tsf_sim_force_fp16",
}
KEEPS = ("nothing", "bins", "frames")


@pytest.fixture(scope="module", params=KEEPS)
def every_rule(request):
    """The rules whose jobs a cluster runs, by name."""
    found = rules.load(f"{{keep: {request.param}, {ENGINES}}}")
    found["infer"].workflow.register_resource("disk_mb", 8000)  # as the profile
    return {name: rule for name, rule in found.items() if not runs_here(rule)}


def runs_here(rule) -> bool:
    """Whether its jobs run beside the command, on a cluster too."""
    return rule.name in rule.workflow._localrules


def asked(rule, engine="onnxruntime", attempt=1, cluster=False) -> dict:
    """The resources of a job. cluster: planned for one."""
    workflow = rule.workflow
    kept = workflow._executor_plugin
    settings = SimpleNamespace(local_exec=not cluster)
    workflow._executor_plugin = SimpleNamespace(common_settings=settings)
    wildcards = WILDCARDS | {"engine": engine, "setup": engine}
    chosen = {name: wildcards[name] for name in rule.wildcard_names}
    try:
        return dict(rule.expand_resources(chosen, InputFiles(fromdict={}), attempt))
    finally:
        workflow._executor_plugin = kept


def test_every_job_states_memory_and_time_and_more_at_the_next_attempt(every_rule):
    assert len(every_rule) > 25
    for name, rule in every_rule.items():
        engine = "ascend" if name == "infer_ascend" else "onnxruntime"
        first, second = (asked(rule, engine, attempt) for attempt in (1, 2))
        for resource in ("mem_mb", "runtime"):
            assert first[resource] < second[resource], name
        assert first["mem_mb"] < 4000, f"{name}: no node of 4 GB could run the sample"
        assert asked(rule, engine, 1000)["runtime"] == 7 * 24 * 60, name


def test_a_job_asks_for_the_device_that_it_opens(every_rule):
    for name in ("compare_logits", "infer", "measure"):
        rule = every_rule[name]
        for engine, devices in (("torch", (0, 0)), (GPU, (1, 0)), (NPU, (0, 1))):
            found = asked(rule, engine)
            assert (found["gpu"], found["npu"]) == devices, name
            assert "gres" not in found and "slurm_partition" not in found
    for name in ("compare_om", "infer_ascend", "measure_npu", "ascend_blocks", "measure_variant"):
        assert asked(every_rule[name], "ascend")["npu"] == 1, name


def test_one_machine_lends_a_gpu_to_one_job_and_a_cluster_to_as_many_as_it_has(every_rule):
    workflow = every_rule["infer"].workflow
    assert workflow.global_resources["gpu"].value == 1
    for name in ("gpu", "npu"):
        assert workflow.resource_scopes.is_local(name)


OF_ONE_NODE = {
    *("reference", "compare_logits", "compare_om", "infer", "infer_ascend"),
    *("measure", "measure_npu", "measure_variant", "ascend_blocks", "states"),
}


def test_the_numbers_that_are_compared_are_of_one_partition_and_no_login_node():
    cluster = "cluster: {partition: infer, npu_gres: 'npu:1'}"
    found = rules.load(f"{{{ENGINES}, {cluster}}}")
    placed = {}
    for name, rule in found.items():
        engine = "ascend" if name == "infer_ascend" else NPU
        if not runs_here(rule):
            placed[name] = asked(rule, engine, cluster=True)
    assert {n for n in placed if placed[n].get("slurm_partition") == "infer"} == OF_ONE_NODE
    on_npu = {name for name in placed if placed[name].get("gres") == "npu:1"}
    assert on_npu == OF_ONE_NODE - {"reference", "states"}
    gpu = asked(found["infer"], GPU, cluster=True)
    assert (gpu["gpu"], gpu["gres"]) == (1, "")  # Slurm's --gpus, and no NPU


def test_a_measurement_takes_a_machine_and_not_all_cores_of_a_cluster(every_rule):
    measure = every_rule["measure"]
    cores = measure.workflow.global_resources["_cores"].value
    measure.workflow.register_resource("_cores", 64)
    try:
        assert asked(measure)["_cores"] == 64
        assert asked(measure, cluster=True)["_cores"] == 4
    finally:
        measure.workflow.register_resource("_cores", cores)


def test_the_profile_for_slurm_leaves_memory_and_time_to_the_rules():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    assert profile["retries"] >= 2
    for asked_for in (profile["default-resources"], *profile["set-resources"].values()):
        assert not {"mem_mb", "runtime"} & asked_for.keys()
