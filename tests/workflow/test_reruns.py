"""What a change redoes, and what it does not: dry runs after one real run of the sample.

The rows are those of the table "What reruns" in the README. Each test changes a copy.
"""

import os
import time
from pathlib import Path

import pytest
from runs import SHARDS, Run, replace_text

from tsf.data.listing import shard_of

MODEL = {"onnx", "onnx_sim"}
REPORTS = {"accuracy", "report"}
INFERENCE = {"infer", "merge_shards", *REPORTS}


@pytest.fixture(scope="module")
def copy(sample_run, tmp_path_factory):
    """A copy that the tests here share: each puts back what it changed, or works in its own."""
    return sample_run.copy(tmp_path_factory.mktemp("reruns"))


def due(run: Run, *arguments) -> dict[str, int]:
    found = run.dry_run(*arguments)
    found.pop("all", None)
    return found


def test_nothing_to_do_after_a_run(copy):
    assert due(copy, "all") == {}


def test_other_cores_redo_nothing(copy):
    command = copy.snakemake("all", "-n", "--cores", "1")
    assert "Nothing to be done" in command.stdout


# ---- a parameter of the configuration ----


@pytest.mark.parametrize(
    "setting, redone",
    [
        (
            "sampler=mmaction2-1.x",
            {"rawframes", "out_bin", "account", "verify_onnx"} | INFERENCE,
        ),
        ("keep=all_frames", {"rawframes", "out_bin", "account", "verify_onnx"} | INFERENCE),
        ("dataset={name: another name}", {"report"}),
        ("reference={top1: 12.5}", {"report"}),
        ("on_bad_video=fail", {"check_videos", "account", "verify_onnx", "merge_shards", *REPORTS}),
    ],
)
def test_a_changed_key_redoes_the_steps_that_read_it(copy, setting, redone):
    found = due(copy, "all", "--config", setting)
    assert set(found) == redone
    assert all(
        count == (SHARDS if rule in ("rawframes", "out_bin", "infer") else 1)
        for rule, count in found.items()
    )


# ---- code, patches, environments ----


@pytest.fixture
def edit(copy):
    """Edits a file of the copied checkout, and puts it back after the test."""
    kept = {}

    def edit(name, change):
        path = copy.repo / name
        kept[path] = path.read_bytes(), path.stat()
        text = path.read_text(encoding="utf-8")
        path.write_text(change(text), encoding="utf-8")

    yield edit
    for path, (content, status) in kept.items():
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def comment(text):
    return text + "# a comment\n"


@pytest.mark.parametrize(
    "name, redone",
    [
        ("src/tsf/accuracy.py", REPORTS),
        # its tables are those of verify too
        ("src/tsf/report.py", {"report", "verify_onnx"}),
        ("src/tsf/gather.py", {"merge_shards", *REPORTS}),
        ("src/tsf/engines/onnxruntime.py", INFERENCE | {"verify_onnx"}),
        # no step runs it by itself: it is imported
        (
            "src/tsf/sampling.py",
            {"rawframes", "out_bin", "account", "check_videos", "verify_onnx"} | INFERENCE,
        ),
        ("src/tsf/export.py", MODEL | INFERENCE | {"verify_onnx"}),
        ("src/tsf/fingerprint.py", None),
        ("src/tsf/summary.py", set()),
        ("envs/cpu.yaml", set()),
        ("README.md", set()),
    ],
)
def test_changed_code_redoes_the_steps_that_run_it(copy, edit, name, redone):
    if not (copy.repo / name).exists():
        pytest.skip(f"no {name}")
    edit(name, comment)
    found = due(copy, "all")
    if redone is None:
        # it runs while the jobs are planned; only the generation of data records with it
        assert "rawframes" not in found or "sample_data" in found
    else:
        assert set(found) == redone


def test_touching_code_redoes_nothing(copy):
    for path in (copy.repo / "src").rglob("*.py"):
        path.touch()
    assert due(copy, "all") == {}


def test_a_changed_patch_makes_the_export_stale(copy, edit):
    edit("patches/mmaction2-0.24.1.patch", lambda text: "# a note\n" + text)
    assert due(copy, "tsf_sim.onnx") == {
        "mmaction2": 1,
        "onnx": 1,
        "onnx_sim": 1,
        "tsf_sim.onnx": 1,
    }


def test_a_new_patch_makes_the_export_stale(copy):
    path = copy.repo / "patches/zz.patch"
    path.write_text("--- a/mmcv/x\n+++ b/mmcv/x\n@@ -1 +1 @@\n-a\n+b\n")
    try:
        assert "onnx" in due(copy, "all")
    finally:
        path.unlink()
    assert due(copy, "all") == {}


# ---- the checkpoint ----


