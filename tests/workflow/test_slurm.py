"""The profiles for clusters on a real Slurm of three nodes, all of them this machine."""

import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress

import pytest
import runs
import slurm

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm.MISSING), reason=f"not installed: {', '.join(slurm.MISSING)}"),
]

SHARDS = 3  # as many as nodes
SETTINGS = ("--config", f"shards={SHARDS}", "keep=nothing")
# the plugin looks after the first second, then every ten seconds more rarely
ON_SLURM = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "1")
GENERIC = ("--profile", "profiles/generic", "--seconds-between-status-checks", "1")
# every rule of `all` that is worth a job; the others are done where Snakemake runs
JOBS = {
    **{"sample_data": 1, "check_videos": 1, "count_frames": SHARDS, "video_heads": 1, "strips": 1},
    **{"onnx": 1, "onnx_sim": 1, "reference": 1, "compare_logits": 2, "infer": SHARDS},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with slurm.cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


def snakemake(cluster, checkout, *arguments, meanwhile=lambda: None):
    """A run from the workflow's own folder, as its user would; it must succeed.

    meanwhile: is called while it runs.
    """
    log = checkout.parent / "run.log"
    with open(log, "w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *arguments, *SETTINGS],
            cwd=checkout,
            env=cluster.environment,
            stdout=output,
            stderr=output,
        )
    try:
        meanwhile()
        process.wait(600)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # it cancels its jobs and removes what they began
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()
        print(log.read_text())
    assert process.returncode == 0


@pytest.fixture(scope="module")
def checkout(cluster, archives, tmp_path_factory):
    """A checkout in which the embedded sample has run on the cluster."""
    checkout = runs.checkout(tmp_path_factory.mktemp("on_slurm") / runs.CHECKOUT, archives)
    snakemake(cluster, checkout, "all", *ON_SLURM)
    return checkout


@pytest.fixture(scope="module")
def first_jobs(cluster, checkout):
    """The jobs of that run."""
    return cluster.jobs()


def of_shards(jobs):
    """(state, node) of every job of the inference, in their order, by shard."""
    found = {f"{number:03d}": [] for number in range(SHARDS)}
    for job in jobs:
        if job.comment.startswith("rule_infer_"):
            found[job.comment[-3:]].append((job.state, job.node))
    return found


def test_the_sample_is_the_same_on_a_cluster(checkout, first_jobs, sample_run):
    # the sample has run in a folder beside its checkout
    local, cluster = (
        re.sub(rb'"digest": "\w+"', b"", (results / "accuracy.json").read_bytes())
        for results in (sample_run.results, checkout / "results")
    )
    assert cluster == local.replace(f"../{runs.CHECKOUT}/".encode(), b"")
    assert (checkout / "results/report.html").exists()
    rules = (job.comment.removeprefix("rule_").split("_wildcards_")[0] for job in first_jobs)
    assert Counter(rules) == JOBS
    assert {job.state for job in first_jobs} == {"COMPLETED"}
    nodes = {node for ((_, node),) in of_shards(first_jobs).values()}
    assert nodes == set(slurm.NODES)


def test_a_cancelled_and_a_lost_job_alone_are_submitted_again(cluster, checkout, first_jobs):
    results = checkout / "results"
    before = (results / "accuracy.json").read_bytes()
    (results / "accuracy.json").unlink()
    shutil.rmtree(results / "result")
    shutil.rmtree(results / "shards")

    def new_jobs():
        return cluster.jobs()[len(first_jobs) :]

    def cancel_one_and_lose_another():
        slurm.wait("the inference", lambda: len(running()) == SHARDS, 200)
        cancelled, lost, _ = running()
        cluster.run("scancel", cancelled.id)
        cluster.lose(lost.node)

    def running():
        jobs = [job for job in new_jobs() if job.state == "RUNNING"]
        return sorted(jobs, key=lambda job: job.comment)

    snakemake(cluster, checkout, "accuracy.json", *ON_SLURM, meanwhile=cancel_one_and_lose_another)
    assert (results / "accuracy.json").read_bytes() == before
    cancelled, lost, undisturbed = of_shards(new_jobs()).values()
    assert [state for state, _ in cancelled] == ["CANCELLED", "COMPLETED"]
    (end, first_node), (again, second_node) = lost
    assert (end, again) == ("NODE_FAIL", "COMPLETED") and first_node != second_node
    assert [state for state, _ in undisturbed] == ["COMPLETED"]
    assert len(new_jobs()) == SHARDS + 2


def test_the_generic_profile(cluster, checkout):
    heads = checkout / "results/video_heads.tsv"
    before = heads.read_bytes()
    heads.unlink()
    earlier = cluster.jobs()
    snakemake(cluster, checkout, "results/video_heads.tsv", *GENERIC)
    assert heads.read_bytes() == before
    (job,) = cluster.jobs()[len(earlier) :]
    assert (job.name, job.state) == ("tsf_video_heads", "COMPLETED")

    def status(job):
        return cluster.run(str(checkout / "profiles/generic/status.sh"), job)

    words = {"COMPLETED": "success\n", "CANCELLED": "failed\n", "NODE_FAIL": "failed\n"}
    ends = {job.state: job.id for job in cluster.jobs()}
    assert {state: status(job) for state, job in ends.items()} == words
    sleeps = cluster.run("sbatch", "--parsable", "--output=/dev/null", "--wrap=sleep 600").strip()
    assert status(sleeps) == "running\n"
    assert status("99999") == "failed\n"  # Slurm knows it no more
    slurm.kill(cluster.folder / "slurmctld")
    assert status(sleeps) == "running\n"  # nobody can say, and Snakemake must not submit it again
