# What the rules share: checked configuration, paths, and the refusal of missing tools.
import json
import os
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from shlex import quote

sys.path.insert(0, str(Path(workflow.basedir, "src")))
from tsf.ascend import requirements
from tsf.engines.setup import parse_engines
from tsf.model import checkpoints
from tsf.workflow import environment
from tsf.ascend import npu_smi
from tsf.workflow.config import check
from tsf.errors import UserError
from tsf.files import sha256
from tsf.workflow.fingerprint import listing, refuse_large_shards, shards
from tsf.workflow.sources import sources

environment.prepare(Path(workflow.basedir, "src"))


@contextmanager
def one_line():
    """Let a fault of the user's end the run as one line."""
    try:
        yield
    except UserError as fault:
        sys.exit(f"error: {fault}")


with one_line():
    check(config, Path(workflow.basedir, "config/schema.json"))
    if config["ascend"]["set_env"]:
        environment.source(config["ascend"]["set_env"])

START = time.time()
LAYOUT = config["dataset"]["layout"]
DATASET = Path(config["dataset"]["root"])
SHARDS = [f"{n:03d}" for n in range(config["shards"])]
SETUPS = {setup.name: setup for setup in parse_engines(config["engines"], config["bin"])}
ENGINES = list(SETUPS)
# those that run in this process, the NPU's tools being programs of their own
OWN_ENGINES = {name: setup for name, setup in SETUPS.items() if setup.engine != "ascend"}
ARCHIVES = config["upstream"]["archives"]
ARCHIVES = f"--archives {quote(ARCHIVES)}" if ARCHIVES else ""
CHECKPOINT = checkpoints.checkpoint(config["model"])
FRAMES = config["frames"]
KEEP_BIN = config["keep_bin"]
BIN = config["bin"]
# The job that runs the engine then also decodes, and writes the shard's table. Its results have a
# folder of their own: in one that a job without the table has written, Snakemake would find its
# record of the outputs incomplete, and no longer see that a parameter has changed.
STREAMED = FRAMES == "none" and not KEEP_BIN
SHARD_RESULTS = "results/streamed" if STREAMED else "results/shards"

# a generated dataset is redone as a whole; the videos of another one by their fingerprints alone
MADE = [DATASET / "manifest.tsv"] if DATASET.is_relative_to("results") else []
ANNOTATIONS = DATASET / "annotations"
VIDEOS = DATASET / "val" if LAYOUT == "kinetics" else DATASET
CLASSES = config["dataset"]["classes"]


wildcard_constraints:
    shard=r"\d{3}",
    engine=r"[a-z]\w*",
    # batch 1 has the guide's names, tsf.om; others theirs, tsf_bs4.om
    bs=r"(?:_bs(?:[2-9]|[1-9]\d+))?",


def code(module):
    """The files that `python -m tsf.<module>` runs: inputs, so that a change redoes the step."""
    return [os.path.relpath(path) for path in sources(module)]


def own_file(name):
    """A path from the config: as it is, or else relative to the folder of the Snakefile."""
    beside_snakefile = Path(workflow.basedir, name)
    if not Path(name).exists() and beside_snakefile.exists():
        return os.path.relpath(beside_snakefile)
    return name


def brought(key, *paths):
    """Inputs that the user brings: refused in one line if one is missing, not in Snakemake's ten."""

    def checked(wildcards):
        for path in paths:
            if not Path(path).is_relative_to("results") and not Path(path).exists():
                with one_line():
                    raise UserError(f"{path}: no such file or folder; see {key} in the config")
        return list(paths)

    return checked


def dataset_shards():
    """What is known of every shard before any work; nothing while the dataset is not made."""
    with one_line():
        return shards(LAYOUT, DATASET, len(SHARDS))


def fingerprint(wildcards):
    """What the shard's videos look like: a parameter, so that a changed one redoes its shard."""
    return dataset_shards()[int(wildcards.shard)].fingerprint


def whole_fingerprint(wildcards):
    return " ".join(shard.fingerprint for shard in dataset_shards())


def bins_disk_mb(wildcards):
    """The disk that a shard's .bin files take, refused if it is more than all may take."""
    limit = workflow.global_resources.get("disk_mb")
    if limit is not None:
        with one_line():
            refuse_large_shards(LAYOUT, DATASET, len(SHARDS), limit.value, BIN)
    return dataset_shards()[int(wildcards.shard)].bins_mb(BIN)


