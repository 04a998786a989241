# What the rules share: the checked configuration, its names, and what they ask tsf.workflow.plan.
import json
import os
import re
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

HOME = Path(workflow.basedir)
sys.path.insert(0, str(HOME / "src"))
from tsf.ascend import npu_smi, requirements
from tsf.data.manifest import MANIFEST
from tsf.engines.setup import ONNX, parse_engines
from tsf.errors import UserError
from tsf.model.checkpoints import checkpoint
from tsf.workflow import environment, plan
from tsf.workflow.config import check
from tsf.workflow.fingerprint import listing_digest, refuse_large_shards, shards
from tsf.workflow.sources import sources

environment.prepare(HOME / "src")


@contextmanager
def one_line():
    """Let a fault of the user's end the run as one line."""
    try:
        yield
    except UserError as fault:
        sys.exit(f"error: {fault}")


with one_line():
    check(config, HOME / "config/schema.json")
    if config["ascend"]["set_env"]:
        environment.source(config["ascend"]["set_env"])

START = time.time()
LAYOUT = config["dataset"]["layout"]
DATASET = Path(config["dataset"]["root"])
VIDEOS = DATASET / "val" if LAYOUT == "kinetics" else DATASET
# a dataset that the workflow generates is redone as a whole, the videos of another one by one
GENERATED = [DATASET / MANIFEST] if plan.is_made(DATASET) else []
DATASET_OPTIONS = f"--layout {LAYOUT} --root {quote(str(DATASET))}"
SHARDS = [f"{n:03d}" for n in range(config["shards"])]
KEEP = config["keep"]
SETUPS = plan.named(parse_engines(config["engines"], config["bin"]))
ENGINES = list(SETUPS)
# the engines that run in a job's own process, and not as CANN's programs
OWN_ENGINES = {name: setup for name, setup in SETUPS.items() if setup.engine != "ascend"}
ASCEND = config["ascend"]
ARCHIVES = config["upstream"]["archives"]
ARCHIVES = f"--archives {quote(ARCHIVES)}" if ARCHIVES else ""
CHECKPOINT = checkpoint(config["model"])


wildcard_constraints:
    shard=r"\d{3}",
    engine="|".join(ENGINES),
    setup=r"[a-z]\w*",
    # batch 1 has the guide's names, tsf.om; others theirs, tsf_bs4.om
    bs=r"(?:_bs(?:[2-9]|[1-9]\d+))?",


def sources_of(module):
    """The files that `python -m tsf.<module>` runs: inputs, so that a change redoes the step."""
    return [os.path.relpath(path) for path in sources(module)]


def engine_sources(setup):
    """The same of the module that the setup's engine is loaded from."""
    return sources_of(f"engines.{setup.engine}") if setup.engine != "ascend" else []


def home_file(name):
    return plan.beside_snakefile(name, HOME)


def from_user(key, *paths):
    """Inputs that are refused in one line if the user should bring them and has not."""

    def present(wildcards):
        with one_line():
            return plan.refuse_absent(key, paths)

    return present


def dataset_shards():
    """What is known of every shard before any work; nothing while the dataset is not made."""
    with one_line():
        return shards(LAYOUT, DATASET, len(SHARDS))


def fingerprint(wildcards):
    """What the shard's videos look like: a parameter, so that a changed one redoes its shard."""
    return dataset_shards()[int(wildcards.shard)].fingerprint


def listing(wildcards):
    """Changes with the list of the videos; a generated dataset's list is an input."""
    with one_line():
        return "" if GENERATED else listing_digest(LAYOUT, DATASET)


def bins_disk_mb(wildcards):
    """The disk that a shard's .bin files take, refused if it is more than all may take."""
    limit = workflow.global_resources.get("disk_mb")
    if limit is not None:
        with one_line():
            refuse_large_shards(LAYOUT, DATASET, len(SHARDS), limit.value, config["bin"])
    return dataset_shards()[int(wildcards.shard)].bins_mb(config["bin"])


def temporary_bins(wildcards):
    """What goes before the engine's command to make the .bin files, and delete them after it.

    The number of processes is a variable of the shell: a param with the threads would redo the
    shards with another --cores.
    """
    if KEEP != "nothing":
        return ""
    bins_disk_mb(wildcards)  # refused here already, where that takes one line
    return (
        f"python -m tsf.data.temporary_bins {DATASET_OPTIONS} --shard {int(wildcards.shard)}"
        f" --shards {len(SHARDS)} --table results/decoded/{wildcards.shard}.tsv"
        f" --sampler {config['sampler']} --dtype {config['bin']} --processes $threads"
        f" --folder results/out_bin/{wildcards.engine}.{wildcards.shard} -- "
    )


def checkpoint_digest(wildcards):
    """Identifies the weights, so that their file may be touched or moved without a new export."""
    with one_line():
        return plan.checkpoint_digest(CHECKPOINT_FILE, CHECKPOINT.sha256)


def delete_leftover_bins():
    """Delete what killed jobs left: it counts against the cap until its shard comes up again."""
    for folder in Path("results/out_bin").glob("*.[0-9][0-9][0-9]"):
        shutil.rmtree(folder, ignore_errors=True)


def refuse_missing_tools(dag):
    """Stop before any work if a job that is due needs a tool that is not here."""
    due = {job.rule.name for job in dag.needrun_jobs()}
    with one_line():
        if "om" in due:
            requirements.require_atc(ASCEND["soc_version"])
        if due & {"infer_ascend", "measure_npu"}:
            requirements.require_ais_bench(ASCEND["python"])
