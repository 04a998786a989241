"""Merging shards: names, what a killed run leaves of one, and the copies' times."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tsf.data.k400_info import ScoredVideo, write_info
from tsf.errors import UserError
from tsf.files import write_json
from tsf.inference import merge_shards, results


def arguments(folder="shards/000"):
    return {"input": f"out_bin/{folder[-3:]}", "output": folder, "batchsize": 1, "device": "CPU"}


@pytest.fixture
def shards(tmp_path, monkeypatch):
    """Two shards with one result each, and a k400.info that lists them the other way round."""
    monkeypatch.chdir(tmp_path)
    for n, video in enumerate(["a", "b"]):
        folder = tmp_path / f"shards/00{n}"
        folder.mkdir(parents=True)
        results.write_logits(folder / f"{video}_0.txt", np.full((3, 8), n))
        content = results.summary({f"{video}.bin": "x"}, [10.0 + n], arguments(f"shards/00{n}"))
        write_json(folder / results.SUMMARY, content)
    info = [ScoredVideo(0, "b", 3), ScoredVideo(1, "a", 4)]
    write_info(tmp_path / "k400.info", info)
    line = "merge_shards --info k400.info --shards shards/000 shards/001"
    line += " --output all --summary all.json"
    monkeypatch.setattr(sys, "argv", line.split())
    return tmp_path


def test_results_are_named_by_their_place_in_k400_info(shards):
    merge_shards.main()
    names = sorted(path.name for path in (shards / "all").iterdir())
    assert names == ["0_0.txt", "1_0.txt", "sumary.json"]
    # copied as they are, not formatted anew
    assert (shards / "all/0_0.txt").read_bytes() == (shards / "shards/001/b_0.txt").read_bytes()
    assert (shards / "all/1_0.txt").read_bytes() == (shards / "shards/000/a_0.txt").read_bytes()
    content = json.loads((shards / "all.json").read_text())
    assert content == json.loads((shards / "all/sumary.json").read_text())
    assert content["npu_compute_time_list"] == [10.0, 11.0]
    assert [content["filesinfo"][n]["infiles"] for n in "01"] == [["b"], ["a"]]


def test_a_result_in_two_shards_is_an_error(shards):
    results.write_logits(shards / "shards/001/a_0.txt", np.ones((3, 8)))
    with pytest.raises(UserError, match=r"shards/001/a_0\.txt: shards/000/a_0\.txt is a second"):
        merge_shards.main()
    assert not (shards / "all").exists()


def test_a_missing_result_is_an_error(shards):
    (shards / "shards/001/b_0.txt").unlink()
    with pytest.raises(UserError, match=r"b is in k400\.info, but no shard has its result"):
        merge_shards.main()
    assert not (shards / "all").exists() and not (shards / ".all.part").exists()


def test_a_stray_file_among_the_results_is_an_error(shards):
    (shards / "shards/001/core").write_text("")
    with pytest.raises(UserError, match=r"shards/001/core: not a result"):
        merge_shards.main()


def test_a_result_that_is_no_longer_scored_is_left_behind(shards):
    results.write_logits(shards / "shards/001/corrected_0.txt", np.ones((3, 8)))
    merge_shards.main()
    assert len(list((shards / "all").iterdir())) == 3


def make_shard(folder, names, h2d=0.0, runs=1):
    folder.mkdir()
    files = {f"bins/{name}.bin": f"{folder}/{name}_0.txt" for name in names}
    for name in names:
        results.write_logits(folder / f"{name}_0.txt", np.zeros((3, 8)))
    arguments = {"batchsize": 1, "input": "bins/000", "device": folder.name}
    content = results.summary(files, [1.0] * runs, arguments)
    content["H2D_latency"] = {"min": h2d, "max": 2 * h2d, "mean": h2d}
    write_json(folder / "sumary.json", content)
    return folder


def test_half_a_shard_is_told_with_its_folder(tmp_path, monkeypatch):
    """As when a run was killed while Snakemake cleared it for a new one."""
    monkeypatch.chdir(tmp_path)
    # a and c have an odd crc32, d an even one
    shards = [make_shard(Path("000"), ["d"]), make_shard(Path("001"), ["a", "c"])]
    write_info(Path("k400.info"), [ScoredVideo(n, v, 0) for n, v in enumerate("dac")])
    line = "merge_shards --info k400.info --shards 000 001 --output all --summary all.json"
    monkeypatch.setattr(sys, "argv", line.split())
    merge_shards.main()
    assert len(list(Path("all").iterdir())) == 4
    (shards[1] / "c_0.txt").unlink()
    with pytest.raises(
        UserError,
        match=r"^c is in k400.info, .*; delete 001 and results/out_bin/001 and run again$",
    ):
        merge_shards.main()


def test_copies_are_averaged_over_the_runs(tmp_path):
    shards = [
        make_shard(tmp_path / "0", [], runs=0),  # ran nothing, and is no witness of the device
        make_shard(tmp_path / "1", ["a"], h2d=1.0, runs=3),
        make_shard(tmp_path / "2", ["b"], h2d=5.0, runs=1),
    ]
    merged = merge_shards.merge_summaries(shards, {}, tmp_path)
    assert merged["H2D_latency"] == {"min": 1.0, "max": 10.0, "mean": 2.0}
    assert merged["D2H_latency"]["mean"] == 0
    assert merged["args"]["device"] == "1 and 2"  # the nodes of a cluster may differ
