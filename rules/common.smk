# The checked configuration, and the helper functions of the rules.
import json
import math
import os
import re
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from shlex import quote

from snakemake.common.configfile import load_configfile
from snakemake.logging import logger
from snakemake.utils import update_config

sys.path.insert(0, str(HOME / "src"))
from tsf.ascend import ais_bench, atc, npu_smi
from tsf.engines.device import devices_here
from tsf.bundle.fit import bundled, refuse_recipe
from tsf.data.calibration_labels import annotations_of
from tsf.data.manifest import MANIFEST
from tsf.engines.setup import ONNX, batch_of, batch_suffix, parse_engines, with_batch
from tsf.errors import UserError, one_line
from tsf.model.checkpoints import checkpoint
from tsf.recipe.literal import read_config
from tsf.recipe.record import to_json
from tsf.recipe.resolve import refuse_unfit, resolve
from tsf.workflow import environment, needs, plan, terminal
from tsf.workflow.config import check
from tsf.workflow.config_files import refuse_faulty
from tsf.workflow.dataset import find_dataset, options, refuse_unfit_list
from tsf.workflow.fingerprint import listing_digest
from tsf.workflow.sources import sources

environment.prepare(HOME / "src")
# with --sdm conda Snakemake would take PYTHONPATH from the jobs, and so this package and CANN's
workflow.deployment_settings.conda_not_block_search_path_envvars = True


# another workflow takes this one as a module, and so Snakemake has passed over config.yaml
AS_MODULE = not workflow.modifier.is_main_snakefile()
if AS_MODULE:
    given, config = config, load_configfile(HOME / "config.yaml")
    update_config(config, given)
else:
    # where another workflow takes this one, the terminal is its own
    terminal.show_less(logger)


def refuse_other_places():
    """Raises UserError for what would move the inputs and outputs: params have their paths too."""
    if workflow.modifier.path_modifier.replace_prefix("results") != "results":
        raise UserError(
            "module: prefix and replace_prefix move no path in a command; leave them out, and run "
            "in another folder, with --directory, for results elsewhere"
        )
    if workflow.storage_settings.default_storage_provider is not None:
        raise UserError(
            "--default-storage-provider: the steps read and write folders, not objects; mount the "
            "bucket, and leave the option out"
        )


# A job's own Snakemake, as on another machine, gets neither the profile nor --resources, and may see
# another list of videos: `tell_jobs` of the process that sent it has told it these.
TOLD = {}
if not workflow.is_main_process:
    for name in ("disk_mb", "shards"):
        config.pop(f"tsf_{name}", None)
        TOLD[name] = workflow.config_settings.overwrite_config.get(f"tsf_{name}")

with one_line():
    refuse_other_places()
    plan.refuse_unwritable()
    refuse_faulty(workflow.configfiles, text_keys=not AS_MODULE)
    check(config, HOME / "config/schema.json")
    if config["ascend"]["set_env"]:
        environment.source(config["ascend"]["set_env"])


def option(name, value):
    """A command line's option with its value, or nothing where the value is null or empty.

    With =, as a value may begin with a dash.
    """
    return f"{name}={quote(str(value))}" if value else ""


def home_file(name):
    return None if name is None else plan.beside_snakefile(name, HOME)


MODEL = config["model"] | {key: home_file(config["model"][key]) for key in ("config", "checkpoint")}
with one_line():
    plan.refuse_absent_folder(MODEL)
    RESOLVED = resolve(MODEL, config["recipe"])
    refuse_unfit(RESOLVED, config["keep"], config["bin"])
RECIPE = RESOLVED.recipe
# a step gets the part that its output depends on
CLIP_RECIPE = to_json(RECIPE.clip)
SAMPLING = to_json(RECIPE.clip.sampling)
BIN_BYTES = RECIPE.clip.bin_bytes(config["bin"])

START = time.time()
with one_line():
    DATASET, FOUND_BY = find_dataset(config["dataset"], MODEL, HOME)
    DATASET = replace(DATASET, time_limit=config["video_time_limit"])
    refuse_unfit_list(DATASET, RESOLVED, config["keep"])
LAYOUT = DATASET.layout
ROOT = DATASET.root
VIDEOS = ROOT / "val" if LAYOUT == "kinetics" else ROOT
# a dataset that the workflow generates is redone as a whole, the videos of another one by one
GENERATED = [ROOT / MANIFEST] if plan.is_made(ROOT) else []
KEEP = config["keep"]
SETUPS = plan.named(parse_engines(config["engines"], config["bin"]))
ENGINES = list(SETUPS)
# the engines that run in a job's own process, and not as CANN's programs
OWN_ENGINES = {name: setup for name, setup in SETUPS.items() if setup.engine != "ascend"}
ASCEND = config["ascend"]
with one_line():
    atc.refuse_contradictions(atc.choice(ASCEND))
ARCHIVES = option("--archives", config["upstream"]["archives"])
CHECKPOINT = checkpoint(MODEL)


