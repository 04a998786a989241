"""Where Snakemake becomes the limit: planning, then the makespan of a cluster, simulated.

    PYTHONPATH=src python bench/scale.py                   the simulation, and its figure
    PYTHONPATH=src python bench/scale.py --plan 20000 200000    planning made-up lists, measured

The simulation goes from job to job: each is submitted, one after the other, waits for a free slot
of a node, starts Snakemake anew, which plans all videos again, runs its step, and is noticed at
Snakemake's next look at the queue. Then what waits for it is submitted. The rates are those of
`tsf.workflow.estimate`.
"""

import argparse
import heapq
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import picture
from matplotlib.figure import Figure

from tsf import errors
from tsf.data.kinetics import write_annotations
from tsf.files import write_json
from tsf.markdown import table
from tsf.workflow.costs import AFTER, BESIDE, HEADS, LISTED, LOCAL, PROCESSES, SHIPPED, Plan, Rates

ROOT = Path(__file__).resolve().parents[1]
VIDEOS = (20_000, 650_000, 10_000_000)
NODES = (1, 4, 16, 64, 256, 1000)
MAX_SHARDS = 4096  # sbatch takes 14 minutes for so many


@dataclass(frozen=True)
class Cluster:
    """What the queue costs; seconds. docs/costs.md says where each is from."""

    submit: float = 0.2  # a call of sbatch
    waits: float = 1.0  # until a slot that is free has the job
    starts: int = 2  # Snakemake's own starts in a job
    first_look: float = 40.0  # between two looks at the queue, while jobs end
    longer: float = 10.0  # the gap grows by, while none has ended
    longest: float = 180.0


def stage(ready: float, durations: list[float], slots: int, cluster: Cluster) -> float:
    """When Snakemake knows that jobs of those durations have ended, in `slots` at a time."""
    free = [ready] * min(slots, len(durations))
    ends = []
    for number, seconds in enumerate(durations):
        submitted = ready + (number + 1) * cluster.submit
        begin = max(submitted + cluster.waits, heapq.heappop(free))
        heapq.heappush(free, begin + seconds)
        ends.append(begin + seconds)
    ends.sort()
    look, gap, seen = ready + len(durations) * cluster.submit, cluster.first_look, 0
    while seen < len(ends):
        look += gap
        ended = seen
        while ended < len(ends) and ends[ended] <= look:
            ended += 1
        gap = cluster.first_look if ended > seen else min(gap + cluster.longer, cluster.longest)
        seen = ended
    return look


