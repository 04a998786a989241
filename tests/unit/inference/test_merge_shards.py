"""Gathering shards: what a killed run leaves of one, and the copies' times."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tsf.data import tables
from tsf.errors import UserError
from tsf.inference import merge_shards, results


def make_shard(folder, names, h2d=0.0, runs=1):
    folder.mkdir()
    files = {f"bins/{name}.bin": f"{folder}/{name}_0.txt" for name in names}
    for name in names:
        results.write_logits(folder / f"{name}_0.txt", np.zeros((3, 8)))
    arguments = {"batchsize": 1, "input": "bins/000", "device": folder.name}
    content = results.summary(files, [1.0] * runs, arguments)
    content["H2D_latency"] = {"min": h2d, "max": 2 * h2d, "mean": h2d}
    results.write_summary(folder / "sumary.json", content)
    return folder


def test_half_a_shard_is_told_with_its_folder(tmp_path, monkeypatch):
    """As when a run was killed while Snakemake cleared it for a new one."""
    monkeypatch.chdir(tmp_path)
    # a and c have an odd crc32, d an even one
    shards = [make_shard(Path("000"), ["d"]), make_shard(Path("001"), ["a", "c"])]
    tables.write_info(Path("k400.info"), [ScoredVideo(n, v, 0) for n, v in enumerate("dac")])
    line = "gather --info k400.info --shards 000 001 --output all --summary all.json"
    monkeypatch.setattr(sys, "argv", line.split())
    merge_shards.main()
    assert len(list(Path("all").iterdir())) == 4
    (shards[1] / "c_0.txt").unlink()
    with pytest.raises(UserError, match=r"^c is in k400.info, .*; delete 001 and run again$"):
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
    assert merged["args"]["device"] == "1"
