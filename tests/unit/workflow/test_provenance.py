"""What a run was made of: the commit, the stages' times, the disk."""

import os
import subprocess

from tsf.workflow import provenance
from tsf.workflow.plan import without_places


def git(folder, *arguments):
    user = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ["git", "-C", folder, *user, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_and_whether_files_differ_from_it(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "a")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "results").write_text("what a run leaves is no change")
    assert provenance.commit(tmp_path) == {"commit": head, "changed": False}
    (tmp_path / "a").write_text("2")
    assert provenance.commit(tmp_path) == {"commit": head, "changed": True}


def test_no_history_is_no_error(tmp_path):
    assert provenance.commit(tmp_path / "nowhere") is None


def benchmark(path, seconds, memory, end):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\tmax_vms\n{seconds}\t0:00:01\t{memory}\t1\n")
    os.utime(path, (end, end))


def test_the_shards_of_a_stage_are_one_row_and_short_jobs_have_no_memory(tmp_path):
    benchmark(tmp_path / "infer/onnxruntime/000.tsv", 10, 300.5, 1000)
    benchmark(tmp_path / "infer/onnxruntime/001.tsv", 30, 200, 1020)
    benchmark(tmp_path / "videos.tsv", 0.5, "-", 500)
    videos, infer = provenance.stages(tmp_path)
    assert videos["stage"] == "videos" and videos["memory_mib"] is None
    assert infer == {
        "stage": "infer/onnxruntime",
        "jobs": 2,
        "seconds": 40,
        "longest_seconds": 30,
        "memory_mib": 300.5,
        "start": "1970-01-01 00:16:30",
        "end": "1970-01-01 00:17:00",
    }


def test_the_disk_counts_files_and_not_what_links_lead_to(tmp_path):
    (tmp_path / "out_bin/000").mkdir(parents=True)
    (tmp_path / "out_bin/000/a.bin").write_bytes(bytes(1000))
    (tmp_path / "out_bin/b.bin").symlink_to(tmp_path / "out_bin/000/a.bin")
    (tmp_path / "a.json").write_bytes(bytes(10))
    (tmp_path / "links").symlink_to(tmp_path / "out_bin")
    assert provenance.disk(tmp_path) == {"out_bin": 1000, "a.json": 10}


def test_a_moved_checkpoint_and_another_device_are_the_same_config():
    ascend = {"devices": [0], "python": "python3", "set_env": None, "batch": 1}
    config = {"model": {"config": "a.py", "checkpoint": "a.pth"}, "ascend": ascend, "shards": 4}
    moved = config | {
        "model": {"config": "a.py", "checkpoint": "b.pth"},
        "ascend": ascend | {"devices": [1], "python": "python3.9"},
    }
    assert without_places(config) == without_places(moved)
    assert without_places(config) != without_places(config | {"shards": 5})
    assert config["model"]["checkpoint"] == "a.pth"
