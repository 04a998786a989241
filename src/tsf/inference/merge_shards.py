"""Merge an engine's shards into one folder, named by position in k400.info as the guide's are."""

import argparse
import shutil
from pathlib import Path

from tsf import errors
from tsf.data.k400_info import read_info
from tsf.data.listing import shard_of
from tsf.errors import UserError
from tsf.files import whole_folder, write_json
from tsf.inference import results


def locate(shards: list[Path]) -> dict[str, Path]:
    """The result file of every video. Raises UserError if two shards have the same video."""
    found: dict[str, Path] = {}
    for shard in shards:
        for name in results.result_files(shard):
            path = results.result_path(shard, name)
            if name in found:
                raise UserError(f"{path}: {found[name]} is a second result of the same video")
            found[name] = path
    return found


def merge_summaries(shards: list[Path], files: dict[str, str], folder: Path) -> dict:
    """One summary of the shards, leaving out those without a clip.

    files: each video's name and result file; folder: that of the results.
    """
    parts = [results.read_summary(shard / results.SUMMARY) for shard in shards]
    parts = [part for part in parts if part["npu_compute_time_list"]] or parts
    milliseconds = [time for part in parts for time in part["npu_compute_time_list"]]
    inputs = sorted({str(Path(part["args"]["input"]).parent) for part in parts})
    arguments = parts[0]["args"] | {"input": ",".join(inputs), "output": str(folder)}
    # the nodes of a cluster may differ
    if all("device" in part["args"] for part in parts):
        arguments["device"] = " and ".join(sorted({part["args"]["device"] for part in parts}))
    content = results.summary(files, milliseconds, arguments)
    for latency in results.LATENCIES:
        content[latency] = results.merge_latencies(
            [(part[latency], len(part["npu_compute_time_list"])) for part in parts]
        )
    return content


def main() -> None:
    # @FILE stands for the lines of FILE: a command line has no room for tens of thousands of shards
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("--info", type=Path, required=True)
    parser.add_argument("--shards", type=Path, required=True, nargs="+")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--summary", type=Path, required=True)
    args = parser.parse_args()

    found = locate(args.shards)
    files = {}
    with whole_folder(args.output) as folder:
        for video in read_info(args.info):
            if video.name not in found:
                # it happens if a run is killed while Snakemake deletes the shard's old results
                shard = args.shards[shard_of(video.name, len(args.shards))]
                raise UserError(
                    f"{video.name} is in {args.info}, but no shard has its result; "
                    f"delete {shard} and results/out_bin/{shard.name} and run again"
                )
            name = str(video.index)
            shutil.copyfile(found[video.name], results.result_path(folder, name))
            files[video.name] = str(results.result_path(args.output, name))
        content = merge_summaries(args.shards, files, args.output)
        write_json(folder / results.SUMMARY, content)
    write_json(args.summary, content)
    print(f"{len(files)} results in {args.output}")


if __name__ == "__main__":
    errors.run(main)
