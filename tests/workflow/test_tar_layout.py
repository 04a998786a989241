"""Kinetics in tar archives: every result is that of the unpacked videos, byte for byte."""

import shutil

import datasets

SAME = ["accuracy.json", "predictions.csv", "k400.info", "skipped.tsv", "videos.tsv"]
SAME += ["kinetics400_val_list_rawframes.txt", "video_heads.tsv", "details.json", "gallery.json"]
FOLDERS = ["decoded", "rawframes", "out_bin", "strips", "parity"]
SHARDS = 4
PER_SHARD = ("rawframes", "out_bin", "infer")


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def archives(run, root):
    """The embedded sample's videos in two archives, as a dataset of the layout tar."""
    sample = run.results / "sample_data"
    shutil.copytree(sample / "annotations", root / "annotations")
    videos = sorted((sample / "val").glob("*.mp4"))
    first, second = videos[::2], videos[1::2]
    datasets.pack(root / "val/part_0.tar", {f"./k400/val/{v.name}": v for v in first})
    datasets.pack(root / "part_1.tar", {v.name: v for v in second} | {"not listed.mp4": videos[0]})


def test_archives_give_what_the_unpacked_videos_give(run_copy, sample_run, tmp_path):
    root = tmp_path / "k400 in archives"
    archives(sample_run, root)
    setting = f"dataset={{layout: tar, root: '{root}', name: embedded sample}}"
    due = run_copy.dry_run("all", "--config", setting)
    assert [due[rule] for rule in PER_SHARD] == [SHARDS] * 3 and due["reference"] == 1
    # so that nothing can be taken from the run before
    for name in [*SAME, *FOLDERS, "sample_data"]:
        path = run_copy.results / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    result = run_copy.snakemake("all", "--config", setting)
    assert result.returncode == 0, result.stdout

    for name in SAME:
        found, expected = (run.results / name for run in (run_copy, sample_run))
        assert found.read_bytes() == expected.read_bytes(), name
    for name in FOLDERS:
        found, expected = (contents(run.results / name) for run in (run_copy, sample_run))
        assert expected and found == expected, name
    check = (run_copy.results / "video_check.tsv").read_text()
    assert "part_1.tar/not listed.mp4\tnot listed: no row names this file" in check
    assert run_copy.dry_run("all", "--config", setting) == {}

    (root / "val/part_0.tar").rename(root / "val/part_0.tar.gz")
    lines = run_copy.snakemake("all", "--config", setting, "-n").stdout.splitlines()
    (line,) = (line for line in lines if line.startswith("error: "))
    assert "part_0.tar.gz: compressed" in line and "gunzip" in line
