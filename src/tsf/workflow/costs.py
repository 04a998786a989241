"""What a run costs: CPU time, wall time and disk, by a formula from measured rates.

The rates are CPU seconds (user and system). V listed videos in S shards, steps that run once and
steps that run once a shard:

    once           job + V * video
    once a shard   S * job + V * video

`job` is the start: the interpreter, the imports, the processes of a step, the loading of a model.
`video` is the rest; of the inference it is the views of a video times `view`. `snakemake` is
Snakemake's own: start + V * video + S * shard to plan, and `job` for each job; a shard's job reads
the list of all videos, V * list.

Wall time. A shard of v videos on t cores, its start on one of them, takes

    d(v) = snakemake.job + V * list + job + v * video / t

(with `keep: nothing` the job of a CPU's engine, which loads its model while the first videos are
decoded, is divided by t, too) and S of them, A = nodes * (cores // t) at a time, take

    rounds = (ceil(S / A) - 1) * d(m) + d(largest)

with m = V / S. With `keep: nothing` the inference has no more jobs at a time than shards of m .bin
files fit into disk_mb, with `scratch` on each node. The shards are hashed, so the largest of them
is taken as the quantile S / (S + 1) of the binomial distribution, by the normal one:
m + z * sqrt(m * (1 - 1 / S)).

The export and the proof are a chain: the former on one core, the latter on up to four.

A run is planning, then three phases, one after the other: all that comes before the inference, the
inference with what runs beside it, and the rest. A phase on the C cores of all nodes takes the
longest of its stages alone, or, if that is longer,

    its CPU time / C + (1 - 1 / C) * its longest chain of steps that run once

which is Graham's bound for jobs that start as soon as a core is free ("Bounds on multiprocessing
timing anomalies", 1969): at worst the chain comes last.

An NPU or GPU infers by itself: a shard holds it for load + v * views / rate, while the cores decode
the next one. So the inference takes one shard's decoding, and then the longer of `rounds` over the
devices and `rounds` of decoding.

On several nodes a job waits in the queue, starts Snakemake anew, which plans all videos again, and
its end is noticed later: cluster.job, cluster.starts, cluster.stage. Several nodes here mean a
cluster. What runs on Snakemake's own machine (`localrule`) does none of that.
"""

import json
from dataclasses import dataclass, replace
from math import ceil, inf, sqrt
from pathlib import Path
from statistics import NormalDist

from tsf.errors import UserError
from tsf.recipe.record import CROPS, ITEM_BYTES
from tsf.workflow.fingerprint import MAX_SHARDS

SHIPPED = Path(__file__).with_name("rates.json")
KEEPS = ("nothing", "bins", "frames", "all_frames")
MOST = 10**12  # of any number of a plan; what no machine has would end as an overflow
# the steps of each stage, by their logs' names
LISTED = ("videos", "check_videos")
AFTER = (
    "account",
    "merge_shards",
    "accuracy",
    "accuracy_report",
    "details",
    "verdict",
    "gallery",
    "strips",
    "measured",
    "provenance",
    "html_report",
    "readme_report",
)
# what a shard's videos go through before the inference starts, by `keep`
DECODED = {
    "nothing": ("count_frames",),
    "bins": ("decode",),
    "frames": ("rawframes", "out_bin"),
    "all_frames": ("all_rawframes", "out_bin"),
}
BESIDE = ("video_heads",)  # ready as soon as the inference is
# run by Snakemake's own machine, and not sent to a cluster
LOCAL = ("videos", *(step for step in AFTER if step != "strips"))
STAGES = {"count_frames": "count the frames", "decode": "decode and preprocess"}
# read every video's head, in as many processes as in their rules; the proof has as many threads
HEADS, PROCESSES = ("check_videos", "video_heads"), 4


@dataclass(frozen=True)
class Rate:
    """CPU seconds of a step."""

    job: float  # to start
    video: float = 0.0  # for each listed video

    def cpu(self, jobs: int, videos: int) -> float:
        return jobs * self.job + videos * self.video


@dataclass(frozen=True)
class Engine:
    """How fast a view is: on cores, or on a device of its own."""

    job: float  # CPU seconds to start and load the model; of a device, seconds that it is held
    view: float  # CPU seconds of a view; of a device, seconds


@dataclass(frozen=True)
class Rates:
    """What was measured, and where."""

    origin: dict[str, str]
    steps: dict[str, Rate]
    # CPU seconds of what is made once for an engine: export, also of simplifying and of all starts,
    # on one core; proof, of the comparisons with PyTorch, on up to PROCESSES
    model: dict[str, float]
    engines: dict[str, Engine]
    # start, video, shard: to plan; job: for each; list: a shard's job reads the list, a video
    snakemake: dict[str, float]
    # job: seconds until it starts; stage: until its end is noticed; starts: Snakemake's, in a job
    cluster: dict[str, float]
    # bytes: of a JPEG frame, a logit as text, a video's rows in all tables, the models; and length,
    # the frames of a video
    sizes: dict[str, float]
    clip: dict[str, int]  # frames and side, which the engines' rates hold for

    @classmethod
    def read(cls, path: Path = SHIPPED) -> "Rates":
        content = json.loads(path.read_text("utf-8"))
        steps = {name: Rate(**rate) for name, rate in content["steps"].items()}
        engines = {name: Engine(**rate) for name, rate in content["engines"].items()}
        return cls(**content | {"steps": steps, "engines": engines})


