"""The look at every listed video before the long work: each kind of fault is found and named."""

import os
import shutil
import subprocess
import sys

import datasets
import pytest
import runs
from recipes import GUIDE

from tsf.recipe.record import to_json

LABEL = "yoga"
SOUND = ("plain", "wraps", "bt709")
# found by the head of the file
FOUND = {
    "zero_bytes": "empty file",
    "not_a_video": "undecodable: Invalid data found when processing input",
    "truncated_moov": "undecodable: Invalid data found when processing input",
    "audio_only": "no video stream",
}
# scored all the same: the clip wraps around
SHORT = ("short5", "single")

# as many as the embedded sample's model has
CLASSES = [LABEL, "zumba", *map("class {}".format, range(6))]


@pytest.fixture
def dataset(streams, tmp_path):
    """(root, number by stream) of a dataset with one video of each kind, and every other fault."""
    names = [*SOUND, *FOUND, *SHORT]
    numbers = {name: number for number, name in enumerate(names)}
    missing, unknown = len(names), len(names) + 1
    rows = [(number, LABEL) for number in numbers.values()]
    rows += [(missing, LABEL), (unknown, "juggling"), (numbers["plain"], LABEL)]
    root = datasets.kinetics(tmp_path / "k400", rows, CLASSES)
    for name, number in numbers.items():
        datasets.link(streams[name], datasets.video(root, number))
    datasets.link(streams["square"], datasets.video(root, unknown))
    datasets.link(streams["square"], datasets.video(root, 999))  # that no row names
    (root / "val/notes.txt").write_text("no video, and no fault")
    return root, numbers | {"missing": missing, "unknown": unknown}


RECIPE = to_json(GUIDE)


