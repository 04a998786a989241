"""What a run costs beside decoding and the model, by the CPU time of each step.

    PYTHONPATH=src python bench/overhead.py        (`make bench-overhead`)

The real workflow over many names of one short video, with `keep: nothing`. Counting, decoding and
the inference are stand-ins (bench/overhead_standins) that write made-up tables and logits of 400
classes; so their jobs cost their start and their files alone. All else is real.

    PYTHONPATH=src python bench/overhead.py --cores 2 64

measures nothing: it lays the jobs of the full-size model, by the shipped rates, onto that many
cores as Snakemake does, with the chain of export and proof first and last.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from check_costs import Job, schedule

from tsf import errors
from tsf.data.kinetics import clip_name, write_annotations
from tsf.errors import UserError
from tsf.files import write_json
from tsf.markdown import table
from tsf.sample.clips import LABELS, write_clip
from tsf.workflow.costs import AFTER, BESIDE, HEADS, LISTED, PROCESSES, Plan, Rates
from tsf.workflow.measured_rates import USED

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CLASSES = 400
# (threads, CPU seconds) at full size: export, onnxsim, tsf_sim compared with PyTorch; and beside
# them PyTorch's own logits, and tsf compared
EXPORT = [(1, 24.8), (1, 17.2), (4, 34.4)]
REFERENCE = [(4, 43.1), (4, 34.4)]
# before the inference of OpenVINO on tsf_opt: its export, compared on ONNX Runtime and on OpenVINO;
# onnxsim and tsf_sim's comparison are beside it then
OPTIMISED = [(1, 19.0), (4, 34.4), (4, 34.4)]
# of the gallery's frames, the CPU seconds of its 60 videos, which four processes share
STRIPS = 3.1


def make_videos(root: Path, number: int) -> None:
    """One video under many names, in Kinetics' layout, of 400 classes."""
    (root / "val").mkdir(parents=True)
    labels = [f"class {n % CLASSES}" for n in range(max(number, CLASSES))]
    rows = [(label, f"made_up{n:08d}", 0, 10, "val") for n, label in enumerate(labels)]
    write_annotations(root / "annotations/val.csv", rows[:number])
    write_annotations(root / "annotations/train.csv", rows[:CLASSES])
    first = root / "first.mp4"
    write_clip(first, np.random.default_rng(0), LABELS[0])
    for _, name, start, end, _ in rows[:number]:
        os.link(first, root / "val" / f"{clip_name(name, start, end)}.mp4")


