"""Estimate what a run costs before it is started: time, core hours and disk.

    python -m tsf.workflow.estimate --videos 20000 --cores 16
    python -m tsf.workflow.estimate --videos 20000 --cores 64 --nodes 4 --results results

By the shipped rates, or by those of a finished run, as of a hundred of the videos. docs/costs.md
has the formula (`tsf.workflow.costs`) and how near it comes.
"""

import argparse
import json
from pathlib import Path

from tsf import errors
from tsf.engines.described import read_described
from tsf.errors import UserError
from tsf.files import read_json
from tsf.markdown import table
from tsf.recipe.record import ITEM_BYTES, ClipRecipe
from tsf.workflow.costs import KEEPS, Engine, Plan, Rates, estimate
from tsf.workflow.fingerprint import AUTO_MB, doubled_shards
from tsf.workflow.measured_rates import from_results

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


def measured_engine(path: Path, name: str | None, plan: dict) -> tuple[Engine, ClipRecipe]:
    """Of performance.json, or of one measurement in it, and the clips measured.

    Raises UserError.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; `snakemake performance.json` makes it")
    content = read_json(path)
    runs = content.get("measurements", [content])
    named = [run for run in runs if name in (None, run["engine"], run["model"])]
    if len(named) != 1:
        known = ", ".join(f"{run['engine']} {run['model']}" for run in runs)
        raise UserError(
            f"{path} has {len(named)} measurements for --engine {name}: {known}; name the engine "
            "or the model of one, or give the file of one, as results/performance/<engine>.json"
        )
    (run,) = named
    on_device = run["engine"] == "ascend" or run["setup"]["device"] != "cpu"
    if on_device and not plan["devices"]:
        raise UserError(f"{path}: measured on {run['device']}; say how many --devices")
    if plan["devices"] and not on_device:
        raise UserError(f"{path}: measured on a CPU, which says nothing of --devices")
    clip = measured_clip(path, run)
    cores = 1 if on_device else run["threads"]
    speed, load = run["videos_per_second"], run["load_seconds"] or 0.0  # ascend's is not measured
    return at_speed(speed, load, clip.views, cores), clip


def measured_clip(path: Path, run: dict) -> ClipRecipe:
    """The clips that a measured model takes: of the engine with the same model's files.

    Raises UserError if the results folder that `path` is in describes none.
    """
    results = path.parent.parent if path.parent.name == "performance" else path.parent
    for description in sorted((results / "engines").glob("*.json")):
        engine = read_described(description)
        if engine.sha256 == run["sha256"]:
            return engine.recipe
    raise UserError(
        f"{path}: no file in {results / 'engines'} is of the measured model, so its clips are not "
        "known; name performance.json in the results folder, or give --videos-per-second"
    )


def at_speed(speed: float, load: float, views: int, cores: int) -> Engine:
    """An engine of that many videos of `views` a second, on a device (1) or on cores."""
    if not 1e-6 <= speed <= 1e6:
        raise UserError(f"{speed} videos a second: must be from 0.000001 to 1000000")
    if not 0 <= load <= 1e6:
        raise UserError(f"{load} seconds to load the model: must be from 0 to 1000000")
    return Engine(load, cores / (speed * views))


def refuse_without_effect(args: argparse.Namespace, plan: dict) -> None:
    """Raises UserError for an option that would not change the estimate."""
    speed = args.videos_per_second is not None
    faults = {
        "--load-seconds: is of --videos-per-second": args.load_seconds is not None and not speed,
        "--performance: --videos-per-second is given": args.performance is not None and speed,
        "--engine: --videos-per-second is given": args.engine is not None and speed,
        "--disk-mb: is of keep: nothing": args.disk_mb is not None and plan["keep"] != "nothing",
        "--scratch: is of keep: nothing on several --nodes": args.scratch is not None
        and (plan["keep"] != "nothing" or plan["nodes"] == 1),
        "--threads: --devices infer": args.threads is not None and plan["devices"],
    }
    for fault, given in faults.items():
        if given:
            raise UserError(f"{fault}, so it has no effect; leave it out")


def choose(args: argparse.Namespace, rates: Rates, plan: dict) -> tuple[str, Engine]:
    """The engine, and what to call it. Raises UserError."""
    if args.videos_per_second is not None:
        what = f"{args.videos_per_second:g} videos a second"
        cores = 1 if plan["devices"] else min(plan["threads"], plan["cores"])
        views = plan["crops"] * plan["clips"]
        return what, at_speed(args.videos_per_second, args.load_seconds or 0.0, views, cores)
    own = {key: plan[key] for key in ("frames", "side")}
    if args.performance:
        engine, clip = measured_engine(args.performance, args.engine, plan)
        refuse_other_clip(own, {"frames": clip.sampling.clip_len, "side": clip.side})
        return f"as in {args.performance}", engine
    refuse_other_clip(own, rates.clip)
    if args.results and not args.engine and len(rates.engines) > 1:
        known = ", ".join(rates.engines)
        raise UserError(f"{args.results}: name one of its engines by --engine: {known}")
    name = args.engine or next(iter(rates.engines))
    if plan["devices"] and name != "ascend":
        raise UserError("--devices: give a device's speed, by --videos-per-second or --performance")
    if name not in rates.engines:
        known = ", ".join(rates.engines)
        raise UserError(f"--engine {name}: not measured; there are {known}")
    if name == "ascend" and not plan["devices"]:
        raise UserError("the engine ascend: say how many --devices a node has")
    return name, rates.engines[name]


def refuse_other_clip(own: dict[str, int], measured: dict[str, int]) -> None:
    """Raises UserError if the run's frames or side are not those that were measured."""
    if any(measured[key] != value for key, value in own.items()):
        raise UserError(
            f"the rates are of {measured['frames']} frames of {measured['side']} pixels, the "
            f"run is of {own['frames']} of {own['side']}: give --videos-per-second, --performance "
            "or --results of such a run"
        )


