# What the rules share: checked configuration, paths, and the refusal of missing tools.
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir, "src")))
from tsf import tools
from tsf.config import check
from tsf.errors import UserError
from tsf.files import sha256
from tsf.fingerprint import shard_fingerprints
from tsf.sources import sources

tools.put_this_python_first()
# a command finds the package without its being installed
shell.prefix(f"set -euo pipefail; export PYTHONPATH={Path(workflow.basedir, 'src')}; ")


@contextmanager
def one_line():
    """Let a fault of the user's end the run as one line."""
    try:
        yield
    except UserError as fault:
        raise WorkflowError(f"error: {fault}") from None


with one_line():
    check(config, Path(workflow.basedir, "config/schema.json"))

SHARDS = [f"{n:03d}" for n in range(config["shards"])]
DATASET = Path(config["dataset"]["root"])


wildcard_constraints:
    shard=r"\d{3}",
    engine=r"[a-z]+",


def code(module):
    """The files that `python -m tsf.<module>` runs: inputs, so that a change redoes the step."""
    return [os.path.relpath(path) for path in sources(module)]


def own_file(name):
    """A path from the config: as it is, or else relative to the folder of the Snakefile."""
    beside_snakefile = Path(workflow.basedir, name)
    if not Path(name).exists() and beside_snakefile.exists():
        return os.path.relpath(beside_snakefile)
    return name


def fingerprint(wildcards):
    """What the shard's videos look like: a parameter, so that a changed one redoes its shard."""
    with one_line():
        return shard_fingerprints(DATASET, len(SHARDS))[int(wildcards.shard)]


def checkpoint_file():
    """Where the weights are: the configured file, or where the configured URL is saved."""
    where = config["model"]["checkpoint"]
    return f"results/checkpoint/{Path(where).name}" if "://" in where else own_file(where)


def checkpoint_digest(wildcards):
    """Identifies the weights, so that they may be touched or moved without a new export."""
    where = Path(checkpoint_file())
    # one that the workflow makes is known by how it is made
    made_here = where.is_relative_to("results")
    return config["model"]["sha256"] if made_here or not where.is_file() else sha256(where)


def refuse_missing_tools(dag):
    """Stop before any work if a job that is due needs a tool that is not here."""
    if any(job.rule.name == "om" for job in dag.needrun_jobs()):
        with one_line():
            tools.require_atc(config["ascend"]["soc_version"])