def make_model(folder: Path) -> dict[str, str]:
    """The sample's model with 400 classes."""
    config = (ROOT / "models/tsf_sample.py").read_text().replace("num_classes=8", "num_classes=400")
    (folder / "model.py").write_text(config)
    content = torch.load(ROOT / "models/tsf_sample.pth", weights_only=True)
    weights = content.get("state_dict", content)
    for name in [name for name in weights if "cls_head" in name]:
        weights[name] = weights[name].repeat((CLASSES // 8,) + (1,) * (weights[name].dim() - 1))
    torch.save(content, folder / "model.pth")
    return {"config": str(folder / "model.py"), "checkpoint": str(folder / "model.pth")}


def cpu_of(command: list[str]) -> tuple[float, float]:
    """The CPU seconds of a command and of all that it starts, and its peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        print(run.stdout[-5000:], file=sys.stderr)
        raise UserError("a run of the workflow failed, see above")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, after.ru_maxrss * 1024 / 1e6


def of_steps(logs: Path) -> dict[str, dict]:
    """By step, the number of jobs and their CPU seconds, in the order of their cost."""
    steps: dict[str, dict] = {}
    for log in logs.rglob("*.log"):
        if found := USED.findall(log.read_text()):
            name = str(log.relative_to(logs).with_suffix(""))
            step = name.rpartition("/")[0] if log.stem.isdigit() else name
            row = steps.setdefault(step, {"jobs": 0, "cpu": 0.0, "start": 0.0})
            row["jobs"] += 1
            row["cpu"] += float(found[-1][0])
            row["start"] += float(found[-1][1])
    return dict(sorted(steps.items(), key=lambda item: -item[1]["cpu"]))


def share(plan: Plan, rates: Rates, engine: str, first: bool) -> dict[str, float]:
    """The wall seconds of a run on one machine, and what is neither decoding nor the model.

    first: whether the chain of export and proof comes before the shards' jobs.
    """
    own, rate = rates.snakemake, rates.engines[engine]
    count, bins = rates.steps["count_frames"], rates.steps["temporary_bins"]
    threads = min(plan.threads, plan.cores)
    sizes = np.random.default_rng(0).multinomial(plan.videos, [1 / plan.shards] * plan.shards)
    start = own["job"] + plan.videos * own["list"]
    counting = [[(1, start + count.job + n * count.video)] for n in sizes]
    video = (bins.video + plan.views * rate.view) / threads
    loading = rate.job / threads  # beside the decoding
    inferring = [[(threads, start + bins.job + loading + n * video)] for n in sizes]

    def once(steps: tuple[str, ...]) -> list[Job]:
        found = []
        for step in steps:
            processes = min(PROCESSES if step in HEADS else 1, plan.cores)
            seconds = rates.steps[step].job + plan.videos * rates.steps[step].video / processes
            if step == "strips":
                seconds -= STRIPS * (1 - 1 / min(PROCESSES, plan.cores))
            found.append((processes, own["job"] + seconds))
        return found

    def chains(*made: list[tuple[int, float]]) -> list[list[Job]]:
        return [[(t, cpu / min(t, plan.cores)) for t, cpu in jobs] for jobs in made]

    proof, later = chains(EXPORT, REFERENCE), []
    if "tsf_opt" in engine:
        proof, later = chains(OPTIMISED, REFERENCE, EXPORT[:2]), chains(EXPORT[2:])
    before = [*proof, *counting] if first else [*counting, *proof]
    planning = own["start"] + plan.videos * own["video"] + plan.shards * own["shard"]
    wall = planning + schedule([once(LISTED), *before], plan.cores)
    wall += schedule([*later, *inferring, once(BESIDE)], plan.cores)
    wall += sum(seconds for _, seconds in once(AFTER))
    work = plan.videos * (count.video + bins.video + plan.views * rate.view) / plan.cores
    # cores without a job, as the shards differ and their number is no multiple of the slots
    alone = [[(t, n * video)] for n, [(t, _)] in zip(sizes, inferring, strict=True)]
    idle = schedule(alone, plan.cores) - plan.videos * video * threads / plan.cores
    return {"wall": wall, "work": work, "idle": idle, "other": wall - work - idle}


def print_shares(cores: list[int], videos: int, shards: int) -> None:
    rates = Rates.read()
    rows = []
    for number in cores:
        for engine in ("onnxruntime", "openvino_tsf_opt", "openvino_tsf_opt_bf16"):
            for first in (False, True):
                plan = Plan(videos, shards, number)
                found = share(plan, rates, engine, first)
                seconds = [f"{found[name]:,.0f}" for name in ("wall", "work", "idle", "other")]
                part = f"{found['other'] / found['wall']:.1%}"
                order = "first" if first else "last"
                rows.append([str(number), engine, order, *seconds, part])
    print(table(["cores", "engine", "export", "wall, s", "work", "idle", "other", "share"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--shards", type=int, default=128)
    parser.add_argument("--cores", type=int, nargs="+", help="of a run that is worked out")
    parser.add_argument("--archives", type=Path, help="as upstream.archives in the config")
    parser.add_argument("--output", type=Path, default=Path("results/overhead.json"))
    args = parser.parse_args()

    if args.cores:
        print_shares(args.cores, args.videos, args.shards)
        return
    args.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.output.parent) as scratch:
        folder = Path(scratch).resolve()
        left_out = shutil.ignore_patterns(".git", ".venv*", ".snakemake", "results", "__pycache__")
        shutil.copytree(ROOT, folder / "checkout", ignore=left_out, symlinks=True)
        for stand_in in HERE.glob("overhead_standins/*.py"):
            shutil.copy(stand_in, folder / "checkout/src/tsf/data")
        make_videos(folder / "videos", args.videos)
        settings = [
            "keep=nothing",
            f"shards={args.shards}",
            "reference=null",
            f"dataset={{root: {folder}/videos, name: made up}}",
            f"model={json.dumps(make_model(folder))}",
        ]
        if args.archives:
            settings.append(f"upstream={{archives: {args.archives.resolve()}}}")
        run = [sys.executable, "-m", "snakemake", "all", "--cores", "2"]
        run += ["--snakefile", str(folder / "checkout/Snakefile")]
        run += ["--directory", str(folder), "--resources", "disk_mb=1000000"]
        run += ["--config", *settings]
        planning, memory = cpu_of([*run, "-n"])
        total, _ = cpu_of(run)
        nothing, _ = cpu_of(run)
        steps = of_steps(folder / "results/logs")
    own = total - sum(step["cpu"] for step in steps.values())
    found = {
        "videos": args.videos,
        "shards": args.shards,
        "cpu_seconds": total,
        "planning": planning,
        "planning_memory_mb": memory,
        "nothing_to_do": nothing,
        "snakemake_and_shells": own,
        "steps": steps,
    }
    write_json(args.output, found)
    rows = [
        [name, str(s["jobs"]), f"{s['cpu']:.2f}", f"{s['start']:.2f}"] for name, s in steps.items()
    ]
    rows.append(["Snakemake, shells, planning included", "1", f"{own:.2f}", f"{planning:.2f}"])
    print(table(["step", "jobs", "CPU seconds", "of it to start"], rows))


if __name__ == "__main__":
    errors.run(main)
