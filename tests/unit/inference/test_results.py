"""Results in ais_bench's form, as the guide's post-processing needs them."""

import json

import numpy as np
import pytest

from tsf.errors import UserError
from tsf.files import write_json
from tsf.inference import results

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
        (GOOD[:-3], "cut short"),  # 6. is another number than 6.5
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
    write_json(tmp_path / "x.json", results.summary(files, times, arguments()))
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


def test_a_summary_that_was_cut_short_names_the_folder_to_delete(tmp_path):
    path = tmp_path / "000" / results.SUMMARY
    path.parent.mkdir()
    write_json(path, results.summary({}, [1.0], {"batchsize": 1}))
    path.write_text(path.read_text()[:40])
    with pytest.raises(UserError) as fault:
        results.read_summary(path)
    message = str(fault.value)
    assert message.startswith(f"{path}: not as it was written") and "\n" not in message
    assert message.endswith(f"; delete {path.parent} and run again")
