"""Run ais_bench, and accept its results only if its files and its summary agree."""

import argparse
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from tsf import errors
from tsf.ascend import process
from tsf.ascend.summary_file import Summary, read_summary
from tsf.ascend.work import work_folder
from tsf.data.bins import bin_files, bin_path, read_bin
from tsf.engines.described import DescribedEngine, read_described, refuse_other_model
from tsf.engines.device import device
from tsf.engines.setup import refuse_other_bins
from tsf.errors import UserError
from tsf.files import read_json, whole_folder, write_json
from tsf.inference import results
from tsf.recipe.record import ClipRecipe
from tsf.workflow.environment import find_tool

PATH_CHARACTERS = re.compile(r"[A-Za-z0-9_./-]+")
WORK = "work"  # the name under which ais_bench sees the folder that it works on
# up to 2022-11 the summary is in the output folder, under either spelling; since then beside it
SUMMARIES = ("/sumary.json", "/summary.json", "_summary.json")
ERROR_BOX = re.compile(r"─ Error ─.*?\n(.*?)\n╰", re.DOTALL)
BOX_CHARACTERS = re.compile(r"[\u2500-\u257f]+")
LOGGED = re.compile(r"\[ERROR\] *(.+)", re.IGNORECASE)
EXCEPTION = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception)(: .+)?")
DEFAULT_TIME_LIMIT = (600.0, 10.0)  # seconds without the videos, and for each
NOT_FINITE = "if it overflows in float16, set ascend.precision: must_keep_origin_dtype"
HINTS = {
    "507011": "the model failed on the NPU: try ascend.precision: must_keep_origin_dtype, or a "
    "smaller batch",
    "No module named 'aclruntime'": "build ais_bench's native part, aclruntime, for this Python",
    "No module named 'pkg_resources'": "install setuptools < 81 in ais_bench's Python",
}


def stage(source: Path, target: Path) -> None:
    """Give ais_bench `source` as `target`, in the form that it accepts.

    Its path checks refuse symbolic links, files that group or others may write, and files of
    another owner. A hard link costs no space; where there can be none, a copy serves.
    """
    source = source.resolve()
    try:
        if source.stat().st_uid != os.geteuid():
            raise OSError("not ours to change the mode of")
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    target.chmod(target.stat().st_mode & 0o755)


def stage_bins(bins: list[Path], batch: int, recipe: ClipRecipe, dtype: str, folder: Path) -> int:
    """Stage the clips as 0.bin, 1.bin, ..., filled up to whole batches with more of the first.

    ais_bench cuts names at a dot and sorts them by their numbers, and its versions pad a last batch
    in different ways: numbered names and full batches avoid both. dtype: of the files. Returns the
    number of files. Raises UserError for a file of another size, which ais_bench may take for
    several clips, or of another digest.
    """
    folder.mkdir(mode=0o700)
    filled = bins + [bins[0]] * (-len(bins) % batch)
    for n, path in enumerate(filled):
        read_bin(path, recipe, dtype)  # refuses what is not whole
        stage(path, bin_path(folder, str(n)))
    return len(filled)


def reason(output: str) -> str:
    """The words in which ais_bench's output says why it failed, in one line."""
    if box := ERROR_BOX.search(output):
        return " ".join(BOX_CHARACTERS.sub(" ", box[1]).split())
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    logged = [match[1] for line in lines if (match := LOGGED.match(line))]
    raised = [match for line in lines if (match := EXCEPTION.fullmatch(line))]
    if raised and raised[-1][1]:
        last = raised[-1][0]
    elif logged and raised:
        return logged[-1]  # many of its exceptions have no text
    else:
        errors_printed = [line for line in lines if re.search(r"error", line, re.IGNORECASE)]
        last = (errors_printed or lines or ["it printed nothing"])[-1]
    return f"{last} ({logged[-1]})" if logged and logged[-1] not in last else last


def explain(output: str, status: int) -> str:
    """Why ais_bench failed, in one line. output: all that it printed; status: not 0."""
    hint = next((f"; {HINTS[key]}" for key in HINTS if key in output), "")
    what = "refused its arguments or paths" if status == 2 else process.ending(status)
    return f"ais_bench {what}: {reason(output)}{hint}"


def refuse_temporary_folder() -> None:
    """Raises UserError if ais_bench would refuse paths in the temporary folder."""
    # links in it do not help: ais_bench makes paths absolute, from the real working directory
    folder = os.path.realpath(tempfile.gettempdir())
    if not PATH_CHARACTERS.fullmatch(folder):
        raise UserError(
            f"the temporary folder {folder}: ais_bench takes only A-Z a-z 0-9 _ . / - in a path; "
            "set TMPDIR to a folder of such a name"
        )


