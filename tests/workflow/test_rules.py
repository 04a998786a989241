"""Every rule and every environment file is complete."""

import re

import datasets
import pytest
import rules
import yaml
from runs import ROOT

from tsf.workflow import fingerprint
from tsf.workflow.sources import PACKAGE

ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
# every rule of every way to keep things, once
RULES = {
    f"{name}, {keep}" if name in ("out_bin", "infer", "infer_ascend") else name: rule
    for keep in ("nothing", "bins", "frames")
    for name, rule in rules.load(f"keep: {keep}").items()
}
# inference is redone by the file that describes the engine (see tsf/engines/described.py)
BY_DESCRIPTION = {"infer": "describe_engine", "infer_ascend": "describe_ascend"}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_has_log_message_and_environment(rule):
    assert rule.log and rule.message
    environment = re.search(r"envs/(\w+)\.yaml", str(rule.conda_env))[1]
    assert (ROOT / f"envs/{environment}.yaml").is_file()
    assert re.search(r"2>&1 \| tee \{log(:q)?\}$", rule.shellcmd)  # shown, and kept
    assert not rule.is_run and not rule.is_script


# what renders and what notes the times themselves; the doctor makes nothing
UNTIMED = {"doctor", "provenance"}


@pytest.mark.parametrize("name", RULES, ids=str)
def test_a_rule_s_time_is_noted_beside_its_log(name):
    rule = RULES[name]
    if name in UNTIMED or name.endswith("_report"):
        assert rule.benchmark is None
        return
    (log,) = rule.log
    assert str(rule.benchmark) == str(log).replace("/logs/", "/benchmarks/").replace(".log", ".tsv")


@pytest.mark.parametrize("name", RULES, ids=str)
def test_a_rule_depends_on_the_code_that_it_runs(name):
    rule, plain = RULES[name], name.split(",")[0]
    run = rules.modules_run(rule)
    assert run, "runs no module of the package"
    if plain in BY_DESCRIPTION:
        keep = name.split(", ")[1]
        rule = rules.load(f"keep: {keep}")[BY_DESCRIPTION[plain]]
        run |= {"data.temporary_bins"} if keep == "nothing" else set()
    for module in run:
        assert (PACKAGE / rules.file_of(module)).is_file()
        assert rules.file_of(module) in rules.sources(rule), module


def test_the_checks_at_the_start_know_the_rules_by_their_commands():
    """Not by their names, which a workflow that takes this one as a module may change."""

    def rules_with(*words):
        return {
            name.split(",")[0]
            for name, rule in RULES.items()
            if all(word in rule.shellcmd for word in words)
        }

    assert rules_with("tsf.ascend.atc ") == {"om", "blocks_om", "om_variant"}
    assert rules_with("--may-be-refused") == {"om_variant"}
    on_npu = {"ascend_blocks", "compare_om", "infer_ascend", "measure_npu", "measure_variant"}
    assert rules_with("npu_python") == on_npu
    assert rules_with("npu_python", "temporary_bins") == {"infer_ascend"}


@pytest.mark.parametrize("name", ["calibration", "check_videos", "video_heads"])
def test_what_reads_every_video_is_redone_when_one_arrives(name, tmp_path):
    """A clip that int8 is calibrated on may be of that video, however many shards there are."""
    root = datasets.kinetics(tmp_path / "k400", [(0, "yoga"), (1, "yoga")], ["yoga"])
    datasets.video(root, 0).write_bytes(b"video")

    def found(shards):
        fingerprint.listed_videos.cache_clear()
        fingerprint._read_shards.cache_clear()
        config = f"{{dataset: {{root: {root}}}, shards: {shards}}}"
        return rules.load(config)[name].params["fingerprint"](None)

    before = found(1)
    assert found(2) == before
    datasets.video(root, 1).write_bytes(b"arrived")
    assert found(1) != before


def test_what_loads_the_model_is_redone_when_the_user_chooses_its_input():
    """Though the recipe stays: the checkpoint's own config is compared again."""
    chosen = rules.load("{recipe: {frame_interval: 32}}")
    loading = {name for name, rule in chosen.items() if "model/load.py" in rules.sources(rule)}
    assert loading == {"onnx", "onnx_opt", "onnx_npu", "torch_program", "rewrites", "reference"}
    plain = rules.load()
    for name in loading:
        before, after = plain[name].params, chosen[name].params
        assert before["recipe"] == after["recipe"] and before["origin"] != after["origin"], name


def test_no_rule_needs_cores_to_be_given():
    """workflow.cores raises where --cores is not given, as on a cluster, and changes params.

    Only npu_threads asks for it, on this machine alone, and threads redo nothing.
    """
    for path in (ROOT / "rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        assert text.count("workflow.cores") == text.count("def npu_threads("), path


def test_a_shard_has_three_digits_and_from_1000_on_more():
    constraint = RULES["infer, nothing"].workflow.wildcard_constraints["shard"]
    names = ["000", "999", "1000", "65535"]
    assert [f"{number:03d}" for number in map(int, names)] == names
    assert all(re.fullmatch(constraint, name) for name in names)
    assert not any(re.fullmatch(constraint, name) for name in ("00", "0999", "00000", "1"))


def test_what_a_job_on_another_machine_is_told():
    """It has neither --resources nor, perhaps, the same list: so it gets the values themselves."""

    def of(config):
        workflow = rules.load(config)["infer"].workflow
        told = list(workflow.config_settings.config_args)
        return told, workflow.resource_scopes.is_local("disk_mb"), workflow.config["shards"]

    told, local, number = of("{keep: nothing, shards: auto, scratch: /tmp}")
    assert told[-1] == "tsf_shards=4" and number == 4 and local
    # results/ is one disk to all nodes
    told, local, number = of("{keep: nothing}")
    assert told == ["keep='nothing'"] and number == 4 and not local


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_pip_pins_are_exact(path):
    dependencies = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    pins = next(entry["pip"] for entry in dependencies if isinstance(entry, dict))
    plain = [entry for entry in dependencies if isinstance(entry, str)]
    assert pins
    for pin in pins:
        assert re.match(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin), pin
    # the interpreter and pip themselves are conda's, pinned too
    assert {entry.split("=")[0] for entry in plain} >= {"python", "pip"}
    assert all(re.fullmatch(r"[\w.-]+=[\w.]+", entry) for entry in plain), plain


def test_the_cpu_side_pins_what_the_tests_run_on():
    """The versions on which every result and byte of these tests rests."""
    from importlib.metadata import version

    pins = yaml.safe_load((ROOT / "envs/cpu.yaml").read_text())["dependencies"][-1]["pip"]
    pinned = dict(pin.split(";")[0].strip().split("==") for pin in pins)
    for name in ("snakemake", "torch", "numpy", "opencv-python-headless", "onnx", "onnxruntime"):
        assert version(name).split("+")[0] == pinned[name], name


@pytest.mark.parametrize("path", sorted((ROOT / "profiles").glob("*/*.yaml")), ids=str)
def test_a_profile_names_rules_that_there_are(path):
    """Snakemake passes over a rule that it does not know."""
    profile = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = {name.split(",")[0] for name in RULES}
    for key in ("set-threads", "set-resources"):
        assert set(profile.get(key, {})) <= known, key
