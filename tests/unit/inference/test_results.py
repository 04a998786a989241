"""Results in ais_bench's form, their gathering, and what the guide's post-processing needs."""

import json
import sys

import numpy as np
import pytest

from tsf.data import tables
from tsf.errors import UserError
from tsf.inference import merge_shards, results

# ais_bench's, as its json files have them
SUMMARY_KEYS = {
    "filesinfo",
    "args",
    "NPU_compute_time",
    "H2D_latency",
    "D2H_latency",
    "throughput",
    "npu_compute_time_list",
    "pid",
}
TIME_KEYS = {"min", "max", "mean", "median", "percentile(99%)", "count"}


def test_the_text_is_ais_benchs(tmp_path):
    logits = np.array([[1.5, -2.25, 0], [1e-7, 123456.75, -0.1234564], [1, 2, 3]], np.float32)
    results.write_logits(tmp_path / "0_0.txt", logits)
    assert (tmp_path / "0_0.txt").read_bytes() == (
        b"1.500000 -2.250000 0.000000 \n0.000000 123456.750000 -0.123456 \n"
        b"1.000000 2.000000 3.000000 \n"
    )
    found = results.read_logits(tmp_path / "0_0.txt", 3)
    assert found.shape == (3, 3) and np.abs(found - logits).max() < 1e-6


def test_one_view_keeps_its_two_axes(tmp_path):
    results.write_logits(tmp_path / "0_0.txt", np.ones((1, 400)))
    assert results.read_logits(tmp_path / "0_0.txt", 1).shape == (1, 400)


GOOD = "1.0 2.0 \n3.0 4.0 \n5.0 6.0 \n"


@pytest.mark.parametrize(
    "text, reason",
    [
        (GOOD + GOOD, "6 lines, expected 3"),  # what an appending ais_bench leaves
        ("1.0 2.0 \n3.0 4.0 \n", "2 lines, expected 3"),
        ("", "expected 3"),
        (GOOD.replace("4.0", "nan"), "not finite"),
        (GOOD.replace("4.0", "-inf"), "not finite"),
        (GOOD.replace("4.0", "four"), "not a table of numbers"),
        (GOOD.replace("4.0", ""), "not a table of numbers"),
        ("\x00\x01\x02\xff", "not a table of numbers"),
    ],
)
def test_a_malformed_result_is_named(tmp_path, text, reason):
    path = tmp_path / "7_0.txt"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=reason) as fault:
        results.read_logits(path, 3)
    assert str(fault.value).startswith(f"{path}: ") and "\n" not in str(fault.value)


def arguments(folder="shards/000"):
    return {"input": f"out_bin/{folder[-3:]}", "output": folder, "batchsize": 1, "device": "CPU"}


def test_the_summary_has_ais_benchs_keys_and_figures(tmp_path):
    times = [10.0, 30.0, 20.0, 40.0]
    files = {f"{n}.bin": f"{n}_0.txt" for n in range(4)}
    results.write_summary(tmp_path / "x.json", results.summary(files, times, arguments()))
    found = json.loads((tmp_path / "x.json").read_text())
    assert found.keys() >= SUMMARY_KEYS
    assert found["NPU_compute_time"].keys() == TIME_KEYS
    assert found["filesinfo"]["2"] == {"infiles": ["2.bin"], "outfiles": ["2_0.txt"]}
    assert found["NPU_compute_time"]["mean"] == 25 and found["NPU_compute_time"]["median"] == 25
    assert found["NPU_compute_time"]["min"] == 10 and found["NPU_compute_time"]["max"] == 40
    assert found["NPU_compute_time"]["count"] == 4
    assert found["throughput"] == 40  # 1000 ms * batch 1 / 25 ms
    assert found["npu_compute_time_list"] == times


def test_a_shard_without_videos_has_a_summary_too():
    found = results.summary({}, [], arguments())
    assert found["NPU_compute_time"]["count"] == 0 and found["throughput"] == 0


# ---- gather ----


@pytest.fixture
def shards(tmp_path, monkeypatch):
    """Two shards with one result each, and a k400.info that lists them the other way round."""
    monkeypatch.chdir(tmp_path)
    for n, video in enumerate(["a", "b"]):
        folder = tmp_path / f"shards/00{n}"
        folder.mkdir(parents=True)
        results.write_logits(folder / f"{video}_0.txt", np.full((3, 8), n))
        content = results.summary({f"{video}.bin": "x"}, [10.0 + n], arguments(f"shards/00{n}"))
        results.write_summary(folder / results.SUMMARY, content)
    info = [ScoredVideo(0, "b", 3), ScoredVideo(1, "a", 4)]
    tables.write_info(tmp_path / "k400.info", info)
    line = "gather --info k400.info --shards shards/000 shards/001 --output all --summary all.json"
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
