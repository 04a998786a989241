"""keep: bins, frames and all_frames: through the DAG, the .bin files are the guide's."""

import hashlib

import datasets
import pytest
import runs

STREAMS = ("short5", "portrait", "bt709", "wrong_header_count", "truncated", "wraps")
UNREADABLE = ("no_key_frame", "zero_bytes")


@pytest.mark.parametrize("keep", ["bins", "frames", "all_frames"])
def test_the_bins_are_those_of_the_reference(keep, streams, golden, tmp_path):
    root = tmp_path / "videos"
    for name in (*STREAMS, *UNREADABLE):
        datasets.link(streams[name], root / f"{name}.mp4")
    settings = (f"dataset={{layout: folder, root: {root}}}", "shards=1", f"keep={keep}")
    targets = ("results/out_bin/000", "results/skipped.tsv")
    result = runs.snakemake(*targets, "--config", *settings, directory=tmp_path)
    assert result.returncode == 0, result.stdout

    results = tmp_path / "results"
    rows = [line.split("\t") for line in (results / "videos.tsv").read_text().splitlines()[1:]]
    names = {video: path.removesuffix(".mp4") for video, path, _ in rows}
    found = {
        names[path.stem]: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (results / "out_bin/000").glob("*.bin")
    }
    by_name = {video.rsplit("_", 2)[0]: values for video, values in golden.items()}
    assert found == {name: by_name[name]["bin_sha256"] for name in STREAMS}
    counts = dict(
        line.split()[:2]
        for line in (results / "kinetics400_val_list_rawframes.txt").read_text().splitlines()
    )
    assert {names[video]: int(n) for video, n in counts.items()} == {
        name: by_name[name]["frames"] for name in STREAMS
    }
    skipped = (line.split("\t") for line in (results / "skipped.tsv").read_text().splitlines()[1:])
    assert {names[video]: reason for video, _, reason in skipped} == {
        "no_key_frame": "undecodable: not one frame can be decoded",
        "zero_bytes": "empty file",
    }
    kept = {path.parent.name: 0 for path in results.glob("rawframes/000/*/*.jpg")}
    for path in results.glob("rawframes/000/*/*.jpg"):
        kept[path.parent.name] += 1
    expected = {
        "bins": {},
        "frames": {name: len({jpeg for jpeg, _ in by_name[name]["sampled"]}) for name in STREAMS},
        "all_frames": {name: by_name[name]["frames"] for name in STREAMS},
    }
    assert {names[video]: n for video, n in kept.items()} == expected[keep]
