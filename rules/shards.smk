# How the dataset is split into shards, and what their jobs share: cores, and the disk of .bin files.
from tsf.data import scratch
from tsf.workflow.fingerprint import (
    fingerprint_of_all,
    listed_videos,
    number_of_shards,
    refuse_large_shards,
    shards,
)


def tell_jobs(name, value):
    """Give the Snakemake of a job a value, which it finds in TOLD."""
    if workflow.is_main_process:
        settings = workflow.config_settings
        settings.config_args = [*(settings.config_args or []), f"tsf_{name}={value}"]


if isinstance(config["shards"], str):  # auto
    with one_line():
        config["shards"] = TOLD.get("shards") or number_of_shards(
            DATASET, BIN_BYTES, bool(GENERATED)
        )
    tell_jobs("shards", config["shards"])
SHARDS = [f"{n:03d}" for n in range(config["shards"])]
SCRATCH = config["scratch"] or ""
os.environ[scratch.OWN_TMPDIR] = os.environ.get("TMPDIR", "")
if SCRATCH and "disk_mb" in workflow.global_resources:
    tell_jobs("disk_mb", workflow.global_resources["disk_mb"].value)
if not SCRATCH:
    # results/ is one disk to all nodes, so the cap is one for all jobs; Snakemake's own scope of
    # disk_mb is local, which on a cluster limits nothing
    workflow.resourcescope(disk_mb="global")


def dataset_shards():
    """The number of videos and the fingerprint of every shard; empty until the dataset is made."""
    with one_line():
        return shards(DATASET, len(SHARDS), RECIPE.clip.sampling)


def fingerprint(wildcards):
    """The fingerprint of the shard's videos: as a parameter it redoes the shard that changes."""
    return dataset_shards()[int(wildcards.shard)].fingerprint


def fingerprint_of_videos(wildcards):
    """Of every listed video: as a parameter it redoes a job that reads them all."""
    return fingerprint_of_all(dataset_shards())


def disk_cap():
    """What --resources disk_mb allows all .bin files of a time together, in MB.

    Of all jobs, or with `scratch` of those on one node.
    """
    if not workflow.is_main_process:
        return TOLD["disk_mb"]
    if "disk_mb" not in workflow.global_resources:
        why = "a workflow that takes this one as a module has no profile of it"
        if not AS_MODULE:
            why = "--resources on the command line replaces the profile's"
        raise UserError(f"no disk_mb: {why}, so name it, as in --resources npu=2 disk_mb=8000")
    return workflow.global_resources["disk_mb"].value


def bins_disk_mb(wildcards):
    """The disk that a shard's .bin files take; refused if it exceeds --resources disk_mb."""
    if workflow.is_main_process:
        with one_line():
            refuse_large_shards(DATASET, len(SHARDS), RECIPE.clip.sampling, disk_cap(), BIN_BYTES)
    return dataset_shards()[int(wildcards.shard)].bins_mb(BIN_BYTES)


def npu_threads(wildcards):
    """The processes that decode a shard: the jobs of a time share the cores."""
    if KEEP != "nothing":
        return 1
    if not workflow.local_exec or workflow.remote_exec:
        return 4  # a job on a cluster, planned here or run there, must come to the same number
    return max(1, workflow.cores // max(1, workflow.global_resources["npu"].value))


def all_cores(wildcards):
    """The threads of a measurement, which no other job of this machine shall disturb."""
    if not workflow.local_exec or workflow.remote_exec:
        return 4  # as infer's; a scheduler would look for a node with all that are asked for
    return 1024  # Snakemake lowers it to all cores


def temporary_bins(wildcards):
    """The command that makes the .bin files, runs the engine's command and deletes the files.

    $threads, $scratch and $disk_mb are variables of the shell: in a param the values themselves
    would redo the shards with other --cores, another scratch or another cap. --early: an engine of
    our own loads its model meanwhile; ais_bench would hold a device meanwhile.
    """
    if KEEP != "nothing":
        return ""
    bins_disk_mb(wildcards)  # to refuse large shards: an error in a resource takes many lines
    early = "--early " if wildcards.engine in OWN_ENGINES else ""
    return (
        f"python -m tsf.data.temporary_bins {options(DATASET)} --shard {int(wildcards.shard)}"
        f" --shards {len(SHARDS)} --table results/decoded/{wildcards.shard}.tsv"
        f" --recipe {quote(CLIP_RECIPE)} --dtype {config['bin']} --processes $threads"
        ' --scratch="$scratch" --disk-mb $disk_mb'
        f" --folder results/out_bin/{wildcards.engine}.{wildcards.shard} {early}-- "
    )