def test_touching_or_moving_the_checkpoint_redoes_nothing(copy):
    checkpoint = copy.repo / "models/tsf_sample.pth"
    now = time.time()
    os.utime(checkpoint, (now, now))
    assert due(copy, "all") == {}


def test_another_checkpoint_redoes_the_model_and_what_follows(copy, edit):
    path = copy.repo / "models/tsf_sample.pth"
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(content + b"\0")
    try:
        assert set(due(copy, "all")) == MODEL | INFERENCE | {"verify_onnx"}
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


# ---- videos ----


def listed(run: Run) -> list[str]:
    """The names of the sample's videos that have a file."""
    return sorted(path.stem for path in (run.results / "sample_data/val").glob("*.mp4"))


def replace_video(run: Run, name: str, content: bytes) -> None:
    path = run.results / f"sample_data/val/{name}.mp4"
    path.unlink(missing_ok=True)  # the other end of the hard link stays as it is
    path.write_bytes(content)


def video_content(run: Run, name: str) -> bytes:
    return (run.results / f"sample_data/val/{name}.mp4").read_bytes()


def scored_files(run: Run) -> dict[Path, int]:
    """The results of every shard, with the time of each."""
    paths = (run.results / "shards").rglob("*_0.txt")
    return {path.relative_to(run.results): path.stat().st_mtime_ns for path in paths}


def test_a_replaced_video_redoes_its_shard_alone(run_copy):
    """Not only planned: the run is made, and then there is nothing to do."""
    one, other = listed(run_copy)[:2]
    before = scored_files(run_copy)
    info = (run_copy.results / "k400.info").read_text()
    replace_video(run_copy, one, video_content(run_copy, other))

    redone = {"check_videos", "rawframes", "out_bin", "account", "verify_onnx"} | INFERENCE
    found = due(run_copy, "all")
    assert set(found) <= redone and all(count == 1 for count in found.values())
    result = run_copy.snakemake("all")
    assert result.returncode == 0, result.stdout
    assert due(run_copy, "all") == {}

    shard = f"{shard_of(one, SHARDS):03d}"
    changed = {path for path, time in scored_files(run_copy).items() if before.get(path) != time}
    assert changed and all(path.parent.name == shard for path in changed)
    assert (run_copy.results / "k400.info").read_text() == info
    clips = [
        (run_copy.results / f"out_bin/{shard_of(n, SHARDS):03d}/{n}.bin") for n in (one, other)
    ]
    assert clips[0].read_bytes() == clips[1].read_bytes()


def test_a_removed_video_redoes_its_shard_alone(run_copy):
    name = listed(run_copy)[0]
    (run_copy.results / f"sample_data/val/{name}.mp4").unlink()
    found = due(run_copy, "all")
    assert found["rawframes"] == found["out_bin"] == found["infer"] == 1
    assert "sample_data" not in found and "onnx" not in found


def test_touching_a_video_redoes_its_shard_alone(run_copy):
    """Its time is what tells that it may be another one; reading 40 GB to make sure is not."""
    name = listed(run_copy)[0]
    content = video_content(run_copy, name)
    replace_video(run_copy, name, content)
    found = due(run_copy, "all")
    assert found["rawframes"] == found["infer"] == 1 and "sample_data" not in found


def csv_of(run: Run) -> Path:
    return run.results / "sample_data/annotations/val.csv"


def test_a_corrected_label_redoes_no_inference(run_copy):
    lines = csv_of(run_copy).read_text().splitlines()
    label, rest = lines[1].split(",", 1)
    other = next(line.split(",", 1)[0] for line in lines[1:] if not line.startswith(label + ","))
    replace_text(csv_of(run_copy), lines[1], f"{other},{rest}")
    found = set(due(run_copy, "all"))
    assert {"videos", "account", "merge_shards", *REPORTS} <= found
    assert not found & {"sample_data", "rawframes", "out_bin", "infer", "onnx"}


def test_an_added_row_and_video_redo_one_shard(run_copy):
    name = listed(run_copy)[0]
    label = csv_of(run_copy).read_text().splitlines()[1].split(",")[0]
    text = csv_of(run_copy).read_text()
    replace_text(csv_of(run_copy), text, text + f"{label},newvideo000,5,15,val\n")
    replace_video(run_copy, "newvideo000_000005_000015", video_content(run_copy, name))
    found = due(run_copy, "all")
    assert found["rawframes"] == found["out_bin"] == found["infer"] == 1
    assert not set(found) & {"sample_data", "onnx"}


def test_an_unlisted_file_redoes_nothing_long(run_copy):
    replace_video(run_copy, "unlisted", b"video")
    assert not set(due(run_copy, "all")) & {"sample_data", "rawframes", "out_bin", "infer"}


def test_lost_results_are_made_again(run_copy):
    (run_copy.results / "accuracy.json").unlink()
    assert set(due(run_copy, "all")) == REPORTS
