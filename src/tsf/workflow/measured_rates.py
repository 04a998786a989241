"""The rates of `tsf.workflow.costs` from the logs of a finished run."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import fmean

from tsf.data.decoded import read_decoded
from tsf.data.listing import read_list
from tsf.engines.setup import parse_engines
from tsf.errors import UserError
from tsf.files import read_json
from tsf.recipe.record import CROPS
from tsf.workflow.costs import AFTER, BESIDE, DECODED, HEADS, LISTED, Engine, Rate, Rates

# as tsf.progress.tell_cpu_time writes it
USED = re.compile(r"^used (\d+\.\d+) s of CPU time, (\d+\.\d+) s of it to start$", re.MULTILINE)
DEVICE = re.compile(r"^(\S+ \S+) device \d+: (?:taken|given back)", re.MULTILINE)
# by the folders of their logs: what is made once before the inference
MODEL = re.compile(
    r"mmaction2|recipe|checkpoint|verify|engines|parity|proven/|onnx|torch|int8|calibration"
)
BEHIND = ("provenance", "html_report", "readme_report")  # end after provenance.json is written
TABLES = (
    "videos.tsv",
    "k400.info",
    "kinetics400_val_list_rawframes.txt",
    "predictions.csv",
    "video_heads.tsv",
    "decoded",
)
BY_VIDEO = (*TABLES, "out_bin", "rawframes", "shards", "result", "sample_data", "real_clips")


def used(log: Path) -> list[tuple[float, float]]:
    """The CPU seconds of a job and those to start it; of a command within it, those before.

    Raises UserError for a log without them.
    """
    if not log.is_file():
        raise UserError(f"{log}: no such file, so the run is not finished; run `snakemake all`")
    found = USED.findall(log.read_text("utf-8", "replace"))
    if not found:
        raise UserError(f"{log}: no CPU time; delete what the job has made and run again")
    return [(float(total), float(start)) for total, start in found]


def refuse_later(logs: list[Path], results: Path) -> None:
    """Raises UserError if a job of the run has begun again since provenance.json was written."""
    provenance = results / "provenance.json"
    for log in logs:
        if log.is_file() and log.stat().st_mtime_ns > provenance.stat().st_mtime_ns:
            raise UserError(
                f"{log}: newer than {provenance}, so a later run is not finished, or the times are "
                f"not the run's; delete {provenance} and run `snakemake all`"
            )


def once(log: Path, name: str, videos: int, usual: Rate) -> Rate:
    """Of a step that runs once.

    A small run is mostly its start, so a video's share is the `usual` one, except for the steps
    that tell them apart.
    """
    total, start = used(log)[-1]
    if name in HEADS:
        return Rate(start, max(0.0, total - start) / videos)
    return Rate(max(0.0, total - videos * usual.video), usual.video)


def a_shard(jobs: list[tuple[float, float]], videos: int) -> Rate:
    """Of a step a shard, from the CPU seconds of its jobs."""
    mean = fmean(start for _, start in jobs)
    # with few videos what is left beside the start is noise, and may be below zero
    return Rate(mean, sum(max(0.0, total - start) for total, start in jobs) / videos)


def infer(logs: list[Path], results: Path, videos: int, views: int) -> tuple[Engine, Rate | None]:
    """Of an engine, and of making the .bin files where its jobs do so. logs: of its shards."""
    name = logs[0].parent.name
    lines = [used(log) for log in logs]
    whole = [line[-1] for line in lines]
    made = len(lines[0]) > 1  # with `keep: nothing`
    if name == "ascend":
        summary = read_json(results / "result/ascend_summary.json")
        computing = sum(summary["npu_compute_time_list"]) / 1000
        held = sum(map(_held, logs))
        view = computing / (videos * views)
        engine = Engine(max(0.0, held - computing) / len(logs), view)
        return engine, a_shard(whole, videos) if made else None  # with ais_bench's CPU time
    inner = [line[0] for line in lines]
    rate = a_shard(inner, videos)
    bins = [(a - x, b) for (a, b), (x, _) in zip(whole, inner, strict=True)]
    return Engine(rate.job, rate.video / views), a_shard(bins, videos) if made else None


def _held(log: Path) -> float:
    """The seconds for which a job had a device."""
    times = [datetime.fromisoformat(at) for at in DEVICE.findall(log.read_text("utf-8"))]
    if len(times) != 2:
        raise UserError(f"{log}: does not say when it had a device; run again")
    return (times[1] - times[0]).total_seconds()


def from_results(results: Path, usual: Rates) -> tuple[Rates, dict]:
    """The rates of a finished run, and what `costs.Plan` takes from it.

    usual: the shipped rates, for what a run does not tell: Snakemake's own and a cluster's.
    Raises UserError.
    """
    if not results.is_dir():
        raise UserError(f"{results}: no such folder; name the results of a finished run")
    for name in ("accuracy.json", "provenance.json", "recipe.json", "videos.tsv"):
        if not (results / name).is_file():
            raise UserError(f"{results / name}: not there, so the run is not finished")
    provenance, recipe = read_json(results / "provenance.json"), read_json(results / "recipe.json")
    config, clip = provenance["config"], recipe["clip"]
    keep = config["keep"]
    names = [setup.name for setup in parse_engines(config["engines"], config["bin"])]
    plan = {
        "keep": keep,
        "bin": config["bin"],
        "crops": CROPS[clip["crops"]],
        "clips": clip["sampling"]["num_clips"],
        "frames": clip["sampling"]["clip_len"],
        "side": clip["side"],
        "classes": recipe["classes"],
        "scratch": bool(config["scratch"]),
    }
    tables = sorted((results / "decoded").glob("*.tsv"))
    videos = sum(len(read_decoded(table)) for table in tables)
    listed = len({video.name for video in read_list(results / "videos.tsv")})
    if videos != listed:
        raise UserError(
            f"{results / 'decoded'} has {videos} videos, {results / 'videos.tsv'} {listed}: not "
            "finished, or with tables of another number of shards, which are to be deleted"
        )
    if not videos:
        raise UserError(f"{results / 'videos.tsv'}: no videos, which no rate comes from")
    views, logs = plan["crops"] * plan["clips"], results / "logs"

    steps = {}
    for name in (*LISTED, *BESIDE, *AFTER):
        found = [logs / f"{name}.log"]
        if name == "merge_shards":  # of the run's own engines, and not of earlier ones
            found = [logs / name / f"{engine}.log" for engine in names]
        if name not in BEHIND:
            refuse_later(found, results)
        each = [once(log, name, videos, usual.steps[name]) for log in found]
        steps[name] = Rate(fmean(r.job for r in each), fmean(r.video for r in each))
    for name in DECODED[keep]:
        made_by = {"decode": "out_bin", "all_rawframes": "rawframes"}.get(name, name)
        of_shards = [logs / made_by / f"{table.stem}.log" for table in tables]
        refuse_later(of_shards, results)
        steps[name] = a_shard([used(log)[-1] for log in of_shards], videos)
    engines = {}
    for name in names:
        of_shards = [logs / "infer" / name / f"{table.stem}.log" for table in tables]
        refuse_later(of_shards, results)
        engines[name], bins = infer(of_shards, results, videos, views)
        if bins is not None:
            steps["temporary_bins"] = bins
    model = {"export": 0.0, "proof": 0.0}
    for log in sorted(logs.rglob("*.log")):
        name = log.relative_to(logs).as_posix()
        if MODEL.match(name) and USED.search(log.read_text("utf-8", "replace")):
            total, start = used(log)[-1]
            parallel = total - start if name.startswith("parity/") else 0.0
            model["proof"] += parallel
            model["export"] += total - parallel
    origin = {
        "what": f"{results}: {videos} videos in {len(tables)} shards, keep: {keep}",
        "machine": f"{provenance['machine']['processor']}, {provenance['machine']['cores']} cores",
        "command": "its logs; Snakemake's own by the shipped rates",
    }
    rates = replace(
        usual,
        origin=origin,
        steps=steps,
        model=model,
        engines=engines,
        sizes=usual.sizes | _sizes(provenance["disk"], plan, videos),
        clip={"frames": plan["frames"], "side": plan["side"]},
    )
    return rates, plan


def _sizes(disk: dict[str, int], plan: dict, videos: int) -> dict[str, float]:
    """Bytes, as `Rates.sizes`. disk: of provenance.json, the bytes below each entry."""
    logits = videos * plan["crops"] * plan["clips"] * plan["classes"]
    found = {
        "logit": disk["shards"] / logits,
        "tables": sum(disk[name] for name in TABLES) / videos,
        "models": sum(size for name, size in disk.items() if name not in BY_VIDEO),
    }
    if plan["keep"] == "frames":
        found["frame"] = disk["rawframes"] / (videos * plan["clips"] * plan["frames"])
    return found
