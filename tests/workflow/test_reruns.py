"""What a change redoes, and what it does not: dry runs after one real run of the sample.

The rows are those of the table "What is made again" in the README. Each test changes a copy.
"""

import os
import shutil
import time
from pathlib import Path

import pytest
import runs
import torch
from runs import SHARDS, Run, replace_text

from tsf.data.listing import shard_of

MODEL = {"onnx", "onnx_sim"}
# whatever is redone is noted, and the page shows it
PAGE = {"provenance", "html_report"}
REPORTS = {
    "accuracy",
    "accuracy_report",
    "details",
    "gallery",
    "measured",
    "strips",
    "verdict",
} | PAGE
RESULTS = {"merge_shards", *REPORTS}
INFERENCE = {"infer", *RESULTS}
# the proofs that the engines compute what PyTorch does; verify.json is in the report
JUDGED = {"prove", "verify", "accuracy_report", "measured"} | PAGE
COMPARED = {"compare_logits", *JUDGED}
PROOF = {"reference", "compare_bytes", *COMPARED}


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


def test_other_cores_memory_and_nodes_redo_nothing(copy):
    asked = ["--set-resources", "infer:mem_mb=9000", "onnx:runtime=9"]
    nodes = ["--config", "cluster={partition: gpus, npu_gres: npu:1}"]
    command = copy.snakemake("all", "-n", "--cores", "1", *asked, *nodes)
    assert "Nothing to be done" in command.stdout


# ---- a parameter of the configuration ----


SHARDED = ("rawframes", "out_bin", "infer")


@pytest.mark.parametrize(
    "setting, redone",
    [
        (
            "recipe={sampler: mmaction2-1.x}",
            {"recipe", "check_videos", "rawframes", "out_bin", "account", "describe_engine"}
            | {"video_heads"}
            | MODEL
            | PROOF
            | INFERENCE,
        ),
        ("recipe={fusion: mean_logits}", {"recipe"} | REPORTS),
        ("keep=all_frames", {"rawframes", "out_bin", "account", "video_heads"} | INFERENCE),
        ("dataset={name: another name}", {"accuracy_report", "verdict"} | PAGE),
        ("on_bad_video=fail", {"check_videos", "account", "video_heads"} | RESULTS),
        # the page shows the whole configuration
        ("performance={runs: 20}", PAGE),
        # the engine is held against it anew, and is not run again
        ("parity={max_abs: 1.0e-3}", JUDGED),
        ("parity={clips: 1}", PROOF),
    ],
)
def test_a_changed_key_redoes_the_steps_that_read_it(copy, setting, redone):
    found = due(copy, "all", "--config", setting)
    assert set(found) == redone
    assert all(found[rule] == SHARDS for rule in SHARDED if rule in found)


@pytest.mark.parametrize(
    "setting, redone",
    [
        # The job behind infer's ancient() input is due for a reason of its own, which makes
        # Snakemake blind to infer's; what infer depends on must show all the same.
        ("bin=uint8", {"out_bin", "describe_engine", "infer"}),
        ("recipe={channels: bgr}", {"out_bin", "describe_engine", "infer"}),
        ("shards=3", {"rawframes", "out_bin", "infer"}),
    ],
)
def test_a_proof_that_is_due_hides_no_other_reason(copy, setting, redone):
    found = due(copy, "all", "--config", "parity={max_abs: 1.0e-3}", setting)
    assert redone <= set(found) and "prove" in found


def test_a_model_that_was_made_apart_is_inferred_with(run_copy, tmp_path):
    """`snakemake tsf_sim.onnx` after a change, and `all` later: the results are the new model's."""
    path = run_copy.repo / "models/tsf_sample.pth"
    weights = torch.load(path, weights_only=True)
    weights["state_dict"]["cls_head.fc_cls.bias"] += torch.arange(8.0)
    path.unlink()
    torch.save(weights, path)
    result = run_copy.snakemake("tsf_sim.onnx")
    assert result.returncode == 0, result.stdout
    found = due(run_copy, "all")
    assert found["infer"] == SHARDS and {"describe_engine", "prove"} <= set(found)
    for shards in (run_copy.results / "shards/onnxruntime").iterdir():
        assert shards.is_dir()  # they are there, and not the reason


def test_an_engine_that_is_off_is_not_run_however_often_it_is_asked_for(run_copy):
    """Its proof fails in one line, again and again; a threshold that it keeps lets it start."""
    before = scored_files(run_copy)
    for _ in range(2):
        tight = run_copy.snakemake("all", "--config", "parity={max_abs: 1.0e-12}")
        lines = runs.error_lines(tight)
        assert lines and all("tsf.onnx differs from the reference" in line for line in lines)
        assert "infer with" not in tight.stdout
    assert scored_files(run_copy) == before
    loose = run_copy.snakemake("all", "--config", "parity={max_abs: 1.0e-3}")
    assert loose.returncode == 0, loose.stdout


def test_a_looser_threshold_redoes_no_inference(copy):
    assert set(due(copy, "all", "--config", "parity={max_abs: 1.0e-3}")) == JUDGED


def test_on_a_fresh_start_an_engine_that_is_off_never_starts(run_copy):
    for name in ("shards", "result", "proven"):
        shutil.rmtree(run_copy.results / name)
    for name in ("accuracy.json", "verify.json"):
        (run_copy.results / name).unlink()
    result = run_copy.snakemake("accuracy.json", "--config", "parity={max_abs: 1.0e-12}")
    assert runs.error_lines(result)
    assert "infer with" not in result.stdout
    assert not (run_copy.results / "shards").exists()


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


# test_stale.py has the steps of every module; here that Snakemake follows from them what is due
@pytest.mark.parametrize(
    "name, redone",
    [
        ("src/tsf/engines/onnxruntime.py", {"describe_engine"} | COMPARED | INFERENCE),
        ("src/tsf/report/parity.py", {"accuracy_report"}),
        ("src/tsf/errors.py", set()),
    ],
)
def test_changed_code_redoes_the_steps_that_run_it(copy, edit, name, redone):
    edit(name, comment)
    assert set(due(copy, "all")) == redone


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
        assert set(due(copy, "all")) == MODEL | {"describe_engine"} | PROOF | INFERENCE
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

    redone = {"check_videos", "rawframes", "out_bin", "account", "video_heads"} | INFERENCE
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
    os.utime(csv_of(run_copy), (1e9, 1e9))  # as of a file that was moved here, or unpacked
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