def simulate(plan: Plan, rates: Rates, cluster: Cluster, engine: str, seed: int = 0) -> dict:
    """The seconds of a run with `keep: nothing`, and the share of the cores' time in the work."""
    own, view = rates.snakemake, rates.engines[engine]
    sizes = np.random.default_rng(seed).multinomial(plan.videos, [1 / plan.shards] * plan.shards)
    planning = own["start"] + plan.videos * own["video"] + plan.shards * own["shard"]
    again = cluster.starts * (own["start"] + plan.videos * own["video"])
    lists = plan.videos * own["list"]  # the step reads the list, too
    count, decode = rates.steps["count_frames"], rates.steps["temporary_bins"]
    counting = [
        again + count.job + lists + int(n) * count.video / plan.decode_threads for n in sizes
    ]
    a_video = decode.video + plan.views * view.view
    loading = view.job / plan.threads  # beside the decoding
    inferring = [
        again + decode.job + loading + lists + int(n) * a_video / plan.threads for n in sizes
    ]

    def one_by_one(at: float, steps: tuple[str, ...]) -> float:
        for step in steps:
            rate, processes = rates.steps[step], PROCESSES if step in HEADS else 1
            seconds = rate.job + plan.videos * rate.video / processes
            at = at + seconds if step in LOCAL else stage(at, [again + seconds], 1, cluster)
        return at

    listed = one_by_one(planning, LISTED)
    proven = stage(
        planning, [again + rates.model["export"] + rates.model["proof"] / PROCESSES], 1, cluster
    )
    counted = stage(planning, counting, plan.nodes * (plan.cores // plan.decode_threads), cluster)
    account = one_by_one(max(listed, counted), ("account",))
    slots = plan.nodes * (plan.cores // plan.threads)
    inferred = stage(max(account, proven), inferring, slots, cluster)
    heads = one_by_one(account, BESIDE)
    end = one_by_one(max(inferred, heads), tuple(step for step in AFTER if step != "account"))
    work = plan.videos * (count.video + a_video)
    return {
        "videos": plan.videos,
        "nodes": plan.nodes,
        "shards": plan.shards,
        "threads": plan.threads,
        "planning": planning,
        "planning_in_a_job": again + lists,
        "inference": inferred - max(account, proven),
        "before": max(account, proven),
        "rest": end - inferred,
        "seconds": end,
        "efficiency": work / (end * plan.nodes * plan.cores),
    }


def shards_for(videos: int, nodes: int, cores: int, threads: int) -> tuple[int, int]:
    """Shards of four rounds, if there may be so many and each has 20 videos, and their threads."""
    wanted = 4 * nodes * (cores // threads)
    if wanted > MAX_SHARDS:
        threads = cores  # fewer, larger jobs
        wanted = 4 * nodes
    return max(1, min(wanted, MAX_SHARDS, videos // 20)), threads


def plan_made_up(videos: int, shards: int, folder: Path) -> dict:
    """The CPU seconds and the peak memory of a dry run over a list whose videos are not there."""
    root = folder / str(videos)
    if not root.exists():
        (root / "val").mkdir(parents=True)
        rows = [(f"class {n % 400}", f"made_up{n:08d}", 0, 10, "val") for n in range(videos)]
        write_annotations(root / "annotations/val.csv", rows)
        write_annotations(root / "annotations/train.csv", rows[:400])
    command = [sys.executable, "-m", "snakemake", "all", "-n", "--quiet", "all", "--cores", "2"]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--configfile", str(ROOT / "config/kinetics400.yaml")]
    command += ["--resources", "disk_mb=1000000000"]
    command += ["--config", f"dataset={{root: {root}, name: made up}}", f"shards={shards}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise errors.UserError("the dry run failed")
    return {
        "videos": videos,
        "shards": shards,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "memory_mb": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
    }


def draw(runs: list[dict], path: Path) -> None:
    """The share of the cores' time in the work, over the nodes; a line a number of videos."""
    figure = Figure(figsize=(7, 4))
    axis = figure.subplots()
    for videos in sorted({run["videos"] for run in runs}):
        own = [run for run in runs if run["videos"] == videos]
        x, y = [run["nodes"] for run in own], [100 * run["efficiency"] for run in own]
        axis.plot(x, y, marker="o", label=f"{videos:,} videos")
    axis.set_xscale("log")
    axis.set_ylim(0, 100)
    axis.set_xlabel("nodes of 64 cores")
    axis.set_ylabel("% of the cores' time decoding and inferring")
    axis.grid(alpha=0.3)
    axis.legend()
    picture.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plan", type=int, nargs="+", metavar="VIDEOS")
    parser.add_argument("--shards", type=int, nargs="+", default=[128, 999], help="for --plan")
    parser.add_argument("--cores", type=int, default=64, help="of a node")
    parser.add_argument("--threads", type=int, default=8, help="of a job of the inference")
    parser.add_argument("--rates", type=Path, default=SHIPPED)
    parser.add_argument("--engine", help="of the rates; the first if it is left out")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/scale.svg")
    parser.add_argument("--output", type=Path, help="json to write")
    args = parser.parse_args()

    if args.plan:
        with tempfile.TemporaryDirectory() as folder:
            for videos in args.plan:
                for shards in args.shards:
                    print(plan_made_up(videos, shards, Path(folder).resolve()), flush=True)
        return
    rates = Rates.read(args.rates)
    engine = args.engine or next(iter(rates.engines))
    runs = []
    for videos in VIDEOS:
        for nodes in NODES:
            shards, threads = shards_for(videos, nodes, args.cores, args.threads)
            plan = Plan(videos, shards, args.cores, nodes, threads=threads, decode_threads=threads)
            runs.append(simulate(plan, rates, Cluster(), engine))
    if args.output:
        write_json(args.output, {"runs": runs})
    draw(runs, args.picture)
    columns = {
        "planning": "plan",
        "planning_in_a_job": "again in a job",
        "before": "before the inference",
        "inference": "inference",
        "rest": "rest",
    }
    rows = [
        [
            f"{run['videos']:,}",
            f"{run['nodes']:,}",
            str(run["shards"]),
            str(run["threads"]),
            *(f"{run[column]:,.0f} s" for column in columns),
            f"{run['seconds'] / 3600:.2f} h",
            f"{run['efficiency']:.0%}",
        ]
        for run in runs
    ]
    header = ["videos", "nodes", "shards", "threads", *columns.values(), "run", "efficiency"]
    print(table(header, rows))


if __name__ == "__main__":
    errors.run(main)