def run(module, *arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(runs.ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def check(root, *arguments):
    options = ("--root", root, "--recipe", RECIPE, "--processes", 2, "--output", "check.tsv")
    return run("tsf.data.check_videos", *options, *arguments, cwd=root.parent)


def findings(root):
    lines = (root.parent / "check.tsv").read_text().splitlines()
    assert lines[0] == "path\tfinding"
    return sorted(tuple(line.split("\t")) for line in lines[1:])


def path(number):
    return f"val/{datasets.name(number)}.mp4"


def test_each_kind_is_found_and_nothing_else(dataset):
    root, numbers = dataset
    result = check(root)
    assert result.returncode == 0, result.stdout
    expected = [(path(numbers[name]), reason) for name, reason in FOUND.items()]
    few = "fewer frames than a clip has (scored, as frames are repeated)"
    expected += [(path(numbers[name]), few) for name in SHORT]
    expected += [
        (path(numbers["missing"]), "missing file"),
        (path(numbers["unknown"]), "unknown label: not among the classes: juggling"),
        (path(numbers["plain"]), "duplicate row"),
        (path(999), "not listed: no row names this file"),
    ]
    assert findings(root) == sorted(expected)
    # each on the terminal too, and a sum
    assert all(f"{where}: {reason}" in result.stdout for where, reason in expected)
    assert result.stdout.splitlines()[-1].startswith("12 videos listed: ")
    assert "2 undecodable" in result.stdout and "1 missing file" in result.stdout


def test_fail_stops_with_one_line_and_says_how_many(dataset):
    root, numbers = dataset
    result = check(root, "--on-bad-video", "fail")
    assert result.returncode == 1 and "Traceback" not in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("error: ")]
    # four bad files, a missing one, an unknown label, a duplicate; not the short and the unlisted
    assert "7 of 12 listed videos" in line and path(numbers["zero_bytes"]) in line
    assert "set on_bad_video: skip" in line
    assert not (root.parent / "check.tsv").exists()


def test_fail_has_nothing_against_a_sound_dataset(streams, tmp_path):
    root = datasets.kinetics(tmp_path / "k400", [(0, LABEL), (1, LABEL)], [LABEL])
    datasets.link(streams["plain"], datasets.video(root, 0))
    datasets.link(streams["short5"], datasets.video(root, 1))
    result = check(root, "--on-bad-video", "fail")
    assert result.returncode == 0, result.stdout
    assert [reason[:5] for _, reason in findings(root)] == ["fewer"]


@pytest.mark.parametrize("classes", [None, "yoga\nzumba\n"])
def test_a_folder_that_is_no_class_is_no_fault(streams, tmp_path, classes):
    root = tmp_path / "videos"
    datasets.link(streams["plain"], root / "holidays/a.mp4")
    datasets.link(streams["wraps"], root / "yoga/b.mp4")
    options = []
    if classes:
        (tmp_path / "classes.txt").write_text(classes)
        options = ["--classes", tmp_path / "classes.txt"]
    result = check(root, "--layout", "folder", "--on-bad-video", "fail", *options)
    assert result.returncode == 0, result.stdout
    assert findings(root) == []


def test_the_workflow_stops_at_it_before_any_long_work(dataset, tmp_path):
    root, _ = dataset
    folder = tmp_path / "run"
    settings = (f"dataset={{root: {root}}}", "on_bad_video=fail", "shards=1", "keep=bins")
    result = runs.snakemake("k400.info", "--config", *settings, directory=folder)
    lines = runs.error_lines(result)
    assert lines and all("7 of 12 listed videos" in line for line in lines), result.stdout
    assert not (folder / "results/video_check.tsv").exists()
    assert not (folder / "results/k400.info").exists()


def test_what_goes_bad_after_the_look_is_accounted_for(dataset, tmp_path):
    """Deleted, emptied or cut between the steps: named with its reason, the others scored."""
    root, numbers = dataset
    assert check(root).returncode == 0
    datasets.video(root, numbers["wraps"]).unlink()
    emptied, cut = (datasets.video(root, numbers[name]) for name in ("bt709", "short5"))
    for video, keep in ((emptied, 0), (cut, 3000)):
        data = video.read_bytes()[:keep]
        video.unlink()
        video.write_bytes(data)

    options = ("--root", root, "--recipe", RECIPE, "--table", "table.tsv", "--output", "bins")
    result = run("tsf.data.preprocess", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    outputs = ("--output", "videos.tsv", "--output-classes", "classes.txt")
    assert run("tsf.data.list_videos", "--root", root, *outputs, cwd=tmp_path).returncode == 0
    inputs = ("--list", "videos.tsv", "--classes", "classes.txt", "--tables", "table.tsv")
    outputs = ("--file-list", "list.txt", "--info", "k400.info", "--skipped", "skipped.tsv")
    result = run("tsf.data.account", *inputs, *outputs, cwd=tmp_path)
    assert result.returncode == 0, result.stdout

    rows = (line.split("\t") for line in (tmp_path / "skipped.tsv").read_text().splitlines()[1:])
    skipped = [(video, reason) for video, _, reason in rows]
    bad = "undecodable: Invalid data found when processing input"
    expected = [(numbers[name], reason) for name, reason in FOUND.items()]
    expected += [
        (numbers["wraps"], "missing file"),
        (numbers["bt709"], "empty file"),
        (numbers["short5"], bad),
        (numbers["missing"], "missing file"),
        (numbers["unknown"], "unknown label: not among the classes"),
        (numbers["plain"], "duplicate row"),
    ]
    assert sorted(skipped) == sorted((datasets.name(n), reason) for n, reason in expected)
    info = [line.split()[1] for line in (tmp_path / "k400.info").read_text().splitlines()]
    assert info == [datasets.name(numbers[name]) for name in ("plain", "single")]
    assert len(info) + len(skipped) == 12
    bins = sorted(entry.stem for entry in (tmp_path / "bins").glob("*.bin"))
    # of the unknown label there is a .bin file; it is not scored
    assert bins == sorted([*info, datasets.name(numbers["unknown"])])
    shutil.rmtree(tmp_path / "bins")
