"""How busy the devices are while the videos are decoded beside them, measured without an NPU.

    PYTHONPATH=src python bench/npu_busy.py        (`make bench-npu`)

The real workflow, its jobs and its locks run with `keep: nothing` over many short videos. Decoding
a video and inferring it are sleeps (bench/npu_busy_standins): 120 and 133 ms, so that a machine of
two cores can stand for one of 32. All else is real: the start of Snakemake's jobs and their Python,
the .bin files, the checks and the result files. The figures are read from the jobs' logs.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import picture
from matplotlib.figure import Figure

from tsf import errors
from tsf.errors import UserError
from tsf.files import write_json
from tsf.markdown import table
from tsf.sample.real_clips import Variant, encode
from tsf.workflow import environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
STAND_INS = ROOT / "tests/standins"
OWN_MODEL = ROOT / "tests/own_model"  # a small one, so that its .bin files are small
CLASSES = 5  # of that model
FRAMES = 8  # of every video
TIMED = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) (.*)$")


@dataclass(frozen=True)
class ShardRun:
    """When a shard's job decoded, waited and inferred: seconds from the first job's decoding."""

    shard: str
    device: int
    videos: int
    decode: float
    decoded: float
    taken: float
    given_back: float


def read_log(log: Path) -> dict:
    """The times of a shard's job, as `ShardRun` has them, in seconds since 1970."""
    text = log.read_text()
    times: dict = {"shard": log.stem}
    for line in text.splitlines():
        if not (found := TIMED.match(line)):
            continue
        at, what = datetime.fromisoformat(found[1]).timestamp(), found[2]
        if device := re.match(r"device (\d+): (taken|given back)", what):
            times["device"] = int(device[1])
            times[device[2].replace(" ", "_")] = at
        elif what.startswith(("decode ", "decoded ")):
            times[what.split()[0]] = at
    clips = re.search(r"^results/shards/\S+: (\d+) clips", text, re.MULTILINE)
    if clips is None or len(times) != 6:
        raise UserError(f"{log}: the job has not come to its end")
    return {**times, "videos": int(clips[1])}


def read_runs(logs: list[Path]) -> list[ShardRun]:
    """The shards of one run, in the order in which they had a device."""
    found = [read_log(log) for log in logs]
    start = min(times["decode"] for times in found)
    for times in found:
        for name in ("decode", "decoded", "taken", "given_back"):
            times[name] -= start
    return sorted((ShardRun(**times) for times in found), key=lambda run: run.taken)


def shares(runs: list[ShardRun], infer_seconds: float) -> dict:
    """How much of the time the devices were in use, and what the rest of the time was.

    From the moment that the first shard of the run is decoded: `start` is the time until a device
    had its first shard, `end` the time after its last one while another device still had one,
    each the mean over the devices, in seconds. `busy` and `least_busy` are the mean and the
    smallest share of the time in between, `whole` of all the time.
    """
    begin = min(run.decoded for run in runs)
    end = max(run.given_back for run in runs)
    devices = sorted({run.device for run in runs})
    busy, starts, ends = [], [], []
    for device in devices:
        own = [run for run in runs if run.device == device]
        for earlier, later in pairwise(own):
            if later.taken < earlier.given_back:
                raise UserError(f"device {device} had two jobs at a time")
        span = own[-1].given_back - own[0].taken
        busy.append(sum(run.given_back - run.taken for run in own) / span)
        starts.append(own[0].taken - begin)
        ends.append(end - own[-1].given_back)
    held = sum(run.given_back - run.taken for run in runs)
    return {
        "devices_used": len(devices),
        "busy": sum(busy) / len(busy),
        "least_busy": min(busy),
        "start": sum(starts) / len(starts),
        "end": sum(ends) / len(ends),
        "whole": held / (len(devices) * (end - begin)),
        # what is no inference while a device is held: ais_bench's start, the model's loading
        "inferring": sum(run.videos for run in runs) * infer_seconds / held,
        "at_a_time": max(
            sum(other.decode <= run.decode < other.given_back for other in runs) for run in runs
        ),
        "seconds": end,
    }