def call(
    python: str, arguments: list[str], work: Path, seconds: float, outfmt: str = "TXT"
) -> tuple[Summary, Path]:
    """Run ais_bench with its output under `work`. Returns its summary, and its results' folder.

    arguments: of ais_bench; a path in them is one within `work`, after WORK. seconds: the longest
    that it may take. Raises UserError if it fails, takes longer, or leaves no summary, the file
    that it writes last.
    """
    where = find_tool(python)
    command = [os.path.abspath(where) if where else python, "-m", "ais_bench", *arguments]
    # An existing output folder that others may read is refused, so ais_bench makes its own, and
    # one in that, named after the time: the option that would name it differs between releases.
    command += ["--output", f"{WORK}/out", "--outfmt", outfmt]
    # It refuses most characters in absolute paths, which it makes of the working directory's. So it
    # runs in a folder of a name without them, from where a link leads to `work`.
    refuse_temporary_folder()
    with TemporaryDirectory(prefix="tsf-") as place:
        Path(place, WORK).symlink_to(work.resolve())
        print(" ".join(command), flush=True)
        try:
            output, status = process.run(command, Path(place), seconds=seconds)
        except process.OutOfTime:
            raise UserError(
                f"ais_bench did not end within {seconds:.0f} s, and was ended with all that it had "
                "started, so the device is free; if it was slow and did not hang, raise "
                "ascend.time_limit, else see $HOME/ascend/log/debug/plog and `npu-smi info`"
            ) from None
    if status:
        raise UserError(explain(output, status))
    folders = [path for path in (work / "out").glob("*") if path.is_dir()]
    for folder, name in product(folders, SUMMARIES):
        path = Path(f"{folder}{name}")
        if path.is_file():
            return read_summary(path), folder
    raise UserError("ais_bench ended with status 0, but wrote no summary; run again")


def device_name(summary: Summary, status: dict) -> str:
    """The NPU's name for the reports. status: atc's json beside the .om."""
    # a stand-in of ais_bench or of atc, which must not pass for the chip, gives this key
    stand_in = summary.stand_in or status.get("stand_in")
    chip: str = status["soc_version"]
    return f"stand-in for {chip}: {stand_in}" if stand_in else chip


def precision_text(status: dict) -> str:
    """The precision for the reports. status: atc's json beside the .om."""
    return f"{status['precision']}{', fast Gelu' if status['fast_gelu'] else ''}"


def collect(bins: list[Path], output: Path, views: int, folder: Path) -> None:
    """Copy every clip's result from ais_bench's folder `output` to `folder`, under the clip's name.

    Raises UserError if one is missing, or is not (views, classes) finite numbers.
    """
    for n, path in enumerate(bins):
        result = results.result_path(output, str(n))
        if not result.is_file():
            raise UserError(
                f"ais_bench ended with status 0, but gave no result of {path.stem}; run again"
            )
        try:
            logits = results.read_logits(result, views)
        except UserError as fault:
            reason = str(fault).removeprefix(f"{result}: ")
            raise UserError(f"ais_bench's result of {path.stem}: {reason}; {NOT_FINITE}") from None
        results.write_logits(results.result_path(folder, path.stem), logits)


def add_npu_arguments(parser: argparse.ArgumentParser) -> None:
    """What every step that runs ais_bench takes; the time limit is that of `seconds_for`."""
    parser.add_argument("--devices", type=int, nargs="+", required=True, help="ids to choose from")
    parser.add_argument("--python", default="python3", help="the Python that has ais_bench")
    parser.add_argument(
        "--time-limit",
        type=float,
        nargs=2,
        default=DEFAULT_TIME_LIMIT,
        metavar=("SECONDS", "SECONDS_A_VIDEO"),
        help="the longest that ais_bench may take, without the videos and for each of them",
    )


def seconds_for(videos: int, time_limit: Sequence[float]) -> float:
    """The longest that ais_bench may take for `videos` videos."""
    start, per_video = time_limit
    return start + videos * per_video


def infer(
    described: DescribedEngine,
    bins: list[Path],
    batch: int,
    ids: list[int],
    python: str,
    folder: Path,
    time_limit: Sequence[float] = DEFAULT_TIME_LIMIT,
) -> Summary:
    """Write the result of every clip into `folder`. Returns ais_bench's summary."""
    if not bins:
        return Summary()
    # hard links to the clips need their disk, which the link of tsf.data.temporary_bins leads to
    clips = bins[0].parent
    with work_folder(clips.resolve() if clips.is_symlink() else folder) as work:
        staged = stage_bins(bins, batch, described.recipe, described.dtype, work / "bins")
        stage(described.file, work / "tsf.om")
        with device(ids) as number:
            arguments = ["--model", f"{WORK}/tsf.om", "--input", f"{WORK}/bins"]
            arguments += ["--batchsize", str(batch), "--device", str(number)]
            seconds = seconds_for(staged, time_limit)
            summary, made = call(python, arguments, work, seconds)
        if summary.outputs != staged:
            raise UserError(
                f"ais_bench's summary lists {summary.outputs} result files for {staged} clips; "
                "run again"
            )
        collect(bins, made, described.recipe.views, folder)
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description="Infer one shard with ais_bench.")
    parser.add_argument("--engine", type=Path, required=True, help="json of engines.described")
    parser.add_argument("--status", type=Path, required=True, help="json: how the .om was made")
    parser.add_argument("--input", type=Path, required=True, help="folder of .bin files")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    add_npu_arguments(parser)
    args = parser.parse_args()

    described = read_described(args.engine)
    refuse_other_model(described)
    status = read_json(args.status)
    refuse_other_bins(Path(status["onnx"]).stem, described.dtype)
    bins = bin_files(args.input)
    with whole_folder(args.output) as folder:
        summary = infer(
            described,
            bins,
            status["batch"],
            args.devices,
            args.python,
            folder,
            args.time_limit,
        )
        arguments = {
            "model": str(described.file),
            "input": str(args.input),
            "output": str(args.output),
            "outfmt": "TXT",
            "batchsize": status["batch"],
            "engine": "ascend",
            "device": f"{device_name(summary, status)}, {precision_text(status)}",
        }
        files = {str(p): str(results.result_path(args.output, p.stem)) for p in bins}
        content = results.summary(files, summary.milliseconds, arguments)
        content |= summary.copies
        write_json(folder / results.SUMMARY, content)
    print(f"{args.output}: {len(bins)} clips")


if __name__ == "__main__":
    errors.run(main)
