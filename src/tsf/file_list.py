"""The file list, k400.info and the account of the videos that are not scored."""

import argparse
import os
from pathlib import Path

from tsf import errors, kinetics, tables
from tsf.errors import UserError
from tsf.files import whole_folder, write_text


def account(
    rows: list[kinetics.Row], decoded: dict[str, tables.Decoded], classes: list[str]
) -> tuple[list[tables.Scored], list[tuple[kinetics.Row, str]]]:
    """Split the listed rows into scored and skipped (with the reason), in file order.

    Raises UserError if a listed video was never looked at, or if none can be scored.
    """
    class_index = {name: index for index, name in enumerate(classes)}
    scored: list[tables.Scored] = []
    skipped: list[tuple[kinetics.Row, str]] = []
    seen = set()
    for row in rows:
        if row.video not in decoded:
            raise UserError(f"{row.video} is listed, but no shard's table has it: rerun the shards")
        if row.video in seen:
            skipped.append((row, "duplicate row"))
        elif decoded[row.video].skipped:
            skipped.append((row, decoded[row.video].skipped))
        elif row.label not in class_index:
            skipped.append((row, "unknown label: not in train.csv"))
        else:
            scored.append(tables.Scored(len(scored), row.video, class_index[row.label]))
        seen.add(row.video)
    if not scored:
        raise UserError(
            f"none of the {len(rows)} listed videos can be scored; the first is skipped for: "
            f"{skipped[0][1]} ({skipped[0][0].video}); check dataset.root in the config"
        )
    return scored, skipped


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=Path, required=True, help="csv that lists the videos")
    parser.add_argument("--classes", type=Path, required=True, help="csv that defines the classes")
    parser.add_argument("--tables", type=Path, required=True, nargs="+", help="the shards' tables")
    parser.add_argument("--rawframes", type=Path, nargs="*", default=[], help="the shards' folders")
    parser.add_argument("--file-list", type=Path, required=True)
    parser.add_argument("--info", type=Path, required=True)
    parser.add_argument("--skipped", type=Path, required=True)
    parser.add_argument("--links", type=Path, help="folder to write: <video> -> its raw frames")
    args = parser.parse_args()

    rows = kinetics.read_annotations(args.annotations)
    decoded = {video.video: video for path in args.tables for video in tables.read_shard(path)}
    scored, skipped = account(rows, decoded, kinetics.class_names(args.classes))

    lines = (f"{v.video} {decoded[v.video].frames} {v.label}\n" for v in scored)
    write_text(args.file_list, "".join(lines))
    tables.write_info(args.info, scored)
    lines = (f"{row.video}\t{row.label}\t{reason}\n" for row, reason in skipped)
    write_text(args.skipped, tables.SKIPPED_HEADER + "".join(lines))
    if args.links:
        link_rawframes(args.rawframes, args.links)
    print(f"{len(rows)} videos listed, {len(scored)} scored, {len(skipped)} skipped")


def link_rawframes(shards: list[Path], links: Path) -> None:
    """One folder with every video's raw frames, as mmaction2's datasets expect them."""
    with whole_folder(links) as folder:
        for shard in shards:
            for video in shard.glob("[!.]*"):  # Snakemake keeps a hidden file there
                target = os.path.relpath(video, links)
                (folder / video.name).symlink_to(target, target_is_directory=True)


if __name__ == "__main__":
    errors.run(main)
