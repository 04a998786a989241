# What a job asks of its machine: memory, time and the device that it opens. None of it redoes a job.


resource_scopes:
    # each machine's own, so that they limit no jobs of a cluster, where the scheduler places them
    gpu="local",
    npu="local",


def videos_of(wildcards):
    """The videos of the job's shard, or of all shards."""
    if workflow.remote_exec:
        return 0  # the scheduler has its answer, and no node need look at every video
    try:
        found = shards(DATASET, len(SHARDS), RECIPE.clip.sampling)
    except UserError:  # a param's function says so
        return 0
    if "shard" in wildcards.keys():
        return found[int(wildcards.shard)].videos
    return sum(shard.videos for shard in found)


def listed():
    """The videos of the dataset, which each job's Snakemake has in memory."""
    if workflow.remote_exec:
        return 0
    try:
        return len(listed_videos(DATASET))
    except (UserError, OSError):  # still to be made, or refused by the job that reads it
        return 0


def batch_of_job(wildcards):
    """The videos of a run of the model."""
    names = wildcards.keys()
    if "bs" in names:
        return batch_of(wildcards.bs)
    if "variant" in names:
        return VARIANTS[wildcards.variant].batch
    setup = setup_of(wildcards)
    if setup is None:
        return 1
    return ASCEND["batch"] if setup.engine == "ascend" else setup.batch


def setup_of(wildcards):
    """The setup whose engine the job runs; None if it runs none."""
    if "setup" in wildcards.keys():
        return DESCRIBED[wildcards.setup]
    return SETUPS[wildcards.engine] if "engine" in wildcards.keys() else None


def load_of(wildcards, threads):
    clip_mb = RECIPE.clip.bin_bytes("float32") / needs.MEGABYTE
    return needs.Load(
        weights=needs.weights_mb(Path(CHECKPOINT_FILE)),
        clip=clip_mb,
        batch=batch_of_job(wildcards),
        videos=videos_of(wildcards),
        listed=listed(),
        processes=threads,
        on_gpu=gpu_of(wildcards) > 0,
    )


def at_attempt(attempt, amount):
    """The minutes of an attempt, each of which asks for more than the one before."""
    return min(needs.MAX_MINUTES, math.ceil(attempt * amount))


def asks(rule):
    """Memory and time of a rule's jobs, of which any may run elsewhere than the command.

    By a name that is given: used as a module, the rule has a prefix.
    """
    return {
        "mem_mb": lambda wildcards, threads, attempt: (
            attempt * needs.memory(rule, load_of(wildcards, threads))
        ),
        "runtime": lambda wildcards, threads, attempt: at_attempt(
            attempt, needs.minutes(rule, load_of(wildcards, threads))
        ),
    }


def with_engine(rule):
    """Of a rule that runs an engine in its jobs' own process."""
    return asks(rule) | OF_ENGINE


def with_atc(rule):
    """The time is what atc may take, and half an hour around it."""
    limit = ASCEND["time_limit"]["atc"]
    runtime = lambda wildcards, attempt: at_attempt(attempt, limit / 60 + 30)
    return asks(rule) | {"runtime": runtime, "atc_time": str(limit)}


def on_npu(rule):
    """The time is what ais_bench may take, and the work before it."""
    limit = ASCEND["time_limit"]

    def runtime(wildcards, threads, attempt):
        if "shard" in wildcards.keys():
            videos = videos_of(wildcards)
        else:
            videos = ASCEND["performance"]["loop"] * batch_of_job(wildcards) + PARITY["clips"]
        seconds = ais_bench.seconds_for(videos, (limit["ais_bench"], limit["per_video"]))
        before = needs.minutes(rule, load_of(wildcards, threads))
        return at_attempt(attempt, before + seconds / 60)

    return asks(rule) | NPU_RESOURCES | {"runtime": runtime}


def opens(accelerator):
    """One if the job's own process opens a gpu, or an npu; else none."""

    def number(wildcards):
        setup = setup_of(wildcards)
        return 1 if setup and setup.accelerator == accelerator else 0

    return number


gpu_of, npu_of = opens("gpu"), opens("npu")


CLUSTER = config["cluster"]
# of the jobs whose numbers are compared with each other's: on one kind of node
PARTITION = {"slurm_partition": CLUSTER["partition"]} if CLUSTER["partition"] else {}
NPU_GRES = {"gres": CLUSTER["npu_gres"]} if CLUSTER["npu_gres"] else {}
OF_ENGINE = {**PARTITION, "gpu": gpu_of, "npu": npu_of}
if NPU_GRES:
    OF_ENGINE["gres"] = lambda wildcards: CLUSTER["npu_gres"] if npu_of(wildcards) else ""
# an engine on a GPU takes the first that it sees, so one job at a time
if "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", 1)