def make_videos(folder: Path, number: int) -> None:
    """The same short video under many names, and the classes of the model."""
    first = folder / "class/0.mp4"
    first.parent.mkdir(parents=True)
    pictures = [np.full((48, 64, 3), 20 * n, np.uint8) for n in range(FRAMES)]
    encode(first, pictures, Variant((64, 48), FRAMES, 30), {"preset": "veryfast"})
    for n in range(1, number):
        os.link(first, folder / f"class/{n}.mp4")
    names = ["class", *(f"class {n}" for n in range(1, CLASSES))]
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names))


class Workflow:
    """A copy of the checkout that decodes by the stand-in, and a folder that it has run in."""

    def __init__(self, scratch: Path, videos: int, shards: int, archives: Path | None):
        self.checkout, self.folder = scratch / "checkout", scratch / "run"
        self.folder.mkdir()
        (scratch / "tmp").mkdir()
        os.environ["TMPDIR"] = str(scratch / "tmp")  # the devices' locks of this run alone
        left_out = shutil.ignore_patterns(".git", ".venv*", ".snakemake", "results", "__pycache__")
        shutil.copytree(ROOT, self.checkout, ignore=left_out, symlinks=True)
        shutil.copy(HERE / "npu_busy_standins/listed_clip.py", self.checkout / "src/tsf/data")
        make_videos(scratch / "videos", videos)
        self.settings = [
            "keep=nothing",
            f"shards={shards}",
            "engines=[ascend]",
            f"dataset={{layout: folder, root: {scratch}/videos,"
            f" classes: {scratch}/videos/classes.txt}}",
            f"model={{config: {OWN_MODEL}/own.py, checkpoint: {OWN_MODEL}/own.pth}}",
            "parity={clips: 1}",
            "reference=null",
        ]
        if archives:
            self.settings.append(f"upstream={{archives: {archives.resolve()}}}")

    def snakemake(self, targets: list[str], cores: int, devices: int) -> None:
        ids = list(range(devices))
        os.environ["STAND_IN_DEVICES"] = ",".join(map(str, ids))
        command = [sys.executable, "-m", "snakemake", *targets, "--cores", str(cores)]
        command += ["--snakefile", str(self.checkout / "Snakefile")]
        command += ["--directory", str(self.folder), "--resources", "disk_mb=1000000"]
        command += ["--config", *self.settings]
        command.append(f"ascend={{devices: {ids}, soc_version: Ascend310P3}}")
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode:
            print(run.stdout, file=sys.stderr)
            raise UserError("a run of the workflow failed, see above")

    def infer(self, shards: int, cores: int, devices: int) -> list[ShardRun]:
        """Infer the first `shards` shards anew."""
        names = [f"{n:03d}" for n in range(shards)]
        shutil.rmtree(self.folder / "results/shards", ignore_errors=True)
        self.snakemake([f"results/shards/ascend/{name}" for name in names], cores, devices)
        return read_runs([self.folder / f"results/logs/infer/ascend/{name}.log" for name in names])