# Before the shards' jobs: a wrong engine is found before the videos are decoded, and where there are
# many cores the chain of export and proof takes longer than all counting. After check_videos, which
# may stop the run. Each rule of the chain has it, as a job's priority is not passed on to those that
# it needs.
MODEL_FIRST = 50


wildcard_constraints:
    # without the braces of \d{3,}, which Snakemake does not read
    shard=r"\d\d\d|[1-9]\d\d\d+",
    engine="|".join(ENGINES),
    setup=r"[a-z]\w*",
    # batch 1 has the guide's names, tsf.om; others theirs, tsf_bs4.om
    bs=r"(?:_bs(?:[2-9]|[1-9]\d+))?",


def sources_of(module):
    """The files that `python -m tsf.<module>` runs: inputs, so that a change redoes the step."""
    return [os.path.relpath(path) for path in sources(module)]


def engine_sources(setup):
    """The files of the module that a setup's engine is loaded from."""
    return sources_of(f"engines.{setup.engine}") if setup.engine != "ascend" else []


def dataset_options(wildcards):
    """The dataset's options; a function's result is not searched for wildcards."""
    return options(DATASET)


def outputs_of_rules():
    """The outputs of every rule, those of a workflow that takes this one as a module too."""
    return [str(file) for each in workflow.rules for file in each.output]


def from_user(key, *paths):
    """Inputs that, where they are the user's to supply, are refused in one line if absent."""

    def present(wildcards):
        with one_line():
            plan.refuse_made_meanwhile(key, paths, outputs_of_rules())
            return plan.refuse_absent(key, paths)

    return present


def listing(wildcards):
    """The digest of the list of videos: as a parameter it redoes a job when the list changes.

    A generated dataset has none, as its list is an input of the job.
    """
    with one_line():
        return "" if GENERATED else listing_digest(DATASET)


def lists_digest(wildcards):
    """Changes with what the user's lists and classes say, however old their files are."""
    with one_line():
        return plan.files_digest(path for path in LISTS if not plan.is_made(path))


def classes_options(wildcards):
    """The options of the classes, refused if the model has more or fewer than there are names."""
    with one_line():
        plan.refuse_other_classes(LAYOUT, ROOT, CLASSES, RECIPE.classes)
    return f"{option('--classes', CLASSES)} --class-count {RECIPE.classes}"


def checkpoint_digest(wildcards):
    """Identifies the weights, so that their file may be touched or moved without a new export."""
    with one_line():
        plan.refuse_made_meanwhile("model.checkpoint", [CHECKPOINT_FILE], outputs_of_rules())
        plan.refuse_absent("model.checkpoint", [CHECKPOINT_FILE])
        return plan.checkpoint_digest(CHECKPOINT_FILE, CHECKPOINT.sha256)


def boundaries(setups):
    """The measured distances of the setups, which a proof is made of."""
    return plan.boundaries(setups, RECIPE.clip.has_uint8)


def asked_for(names):
    """The files results/<name>.json that this command has among its targets, or makes for them.

    A target may be a rule, as `all` of a workflow that takes this one as a module: then its inputs.
    """
    targets = set()
    for target in workflow.dag_settings.targets or [workflow.default_target]:
        files = workflow.get_rule(target).input if workflow.is_rule(target) else [target]
        targets |= {Path(file).name for file in files if not callable(file)}
    made = {Path(target).stem for target in targets}
    made |= {"choice"} if "performance.md" in targets else set()
    return [f"results/{name}.json" for name in names if name in made]


def engines_to_bundle():
    """The names of the engines that the bundle's is chosen from; refused in one line if none is."""
    with one_line():
        refuse_recipe(RECIPE.clip)
        return bundled(config["bundle"]["engine"], SETUPS, ASCEND["batch"])


def to_bundle(form):
    """Inputs: a file for each of the `engines_to_bundle`."""
    return lambda wildcards: expand(form, engine=engines_to_bundle())


def models_to_bundle(wildcards):
    """The models of the `engines_to_bundle`."""
    return [
        OM if name == "ascend" else f"results/{SETUPS[name].file}" for name in engines_to_bundle()
    ]


def models_in_bundle():
    """The names of the model's files in the bundle; none where the choice decides on them."""
    try:
        names = bundled(config["bundle"]["engine"], SETUPS, ASCEND["batch"])
    except UserError:  # there is no bundle, which is no fault of other targets
        return []
    files = {Path(OM if name == "ascend" else SETUPS[name].file) for name in names}
    if len(files) > 1:
        return []
    (file,) = files
    return [file.name, file.with_suffix(".bin").name] if file.suffix == ".xml" else [file.name]


def compared(wildcards):
    """The two folders of the config, refused where it names none."""
    with one_line():
        return plan.compared_folders(config["compare"])


def compared_digests(wildcards):
    """Of the files that are read: not inputs, as this run's own, if named, would be made first."""
    from tsf.evaluation.results_folder import FILES  # with pandas, which no other plan needs

    folders = compared(wildcards)
    return plan.files_digest(Path(folder, name) for folder in folders for name in FILES)
