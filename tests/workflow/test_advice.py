"""What an error says to do, done to the letter, mends the run: no advice leads to itself."""

import re
import shutil
from pathlib import Path

import pytest
import runs

# of `all`, what tells of the damage; the pages would take most of the time
TARGETS = ("results/accuracy.json", "results/k400.info")
ADVICE = re.compile(r"delete (\S+?)(?: and (\S+))? and run again")


def cut(path, size):
    """Written anew, as the results are hard links."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:size])


def half(path):
    cut(path, path.stat().st_size // 2)


def without_last_line(path):
    cut(path, path.read_bytes()[:-1].rfind(b"\n") + 1)


def zeroed(path):
    size = path.stat().st_size
    path.unlink()
    path.write_bytes(bytes(size))


# What is damaged, the first of its kind; how; and what the run that finds it has to make anew: as
# Snakemake does not look into the folders, a step that reads them must be due.
DAMAGES = {
    "a .bin file cut off": ("out_bin/000/*.bin", half, "results/shards/onnxruntime/000"),
    "a .bin file zeroed": ("out_bin/001/*.bin", zeroed, "results/shards/onnxruntime/001"),
    "a .bin file gone": ("out_bin/002/*.bin", Path.unlink, "results/shards/onnxruntime/002"),
    "all of a video's .bin file gone": (
        "out_bin/003/*.bin*",
        Path.unlink,
        "results/shards/onnxruntime/003",
    ),
    "half a raw frame": ("rawframes/000/*/img_*.jpg", half, "results/out_bin/000"),
    "a raw frame gone": ("rawframes/001/*/img_*.jpg", Path.unlink, "results/out_bin/001"),
    "a video's raw frames gone": ("rawframes/002/[!.]*", shutil.rmtree, "results/out_bin/002"),
    "a shard's table": ("decoded/003.tsv", without_last_line, None),
    "the list": ("videos.tsv", without_last_line, None),
    "the classes": ("classes.txt", without_last_line, None),
    "k400.info": ("k400.info", without_last_line, None),
    "the skipped": ("skipped.tsv", without_last_line, None),
    "the file list": ("kinetics400_val_list_rawframes.txt", without_last_line, None),
    "a shard's result gone": ("shards/onnxruntime/001/*_0.txt", Path.unlink, "merge_shards"),
    "a result gone": ("result/onnxruntime/7_0.txt", Path.unlink, "accuracy"),
    "the manifest": ("sample_data/manifest.tsv", without_last_line, None),
}


@pytest.fixture(scope="module")
def copy(sample_run, tmp_path_factory):
    """Shared: after each test it is as it was."""
    return sample_run.copy(tmp_path_factory.mktemp("advice"))


def follow(run, lines):
    """Do what the errors say, to the letter."""
    for line in lines:
        found = ADVICE.search(line)
        assert found, f"no advice in {line!r}"
        for name in filter(None, found.groups()):
            path = run.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_advice_mends_the_run(copy, damage):
    pattern, spoil, due = DAMAGES[damage]
    options = ("--forcerun", due) if due else ()
    before = {name: (copy.results / name).read_bytes() for name in ("predictions.csv", "k400.info")}
    first, *others = sorted(copy.results.glob(pattern))
    spoil(first)
    if pattern.endswith("*.bin*"):
        spoil(others[0])  # its digest
    result = copy.snakemake(*TARGETS, *options)
    lines = runs.error_lines(result)
    # of a result or a .bin file that is gone the video's name is told
    name = first.name.removesuffix("_0.txt").removesuffix(".bin")
    assert any(name in line for line in lines), lines
    follow(copy, lines)
    result = copy.snakemake(*TARGETS, *options)
    assert result.returncode == 0, result.stdout
    assert before == {name: (copy.results / name).read_bytes() for name in before}
