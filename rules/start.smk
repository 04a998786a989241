# What Snakefile's onstart does before the first job.
from tsf.ascend import ais_bench, requirements
from tsf.data.bins import delete_bins
from tsf.workflow.ending import end_jobs_too
from tsf.workflow.fingerprint import look_ahead_mb


def due_commands(dag):
    """The commands of the jobs that are due; in a module the rules may have other names than here."""
    return {job.rule.shellcmd or "" for job in dag.needrun_jobs()}


def delete_leftover_bins():
    """Delete the .bin files of killed jobs, which would stay on the disk until a shard's turn.

    ais_bench's folder has further links to them. With `scratch` they are on the node's disk, in
    results/ is a link to them; those on another machine go with its next job.
    """
    for folders in ("results/out_bin/*.[0-9]*", "results/shards/*/.*.work"):
        for folder in Path().glob(folders):
            delete_bins(folder)
    if SCRATCH:
        with one_line():
            scratch.delete_leftovers(SCRATCH)


def tell_of_idle_devices(dag):
    """Say so if the disk has no room for the shards that are decoded while the devices infer."""
    on_npu = [command for command in due_commands(dag) if "npu_python" in command]
    if KEEP != "nothing" or not any("temporary_bins" in command for command in on_npu):
        return
    jobs = workflow.global_resources["npu"].value
    needed = look_ahead_mb(DATASET, len(SHARDS), RECIPE.clip.sampling, jobs, BIN_BYTES)
    if disk_cap() < needed:
        print(
            f"disk_mb={disk_cap()} has no room for {jobs} shards at a time, {needed} MB: devices "
            "will wait for shards to be decoded; more shards or a larger disk_mb keep them busy"
        )


def refuse_contradictory_variants():
    """Raises UserError if atc's options do not go with one of the variants' precisions."""
    for precision in ASCEND["variants"]["precisions"]:
        mixlist = ASCEND["modify_mixlist"] if precision == "allow_mix_precision" else None
        keys = ASCEND | {"precision": precision, "modify_mixlist": mixlist}
        atc.refuse_contradictions(atc.choice(keys))


def refuse_missing_tools(dag):
    """Stop before any work if a job that is due needs a tool or a scratch that is not here."""
    due = " ".join(due_commands(dag))
    with one_line():
        if "tsf.ascend.atc " in due:
            requirements.require_atc(ASCEND["soc_version"])
        if "--may-be-refused" in due:
            refuse_contradictory_variants()
        if "npu_python" in due:  # the Python that has ais_bench
            requirements.require_ais_bench(ASCEND["python"])
            ais_bench.refuse_temporary_folder()
        # the nodes of a cluster have their own
        if SCRATCH and "params.temporary_bins" in due and workflow.local_exec:
            scratch.place(SCRATCH)