@dataclass(frozen=True)
class Plan:
    """The run to estimate."""

    videos: int
    shards: int
    cores: int  # of a node
    nodes: int = 1
    devices: int = 0  # of a node
    keep: str = "nothing"
    crops: int = 3
    clips: int = 1  # of a video
    frames: int = 8  # of a clip
    side: int = 224
    bin: str = "float32"
    classes: int = 400
    threads: int = 4  # of a job of the inference
    decode_threads: int = 1  # of a job that counts, extracts or preprocesses
    disk_mb: int = 8000
    scratch: bool = False  # disk_mb is of each node

    def __post_init__(self) -> None:
        """Raises UserError for a number that is none of such a run."""
        for name, value in vars(self).items():
            if not isinstance(value, int) or isinstance(value, bool):
                continue
            least, most = int(name != "devices"), MAX_SHARDS if name == "shards" else MOST
            option = f"--{name.replace('_', '-')} {value}"
            if value < least:
                raise UserError(f"{option}: must be at least {least}")
            if value > most:
                raise UserError(f"{option}: must be at most {most}")
        if self.crops not in CROPS.values():
            raise UserError(f"--crops {self.crops}: must be 3 or 1")
        if self.shards > self.videos:
            raise UserError(
                f"--shards {self.shards}: more than the {self.videos} videos; take fewer"
            )

    @property
    def views(self) -> int:
        return self.crops * self.clips

    @property
    def bin_bytes(self) -> int:
        """Of a video's .bin file: (views, 3, frames, y, x)."""
        return self.views * 3 * self.frames * self.side**2 * ITEM_BYTES[self.bin]

    @property
    def largest_shard(self) -> float:
        """The videos of the largest shard, as expected of a hash."""
        mean = self.videos / self.shards
        spread = sqrt(mean * (1 - 1 / self.shards))
        quantile = NormalDist().inv_cdf(self.shards / (self.shards + 1))
        return min(self.videos, mean + spread * max(0.0, quantile))

    def at_a_time(self, threads: int) -> int:
        """The jobs of that many threads that all nodes run at a time."""
        return self.nodes * max(1, self.cores // min(threads, self.cores))

    def inferred_at_a_time(self) -> tuple[int, int]:
        """The jobs of the inference that run at a time, and those that the cores would run."""
        cores = self.at_a_time(self.threads)
        if self.devices:
            cores = 2 * self.devices * self.nodes  # one decodes while the other has the device
        jobs = min(cores, self.shards)
        if self.keep != "nothing":
            return jobs, jobs
        fit = int(self.disk_mb * 1e6 / (self.videos / self.shards * self.bin_bytes))
        return max(1, min(jobs, fit * self.caps)), jobs

    @property
    def caps(self) -> int:
        """How many times all jobs together may take disk_mb: with `scratch` once a node."""
        return self.nodes if self.scratch else 1

    def rounds(self, at_a_time: int, start: float, video: float) -> float:
        """The seconds of all shards, each of `start` and of `video` for each of its videos."""
        mean, largest = (start + v * video for v in (self.videos / self.shards, self.largest_shard))
        return (ceil(self.shards / at_a_time) - 1) * mean + largest


@dataclass(frozen=True)
class Stage:
    """A line of the estimate."""

    name: str
    phase: int  # stages of one phase run beside each other
    jobs: int
    cpu: float  # seconds
    wall: float  # seconds, alone on the machine
    chain: float  # of them, those of steps that run once and one after the other


def stages(plan: Plan, rates: Rates, engine: Engine) -> list[Stage]:
    """The stages of a run, in order; Snakemake's own work is the first, and in each job."""
    own, queue = rates.snakemake, rates.cluster
    export, proof = rates.model["export"], rates.model["proof"]
    planning = own["start"] + plan.videos * own["video"] + plan.shards * own["shard"]
    # a job's own start, beside its step's
    started = started_local = (own["job"], own["job"])
    noticed = 0.0
    if plan.nodes > 1:
        again = queue["starts"] * (own["start"] + plan.videos * own["video"])
        started = (own["job"] + again, own["job"] + again + queue["job"])
        noticed = queue["stage"]

    def once(name: str, phase: int, steps: tuple[str, ...]) -> Stage:
        cpu = wall = 0.0
        for step in steps:
            rate = rates.steps[step]
            cores = min(PROCESSES, plan.cores) if step in HEADS else 1
            job_cpu, job_wall = started_local if step in LOCAL else started
            cpu += job_cpu + rate.cpu(1, plan.videos)
            wall += job_wall + rate.job + plan.videos * rate.video / cores
            wall += 0 if step in LOCAL else noticed
        return Stage(name, phase, len(steps), cpu, wall, wall)

    def a_shard(
        step: str,
        phase: int,
        rates_of: list[Rate],
        threads: int,
        most: float = inf,
        beside: float = 0.0,
    ) -> Stage:
        """Of a job of several programs, one after the other; at most `most` jobs at a time.

        beside: CPU seconds of a job while another core of it is at work.
        """
        threads = min(threads, plan.cores)
        at_a_time = int(min(plan.at_a_time(threads), most))
        job = sum(rate.job for rate in rates_of) + plan.videos * own["list"]
        video = sum(rate.video for rate in rates_of)
        cpu = Rate(job + beside + started[0], video).cpu(plan.shards, plan.videos)
        wall = plan.rounds(at_a_time, job + beside / threads + started[1], video / threads)
        return Stage(STAGES.get(step, step), phase, plan.shards, cpu, wall + noticed, 0)

    bins = [rates.steps["temporary_bins"]] if plan.keep == "nothing" else []
    most, _ = plan.inferred_at_a_time()
    if not plan.devices:
        early = engine.job if plan.keep == "nothing" else 0.0
        on_cores = Rate(engine.job - early, plan.views * engine.view)
        inference = a_shard("infer", 2, [*bins, on_cores], plan.threads, most, early)
    else:
        threads = max(1, plan.cores // (2 * plan.devices))  # two jobs share a device
        decode = a_shard("infer", 2, bins, threads, most)
        first = decode.wall / ceil(plan.shards / min(plan.at_a_time(threads), most))
        held = plan.rounds(
            min(plan.nodes * plan.devices, most), engine.job, plan.views * engine.view
        )
        inference = replace(decode, wall=first + max(held, decode.wall))
    proven = export + proof / min(PROCESSES, plan.cores)
    return [
        Stage("plan", 0, 1, planning, planning, planning),
        once("list and check", 1, LISTED),
        *(a_shard(s, 1, [rates.steps[s]], plan.decode_threads) for s in DECODED[plan.keep]),
        Stage("export and proof", 1, 1, export + proof, proven, proven),
        inference,
        once("read the videos' heads", 2, BESIDE),
        once("account, accuracy and report", 3, AFTER),
    ]


def disk(plan: Plan, rates: Rates) -> dict[str, float]:
    """Bytes below results/ at the most, and what stays."""
    shard = plan.largest_shard * plan.bin_bytes
    at_a_time = min(plan.caps * plan.disk_mb * 1e6, plan.inferred_at_a_time()[0] * shard)
    pictures = {"frames": plan.clips * plan.frames, "all_frames": rates.sizes["length"]}.get(
        plan.keep, 0
    )
    # the results twice: of each shard, and merged
    logits = 2 * plan.videos * plan.views * plan.classes * rates.sizes["logit"]
    kept = {
        "results": logits + plan.videos * rates.sizes["tables"],
        "models": rates.sizes["models"],
        "raw frames": plan.videos * pictures * rates.sizes["frame"],
        ".bin files": 0 if plan.keep == "nothing" else plan.videos * plan.bin_bytes,
    }
    total = sum(kept.values())
    temporary = at_a_time if plan.keep == "nothing" else 0
    return kept | {"kept": total, "temporary .bin files": temporary, "peak": total + temporary}


def _together(beside: list[Stage], cores: int) -> float:
    """The seconds of the stages of a phase."""
    chain = max(stage.chain for stage in beside)
    bound = sum(stage.cpu for stage in beside) / cores + (1 - 1 / cores) * chain
    return max(bound, *(stage.wall for stage in beside))


def estimate(plan: Plan, rates: Rates, engine: Engine) -> dict:
    """The cost of a run. Raises UserError if a shard's .bin files exceed the cap."""
    if plan.keep == "nothing" and plan.largest_shard * plan.bin_bytes > plan.disk_mb * 1e6:
        needed = ceil(plan.largest_shard * plan.bin_bytes / 1e6)
        raise UserError(
            f"a shard's .bin files take some {needed} MB, more than --disk-mb {plan.disk_mb}: take "
            "more --shards, or allow more"
        )
    found = stages(plan, rates, engine)
    cores = plan.nodes * plan.cores
    phases: dict[int, list[Stage]] = {}
    for stage in found:
        phases.setdefault(stage.phase, []).append(stage)
    walls = [_together(stages_of, cores) for stages_of in phases.values()]
    jobs, wanted = plan.inferred_at_a_time()
    wall, cpu = sum(walls), sum(stage.cpu for stage in found)
    return {
        "plan": vars(plan),
        "rates": rates.origin,
        "stages": [
            {"stage": s.name, "jobs": s.jobs, "cpu_seconds": s.cpu, "wall_seconds": s.wall}
            for s in found
        ],
        "cpu_hours": cpu / 3600,
        "wall_seconds": wall,
        "reserved_core_hours": wall * cores / 3600,
        "jobs_at_a_time": jobs,
        "jobs_that_fit_the_cores": wanted,
        "device_hours": wall * plan.nodes * plan.devices / 3600,
        "bytes": disk(plan, rates),
    }
