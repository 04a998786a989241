"""provenance.json: what a run was made of, on which machine, and how long each stage took."""

import argparse
import csv
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tsf import errors
from tsf.engines.cpu import cpu_name
from tsf.errors import UserError, on_one_line
from tsf.files import read_json, sha256, write_json

PACKAGES = (
    "snakemake",
    "av",
    "opencv-python-headless",
    "numpy",
    "torch",
    "onnx",
    "onnxsim",
    "onnxruntime",
    "openvino",
    "nncf",
)


def commit(home: Path) -> dict | None:
    """The checked-out commit, and whether files differ from it; None without git's history."""
    git = ["git", "-C", str(home)]
    try:
        found, changed = (
            subprocess.run([*git, *arguments], check=True, capture_output=True, text=True).stdout
            for arguments in (
                ["rev-parse", "HEAD"],
                ["status", "--porcelain", "--untracked-files=no", "."],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": found.strip(), "changed": bool(changed.strip())}


def versions() -> dict[str, str]:
    """Of Python and of the packages that a result depends on, as far as they are here."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict:
    """Memory in MB of 10^6 bytes."""
    return {
        "system": platform.platform(),
        "processor": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6,
    }


def stages(folder: Path) -> list[dict]:
    """A row a stage, in the order of the first end: its jobs' seconds and largest memory.

    folder: of Snakemake's benchmark files, of a job each, which is written when the job ends. The
    stage is the file's path, without the number of a shard. Memory in MB of 2^20 bytes, as
    Snakemake has it.
    """
    jobs: dict[str, list[dict]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        name = path.relative_to(folder).with_suffix("")
        stage = str(name.parent if name.name.isdigit() else name)
        jobs.setdefault(stage, []).append(_job(path))
    rows = [
        {
            "stage": stage,
            "jobs": len(done),
            "seconds": sum(job["seconds"] for job in done),
            "longest_seconds": max(job["seconds"] for job in done),
            "memory_mib": max((j["memory"] for j in done if j["memory"] is not None), default=None),
            "start": utc(min(job["end"] - job["seconds"] for job in done)),
            "end": utc(max(job["end"] for job in done)),
        }
        for stage, done in jobs.items()
    ]
    return sorted(rows, key=lambda row: (row["end"], row["stage"]))


def _job(path: Path) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        memory = float(row["max_rss"]) if row["max_rss"] not in ("-", "NA") else None
        return {"seconds": float(row["s"]), "memory": memory, "end": path.stat().st_mtime}
    except (KeyError, TypeError, ValueError) as fault:
        raise UserError(
            f"{path}: not Snakemake's benchmark of a job ({on_one_line(fault)}); delete it and run "
            "again"
        ) from None


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def disk(results: Path) -> dict[str, int]:
    """The bytes below each entry of a folder, the largest first; what is linked is not counted."""
    sizes = {entry.name: _size(entry) for entry in os.scandir(results) if not entry.is_symlink()}
    return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


def _size(entry: os.DirEntry) -> int:
    if entry.is_dir(follow_symlinks=False):
        return sum(map(_size, os.scandir(entry.path)))
    return 0 if entry.is_symlink() else entry.stat().st_size


def digests(paths: Iterable[Path]) -> dict[str, str]:
    """The sha256 of each of the files that are there."""
    return {str(path): sha256(path) for path in paths if path.is_file()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of the Snakefile")
    parser.add_argument("--config", type=json.loads, required=True, help="json, as resolved")
    parser.add_argument("--command", required=True, help="that was typed")
    parser.add_argument("--checkpoint", required=True, help="its path")
    parser.add_argument("--checkpoint-sha256", required=True, help="or its first digits")
    parser.add_argument("--engines", type=Path, nargs="+", required=True, help="json, one each")
    parser.add_argument("--lists", type=Path, nargs="*", default=[], help="files of the dataset")
    parser.add_argument("--patches", type=Path, nargs="*", default=[])
    parser.add_argument("--results", type=Path, required=True, help="folder")
    parser.add_argument("--parts", type=Path, nargs="+", required=True, help="files of the run")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    models = {
        str(args.results / name): digest
        for path in args.engines
        for name, digest in read_json(path)["sha256"].items()
    }
    content = {
        "commit": commit(args.home),
        "command": args.command,
        "versions": versions(),
        "machine": machine(),
        "sha256": {
            "checkpoint": {args.checkpoint: args.checkpoint_sha256},
            "models": models,
            "lists": digests(args.lists),
            "patches": digests(args.patches),
        },
        "results": {str(path.relative_to(args.results)): sha256(path) for path in args.parts},
        "stages": stages(args.results / "benchmarks"),
        "disk": disk(args.results),
        "config": args.config,
    }
    write_json(args.output, content)


if __name__ == "__main__":
    errors.run(main)
