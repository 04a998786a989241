"""Hold `tsf.workflow.estimate` against a run: its rates from one run, predicting another.

    PYTHONPATH=src python bench/check_costs.py SMALL/results LARGE/results --cores 2

CPU time is that of the jobs' logs. On a machine with other work no wall time can be measured, so
the predicted one is held against a schedule of the run's own jobs, each as long as its CPU time
over its threads, which start as Snakemake starts them: once what they need is there, on free cores.
"""

import argparse
import heapq
from dataclasses import replace
from pathlib import Path

from tsf import errors
from tsf.markdown import table
from tsf.workflow.costs import (
    AFTER,
    BESIDE,
    DECODED,
    HEADS,
    LISTED,
    PROCESSES,
    STAGES,
    Plan,
    Rates,
    estimate,
)
from tsf.workflow.measured_rates import MODEL, from_results, used

Job = tuple[int, float]  # threads, seconds
LARGEST_DISK = 10**9  # MB


def schedule(chains: list[list[Job]], cores: int) -> float:
    """The seconds of chains of jobs, one after the other in each, on so many cores."""
    now, free = 0.0, cores
    ready = [list(chain) for chain in chains]
    running: list[tuple[float, int, int, list[Job]]] = []
    while ready or running:
        waiting = []
        for chain in ready:
            threads, seconds = chain[0]
            if min(threads, cores) <= free:
                free -= min(threads, cores)
                entry = (now + seconds, id(chain), min(threads, cores), chain[1:])
                heapq.heappush(running, entry)
            else:
                waiting.append(chain)
        now, _, threads, rest = heapq.heappop(running)
        free += threads
        ready = [*waiting, *([rest] if rest else [])]
    return now


def of_run(results: Path, plan: Plan) -> tuple[dict[str, float], float]:
    """The CPU seconds of the stages of a run, and the seconds of its schedule."""
    logs = results / "logs"
    cpu: dict[str, float] = {}

    def job(log: Path, stage: str, threads: int) -> Job:
        lines = used(log)
        total = lines[-1][0]
        started = sum(start for _, start in lines) if stage == "infer" else lines[-1][1]
        threads = min(threads, plan.cores)
        cpu[stage] = cpu.get(stage, 0.0) + total
        return threads, started + (total - started) / threads

    def once(stage: str, steps: tuple[str, ...]) -> list[Job]:
        found = []
        for step in steps:
            threads = PROCESSES if step in HEADS else 1
            for log in sorted((logs / step).glob("*.log")) or [logs / f"{step}.log"]:
                found.append(job(log, stage, threads))
        return found

    listed = once("list and check", LISTED)
    heads = once("read the videos' heads", BESIDE)
    after = once("account, accuracy and report", AFTER)
    model = [
        job(log, "export and proof", PROCESSES if log.parent.name == "parity" else 1)
        for log in sorted(logs.rglob("*.log"), key=lambda log: log.stat().st_mtime)
        if MODEL.match(log.relative_to(logs).as_posix())
    ]
    shards = []
    for name in sorted(path.stem for path in (results / "decoded").glob("*.tsv")):
        steps = DECODED[plan.keep]
        shards.append([job(logs / step / f"{name}.log", step, 1) for step in steps])
    inferred = [
        [job(log, "infer", plan.threads)] for log in sorted((logs / "infer").glob("*/*.log"))
    ]
    seconds = schedule([listed, model, *shards], plan.cores)
    return cpu, seconds + schedule([*inferred, heads], plan.cores) + sum(
        seconds for _, seconds in after
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("small", type=Path, help="results whose rates are taken")
    parser.add_argument("large", type=Path, help="results that are predicted")
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()

    rates, keys = from_results(args.small, Rates.read())
    rates = replace(rates, snakemake=rates.snakemake | {"job": 0.0})  # the logs do not have it
    tables = [path.read_text() for path in (args.large / "decoded").glob("*.tsv")]
    videos = sum(len(text.splitlines()) - 1 for text in tables)
    plan = Plan(videos, len(tables), args.cores, **keys, disk_mb=LARGEST_DISK)
    (engine,) = rates.engines.values()
    found = estimate(plan, rates, engine)
    actual, wall = of_run(args.large, plan)
    rows = []
    predicted = {s["stage"]: s["cpu_seconds"] for s in found["stages"] if s["stage"] != "plan"}
    planning = next(s["wall_seconds"] for s in found["stages"] if s["stage"] == "plan")
    measured = {STAGES.get(stage, stage): seconds for stage, seconds in actual.items()}
    for stage, seconds in predicted.items():
        rows.append((stage, seconds, measured[stage]))
    rows.append(("all CPU time", sum(predicted.values()), sum(measured.values())))
    rows.append(("wall, without planning", found["wall_seconds"] - planning, wall))
    cells = [[name, f"{p:.1f}", f"{a:.1f}", f"{p / a - 1:+.0%}"] for name, p, a in rows]
    print(table(["", "predicted, s", "actual, s", "difference"], cells))


if __name__ == "__main__":
    errors.run(main)