def draw(runs: list[ShardRun], title: str, path: Path) -> None:
    """A line a device with what it inferred, and a line for each job that there is at a time."""
    devices = sorted({run.device for run in runs})
    lanes: list[float] = []  # the time at which each lane is free again
    figure = Figure(figsize=(10, 1.2 + 0.3 * 3 * len(devices)))
    axis = figure.subplots()
    for run in sorted(runs, key=lambda run: run.decode):
        free = [n for n, until in enumerate(lanes) if until <= run.decode]
        lane = free[0] if free else len(lanes)
        lanes[lane : lane + 1] = [run.given_back]
        row = len(devices) + 0.5 + lane
        colour = f"C{devices.index(run.device)}"
        bars = (
            (run.decode, run.decoded, "#cccccc", row),
            (run.decoded, run.taken, "#f2f2f2", row),
            (run.taken, run.given_back, colour, row),
            (run.taken, run.given_back, colour, devices.index(run.device)),
        )
        for begin, end, shade, y in bars:
            axis.barh(
                y, end - begin, left=begin, height=0.8, color=shade, edgecolor="#666666", lw=0.4
            )
    axis.set_yticks(
        [*range(len(devices)), *(len(devices) + 0.5 + n for n in range(len(lanes)))],
        [*(f"device {n}" for n in devices), *(f"job {n + 1}" for n in range(len(lanes)))],
    )
    axis.invert_yaxis()
    axis.set_xlabel("seconds; grey: decodes, white: waits for a device, colour: has that device")
    axis.set_title(title, fontsize=10)
    picture.save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--cores", type=int, nargs="+", default=[4, 8, 16, 32])
    parser.add_argument("--shard-videos", type=int, default=155, help="on average")
    parser.add_argument("--device-shards", type=int, default=3, help="shards to a device")
    parser.add_argument("--decode-ms", type=float, default=120, help="a video, on one core")
    parser.add_argument("--infer-ms", type=float, default=133, help="a video, on a device")
    parser.add_argument("--load-ms", type=float, default=0, help="of the model, once a shard")
    parser.add_argument("--archives", type=Path, help="as upstream.archives in the config")
    parser.add_argument("--picture", type=Path, help="svg to draw, of the run in --picture-of")
    parser.add_argument("--picture-of", type=int, nargs=2, default=[4, 8], help="devices, cores")
    parser.add_argument("--output", type=Path, default=Path("results/npu_busy.json"))
    args = parser.parse_args()

    args.output.parent.mkdir(parents=True, exist_ok=True)
    # before set_env.sh, whose ais_bench would be found first
    environment.source(str(STAND_INS / "set_env.sh"))
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(HERE / "npu_busy_standins"), os.environ["PYTHONPATH"]]
    )
    os.environ |= {
        "STAND_IN_PYTHON": sys.executable,
        "BENCH_STAND_INS": str(STAND_INS),
        "BENCH_FRAMES": str(FRAMES),
        "BENCH_DECODE_SECONDS": "0",
        "BENCH_INFER_SECONDS": str(args.infer_ms / 1000),
        "BENCH_LOAD_SECONDS": str(args.load_ms / 1000),
    }
    shards = args.device_shards * max(args.devices)
    measured = []
    with tempfile.TemporaryDirectory(dir=args.output.parent) as folder:
        workflow = Workflow(
            Path(folder).resolve(), shards * args.shard_videos, shards, args.archives
        )
        # all that is made before the inference
        workflow.snakemake(
            ["results/engines/ascend.json", "results/k400.info", "results/proven/ascend.json"], 2, 1
        )
        os.environ["BENCH_DECODE_SECONDS"] = str(args.decode_ms / 1000)
        for devices in args.devices:
            for cores in args.cores:
                runs = workflow.infer(args.device_shards * devices, cores, devices)
                found = {"devices": devices, "cores": cores, **shares(runs, args.infer_ms / 1000)}
                measured.append({**found, "shards": [asdict(run) for run in runs]})
                print(found, file=sys.stderr, flush=True)
                if args.picture and [devices, cores] == args.picture_of:
                    title = f"{devices} devices, {cores} cores, {len(runs)} shards"
                    draw(runs, title, args.picture)

    settings = {key: value for key, value in vars(args).items() if not isinstance(value, Path)}
    date = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(args.output, {"date": date, "settings": settings, "runs": measured})
    columns = ["devices", "cores", "jobs at a time", "busy", "least busy", "start s", "end s"]
    rows = [
        [
            str(run["devices"]),
            str(run["cores"]),
            str(run["at_a_time"]),
            f"{run['busy']:.1%}",
            f"{run['least_busy']:.1%}",
            f"{run['start']:.1f}",
            f"{run['end']:.1f}",
        ]
        for run in measured
    ]
    print(table(columns, rows))


if __name__ == "__main__":
    errors.run(main)
