"""Measure a compiled model on the NPU: ais_bench in a loop, with zeros as input."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tsf import errors
from tsf.ascend import ais_bench
from tsf.ascend.summary_file import Summary
from tsf.ascend.work import work_folder
from tsf.engines.cpu import cpu_name
from tsf.engines.device import device
from tsf.errors import UserError
from tsf.evaluation.performance_record import performance_record
from tsf.files import read_json, sha256, write_json

WARM_UP = 5  # first runs, left out here because not every version of ais_bench leaves them out


def after_warm_up(milliseconds: list[float]) -> list[float]:
    """The runs after the warm-up. Raises UserError if there are none."""
    if len(milliseconds) <= WARM_UP:
        raise UserError(
            f"ais_bench reported {len(milliseconds)} runs, of which {WARM_UP} are warm-up; raise "
            "ascend.performance.loop"
        )
    return milliseconds[WARM_UP:]


def mean_latency(summary: Summary, name: str) -> float | None:
    """The mean of a kind of copies; None where ais_bench has counted none, as older releases do."""
    latency = summary.copies.get(name)
    return latency["mean"] if latency and latency["count"] else None


def measure(
    model: Path,
    status: dict,
    loop: int,
    devices: list[int],
    python: str,
    time_limit: Sequence[float],
    work: Path,
) -> dict:
    """The speed of an .om file, in the form of every measurement. Raises UserError.

    status: atc's json beside it; loop: runs; devices: ids to choose from; python: the one that has
    ais_bench; time_limit: of `ais_bench.seconds_for`; work: an empty folder.
    """
    batch = status["batch"]
    videos = (loop + 1) * batch  # with one run that ais_bench itself counts as warm-up
    seconds = ais_bench.seconds_for(videos, time_limit)
    with device(devices) as number:
        ais_bench.stage(model, work / "tsf.om")
        arguments = ["--model", f"{ais_bench.WORK}/tsf.om", "--loop", str(loop)]
        arguments += ["--batchsize", str(batch), "--device", str(number)]
        summary, _ = ais_bench.call(python, arguments, work, seconds)
    content = performance_record(
        engine="ascend",
        model=model.name,
        precision=status["precision"],
        batch=batch,
        device=ais_bench.device_name(summary, status),
        milliseconds=after_warm_up(summary.milliseconds),
        h2d_milliseconds=mean_latency(summary, "H2D_latency"),
        d2h_milliseconds=mean_latency(summary, "D2H_latency"),
        cpu=cpu_name(),
    )
    content |= {"fast_gelu": status["fast_gelu"], "command": status["command"]}
    return content | {"sha256": {model.name: sha256(model)}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help=".om file")
    parser.add_argument("--status", type=Path, required=True, help="json: how it was made")
    parser.add_argument("--loop", type=int, required=True, help="runs")
    ais_bench.add_npu_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    status = read_json(args.status)
    with work_folder(args.output) as work:
        content = measure(
            args.model, status, args.loop, args.devices, args.python, args.time_limit, work
        )
    write_json(args.output, content)
    print(f"batch {content['batch']}: {content['videos_per_second']:.2f} fps")


if __name__ == "__main__":
    errors.run(main)