def auto_shards(plan: dict) -> int:
    """What `shards: auto` comes to: tsf.workflow.fingerprint's, for videos that have no names yet.

    plan: the fields of Plan, but for shards.
    """

    def fits(number: int) -> bool:
        if 2 * number > plan["videos"]:  # more shards than videos are no plan
            return True
        split = Plan(**plan | {"shards": number})
        return split.largest_shard * split.bin_bytes <= AUTO_MB * 1e6

    return doubled_shards(plan["videos"], fits)


def number_of_shards(text: str) -> int | None:
    return None if text == "auto" else int(text)


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
    defaults = {name: getattr(Plan, name) for name in NUMBERS if hasattr(Plan, name)}
    for name, text in NUMBERS.items():
        option, needed = f"--{name.replace('_', '-')}", name in ("videos", "cores")
        text += "" if needed else f" ({defaults.get(name, 'auto')})"
        kind = number_of_shards if name == "shards" else int
        parser.add_argument(option, type=kind, required=needed, help=text)
    parser.add_argument("--keep", choices=KEEPS, help=f"({Plan.keep})")
    parser.add_argument("--bin", choices=list(ITEM_BYTES), help=f"({Plan.bin})")
    parser.add_argument(
        "--scratch",
        action=argparse.BooleanOptionalAction,
        help="the config has a scratch, so disk_mb is of each node",
    )
    parser.add_argument("--results", type=Path, help="of a finished run, whose rates are taken")
    parser.add_argument("--engine", help="of the rates, or of --performance")
    parser.add_argument("--performance", type=Path, help="performance.json, for the engine's speed")
    parser.add_argument("--videos-per-second", type=float, help="of a job, or a device")
    parser.add_argument("--load-seconds", type=float, help="of the model, a shard")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()

    rates = Rates.read()
    plan: dict = {}
    if args.results:
        rates, plan = from_results(args.results, rates)
    given = {name: getattr(args, name) for name in (*NUMBERS, "keep", "bin", "scratch")}
    plan = defaults | {"keep": Plan.keep, "bin": Plan.bin, "scratch": False} | plan
    plan |= {name: value for name, value in given.items() if value is not None}
    plan.setdefault("shards", auto_shards(plan))
    checked = Plan(**plan)
    refuse_without_effect(args, plan)
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