def checkpoint_file():
    """Where the weights are: the configured file, or where the configured URL is saved."""
    where = CHECKPOINT.where
    return f"results/checkpoint/{Path(where).name}" if "://" in where else own_file(where)


def checkpoint_digest(wildcards):
    """Identifies the weights, so that they may be touched or moved without a new export."""
    path = Path(checkpoint_file())
    # one that the workflow makes is checked when it is made, and known by how it is made
    if path.is_relative_to("results") or not path.is_file():
        return CHECKPOINT.sha256
    found = sha256(path)
    with one_line():
        if not found.startswith(CHECKPOINT.sha256 or ""):
            raise UserError(
                f"{path}: sha256 is {found}, but model.sha256 in the config is {CHECKPOINT.sha256}"
            )
    return found


def clip_inputs(wildcards):
    """What the clips of a shard are made from: its raw frames, or else the videos."""
    if FRAMES != "none":
        shard = wildcards.shard
        return {"rawframes": f"results/rawframes/{shard}", "table": f"results/decoded/{shard}.tsv"}
    return {
        "made": MADE,
        "files": ancient(VIDEOS),
    }


def clip_options(table):
    """The same, as options of tsf.data.preprocess; `table` is where the videos' outcome is written."""

    def options(wildcards):
        if FRAMES != "none":
            source = "--rawframes results/rawframes/{0} --table results/decoded/{0}.tsv"
            return source.format(wildcards.shard)
        return (
            f"--layout {LAYOUT} --root {quote(str(DATASET))} --shard {int(wildcards.shard)}"
            f" --shards {len(SHARDS)} --table {table.format(**wildcards)}"
        )

    return options


def clip_fingerprint(wildcards):
    """Raw frames carry it themselves."""
    return fingerprint(wildcards) if FRAMES == "none" else None


def bins_inputs(wildcards):
    """A shard's .bin files, or what they are made from within the job that runs the engine."""
    if KEEP_BIN:
        return {"bins": f"results/out_bin/{wildcards.shard}"}
    bins_disk_mb(wildcards)  # refused here already, where that takes one line
    return clip_inputs(wildcards)


def bins_folder(wildcards):
    """Where the engine finds the .bin files."""
    temporary = f"results/out_bin/{wildcards.engine}.{wildcards.shard}"
    return f"results/out_bin/{wildcards.shard}" if KEEP_BIN else temporary


def with_bins(wildcards):
    """What goes before the engine's command to make the .bin files, and delete them after it.

    The threads are a variable of the shell: in a param they would redo the shards with --cores.
    """
    if KEEP_BIN:
        return ""
    source = clip_options("results/decoded/{engine}.{shard}.tsv")(wildcards)
    return (
        f"python -m tsf.data.temporary_bins {source} --sampler {config['sampler']} --bin {BIN}"
        f" --processes $threads --folder {bins_folder(wildcards)} -- "
    )


def delete_leftover_bins():
    """What killed jobs left: their folders count against the cap until their shards come up."""
    for folder in Path("results/out_bin").glob("*.[0-9][0-9][0-9]"):
        shutil.rmtree(folder, ignore_errors=True)


def batch_suffix(batch):
    return "" if batch == 1 else f"_bs{batch}"


def batch_of(wildcards):
    return int(wildcards.bs.removeprefix("_bs") or 1)


def errors_since(start):
    """The error lines of the logs that were written since, each with its log."""
    logs = [path for path in Path("results/logs").rglob("*.log") if path.stat().st_mtime >= start]
    lines = [
        (path, line) for path in logs for line in path.read_text("utf-8", "replace").split("\n")
    ]
    return [f"{line}  [{path}]" for path, line in lines if line.startswith("error: ")]


def refuse_missing_tools(dag):
    """Stop before any work if a job that is due needs a tool that is not here."""
    due = {job.rule.name for job in dag.needrun_jobs()}
    with one_line():
        if "om" in due:
            requirements.require_atc(config["ascend"]["soc_version"])
        if due & {"infer_ascend", "measure_npu"}:
            requirements.require_ais_bench(config["ascend"]["python"])
