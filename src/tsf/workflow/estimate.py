"""Estimate what a run costs before it is started: time, core hours and disk.

    python -m tsf.workflow.estimate --videos 20000 --cores 16
    python -m tsf.workflow.estimate --videos 20000 --cores 64 --nodes 4 --results results

By the shipped rates, or by those of a finished run, as of a hundred of the videos. docs/costs.md
has the formula (`tsf.workflow.costs`) and how near it comes.
"""

import argparse
import json
from math import inf
from pathlib import Path

from tsf import errors
from tsf.errors import UserError
from tsf.files import read_json
from tsf.markdown import table
from tsf.recipe.record import ITEM_BYTES
from tsf.workflow.costs import KEEPS, Engine, Plan, Rates, estimate
from tsf.workflow.measured_rates import from_results

SHIPPED = Path(__file__).with_name("rates.json")
# of Plan, which the command line has under the same names
NUMBERS = {
    "videos": "listed videos",
    "shards": "as in the config",
    "cores": "of a node",
    "nodes": "machines",
    "devices": "NPUs or GPUs of a node",
    "crops": "crops a clip: 3 or 1",
    "clips": "clips a video",
    "frames": "frames a clip",
    "side": "pixels of a crop's side",
    "classes": "of the model",
    "threads": "cores of a job of the inference",
    "decode_threads": "cores of a job that counts, extracts or preprocesses",
    "disk_mb": "of all temporary .bin files at a time, as --resources disk_mb",
}


def measured_engine(path: Path, name: str | None, plan: dict) -> Engine:
    """Of performance.json, or of one measurement in it. Raises UserError."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; `snakemake performance.json` makes it")
    content = read_json(path)
    runs = content.get("measurements", [content])
    named = [run for run in runs if name in (None, run.get("engine"), run.get("model"))]
    if len(named) != 1:
        known = ", ".join(f"{run.get('engine')} {run.get('model')}" for run in runs)
        raise UserError(
            f"{path} has {len(named)} measurements for --engine {name}: {known}; name the engine "
            "or the model of one, or give the file of one, as results/performance/<engine>.json"
        )
    (run,) = named
    if not isinstance(run.get("videos_per_second"), int | float):
        raise UserError(f"{path}: no videos_per_second; name performance.json of a finished run")
    load = run.get("load_seconds") or 0.0
    return at_speed(run["videos_per_second"], load, plan, run.get("threads"))


def at_speed(speed: float, load: float, plan: dict, threads: int | None = None) -> Engine:
    """An engine of that many videos a second, on a device or on `threads` cores."""
    if not 0 < speed < inf:
        raise UserError(f"{speed:g} videos a second: must be more than 0, and finite")
    if not 0 <= load < inf:
        raise UserError(f"{load:g} seconds to load the model: must not be less than 0, and finite")
    cores = 1 if plan["devices"] else threads or min(plan["threads"], plan["cores"])
    return Engine(load, cores / (speed * plan["crops"] * plan["clips"]))


def choose(args: argparse.Namespace, rates: Rates, plan: dict) -> tuple[str, Engine]:
    """The engine, and what to call it. Raises UserError."""
    if args.videos_per_second is not None:
        what = f"{args.videos_per_second:g} videos a second"
        return what, at_speed(args.videos_per_second, args.load_seconds, plan)
    if args.performance:
        return f"as in {args.performance}", measured_engine(args.performance, args.engine, plan)
    own = {key: plan[key] for key in ("frames", "side")}
    if own != rates.clip:
        raise UserError(
            f"the rates are of {rates.clip['frames']} frames of {rates.clip['side']} pixels, the "
            f"run is of {own['frames']} of {own['side']}: give --videos-per-second, --performance "
            "or --results of such a run"
        )
    name = args.engine or next(iter(rates.engines))
    if plan["devices"] and name != "ascend":
        raise UserError("--devices: give a device's speed, by --videos-per-second or --performance")
    if name not in rates.engines:
        known = ", ".join(rates.engines)
        raise UserError(f"--engine {name}: not measured; there are {known}")
    if name == "ascend" and not plan["devices"]:
        raise UserError("the engine ascend: say how many --devices a node has")
    return name, rates.engines[name]


def duration(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def size(number: float) -> str:
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number / 1e3:.1f} kB"


def readable(found: dict) -> str:
    """The estimate as a terminal shows it."""
    rows = [
        [s["stage"], str(s["jobs"]), duration(s["cpu_seconds"]), duration(s["wall_seconds"])]
        for s in found["stages"]
    ]
    lines = [table(["stage", "jobs", "CPU time", "wall, alone"], rows)]
    lines.append(f"wall      {duration(found['wall_seconds'])}")
    lines.append(
        f"cores     {found['cpu_hours']:.2f} core hours used, "
        f"{found['reserved_core_hours']:.2f} reserved"
    )
    if found["device_hours"]:
        lines.append(f"devices   {found['device_hours']:.2f} device hours reserved")
    jobs, wanted = found["jobs_at_a_time"], found["jobs_that_fit_the_cores"]
    if jobs < wanted:
        needed = found["plan"]["disk_mb"] * wanted // jobs
        lines.append(
            f"idle      disk_mb lets {jobs} of {wanted} jobs infer at a time; more shards, or some "
            f"{size(1e6 * needed)} of it, would use all"
        )
    parts = {name: number for name, number in found["bytes"].items() if number}
    lines.append("disk      " + ", ".join(f"{name} {size(n)}" for name, n in parts.items()))
    lines.append(f"engine    {found['engine']}")
    lines += [f"{name:<9} {text}" for name, text in found["rates"].items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    defaults = {"shards": 128} | {
        name: getattr(Plan, name) for name in NUMBERS if hasattr(Plan, name)
    }
    for name, text in NUMBERS.items():
        option, needed = f"--{name.replace('_', '-')}", name in ("videos", "cores")
        text += "" if needed else f" ({defaults[name]})"
        parser.add_argument(option, type=int, required=needed, help=text)
    parser.add_argument("--keep", choices=KEEPS, help=f"({Plan.keep})")
    parser.add_argument("--bin", choices=list(ITEM_BYTES), help=f"({Plan.bin})")
    parser.add_argument("--results", type=Path, help="of a finished run, whose rates are taken")
    parser.add_argument("--engine", help="of the rates, or of --performance")
    parser.add_argument("--performance", type=Path, help="performance.json, for the engine's speed")
    parser.add_argument("--videos-per-second", type=float, help="of a job, or a device")
    parser.add_argument("--load-seconds", type=float, default=0.0, help="of the model, a shard")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()

    rates = Rates.from_dict(read_json(SHIPPED))
    plan: dict = {}
    if args.results:
        rates, plan = from_results(args.results, rates)
    given = {name: getattr(args, name) for name in (*NUMBERS, "keep", "bin")}
    plan = defaults | {"keep": Plan.keep, "bin": Plan.bin} | plan
    plan |= {name: value for name, value in given.items() if value is not None}
    checked = Plan(**plan)
    engine_name, engine = choose(args, rates, plan)
    try:
        found = {"engine": engine_name} | estimate(checked, rates, engine)
    except KeyError as step:
        raise UserError(
            f"{args.results}: no rate of {step.args[0]}, which keep: {checked.keep} needs; take a "
            "run with that keep"
        ) from None
    print(json.dumps(found, indent=2) if args.json else readable(found))


if __name__ == "__main__":
    errors.run(main)
