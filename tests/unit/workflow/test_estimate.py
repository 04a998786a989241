"""The command: rates of a run's logs, speeds that are given, and bad inputs in one line."""

import json
import os
import re
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import runs
from recipes import GUIDE

from tsf.data.decoded import Decoded, write_decoded
from tsf.data.listing import ListedVideo, write_list
from tsf.engines.described import DescribedEngine, write_described
from tsf.engines.setup import Setup
from tsf.errors import UserError
from tsf.files import read_json, write_json
from tsf.workflow import estimate
from tsf.workflow.costs import AFTER, BESIDE, LISTED, Engine, Plan, Rate, Rates, stages
from tsf.workflow.measured_rates import USED, from_results

SHIPPED = Rates.read()
CLIP = {"sampling": {"num_clips": 1, "clip_len": 8}, "crops": "three", "side": 224}


def log(path: Path, *lines: tuple[float, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"used {a:.2f} s of CPU time, {b:.2f} s of it to start\n" for a, b in lines)
    path.write_text(f"something else\n{text}")


@pytest.fixture
def finished(tmp_path):
    """What a run of ten videos in two shards leaves, as far as it is read."""
    results = tmp_path / "results"
    for name in (*LISTED, *BESIDE, *AFTER):
        log(results / f"logs/{name}.log", (2.0, 1.0))
    (results / "logs/merge_shards.log").unlink()
    log(results / "logs/merge_shards/onnxruntime.log", (2.0, 1.0))
    rows = [ListedVideo(f"v{n}", f"val/v{n}.mp4", "c") for n in range(10)]
    write_list(results / "videos.tsv", [*rows, ListedVideo("v0", "val/v0.mp4", "d")])
    log(results / "logs/onnx.log", (30.0, 1.0))
    log(results / "logs/parity/onnxruntime.log", (5.0, 1.0))
    log(results / "logs/sample_data.log", (99.0, 1.0))  # no part of a run on own videos
    for shard, videos in (("000", 4), ("001", 6)):
        table = results / f"decoded/{shard}.tsv"
        write_decoded(table, [Decoded("v", 300, "")] * videos)
        log(results / f"logs/count_frames/{shard}.log", (0.5 + 0.1 * videos, 0.5))
        inner, made = 3.0 + 6.0 * videos, 1.0 + 0.2 * videos
        log(
            results / f"logs/infer/onnxruntime/{shard}.log",
            (inner, 3.0),
            (inner + made, 1.0),
        )
    disk = {"shards": 10 * 1200 * 9, "result": 1, "tsf.onnx": 400, "parity": 600, "out_bin": 0}
    disk |= dict.fromkeys(
        ("videos.tsv", "k400.info", "kinetics400_val_list_rawframes.txt", "predictions.csv"), 100
    ) | {"video_heads.tsv": 300, "decoded": 300}
    content = {
        "accuracy": {},
        "recipe": {"clip": CLIP, "classes": 400},
        "provenance": {
            "config": {
                "keep": "nothing",
                "bin": "float32",
                "scratch": None,
                "engines": [{"engine": "onnxruntime"}],
            },
            "machine": {"processor": "a processor", "cores": 2},
            "disk": disk,
        },
    }
    for name, value in content.items():
        write_json(results / f"{name}.json", value)
    return results


def run(monkeypatch, capsys, *arguments) -> dict:
    monkeypatch.setattr(sys, "argv", ["estimate", *map(str, arguments), "--json"])
    estimate.main()
    return json.loads(capsys.readouterr().out)


def cpu(found: dict) -> dict[str, float]:
    return {stage["stage"]: stage["cpu_seconds"] for stage in found["stages"]}


def test_the_rates_of_a_run(finished):
    rates, plan = from_results(finished, SHIPPED)
    assert rates.steps["count_frames"] == Rate(pytest.approx(0.5), pytest.approx(0.1))
    assert rates.steps["temporary_bins"] == Rate(pytest.approx(1.0), pytest.approx(0.2))
    assert rates.engines == {"onnxruntime": Engine(pytest.approx(3.0), pytest.approx(2.0))}
    assert rates.steps["check_videos"] == Rate(1.0, pytest.approx(0.1))
    # of the others a video's share is the shipped one
    usual = SHIPPED.steps["accuracy"].video
    assert rates.steps["accuracy"] == Rate(pytest.approx(2 - 10 * usual), usual)
    assert rates.model == {"export": 31, "proof": 4}
    assert (rates.sizes["logit"], rates.sizes["tables"], rates.sizes["models"]) == (9, 100, 1000)
    assert plan == {
        "keep": "nothing",
        "bin": "float32",
        "crops": 3,
        "clips": 1,
        "frames": 8,
        "side": 224,
        "classes": 400,
        "scratch": False,
    }


def test_a_run_is_extrapolated(finished, monkeypatch, capsys):
    small = cpu(run(monkeypatch, capsys, "--videos", 10, "--shards", 2, "--cores", 2,
                    "--results", finished))  # fmt: skip
    large = cpu(run(monkeypatch, capsys, "--videos", 1000, "--shards", 2, "--cores", 2,
                    "--disk-mb", 10**5, "--results", finished))  # fmt: skip
    # 990 videos of 0.2 + 3 * 2.0 s more, and in both jobs the list of them
    lists = 2 * 990 * SHIPPED.snakemake["list"]
    assert large["infer"] - small["infer"] == pytest.approx(990 * 6.2 + lists)


def test_the_sample_comes_out_as_its_logs_say(sample_run):
    """The stages of the run itself take the CPU time of its jobs: nothing is lost or twice."""
    own = dict.fromkeys(SHIPPED.snakemake, 0.0)
    rates, keys = from_results(sample_run.results, replace(SHIPPED, snakemake=own))
    plan = Plan(videos=42, shards=runs.SHARDS, cores=2, **keys)
    found = sum(stage.cpu for stage in stages(plan, rates, rates.engines["onnxruntime"]))
    logs = [
        path
        for path in (sample_run.results / "logs").rglob("*.log")
        if "sample_data" not in path.name
    ]
    used = [USED.findall(path.read_text()) for path in logs]
    assert all(used) and len(used) > 35
    assert found == pytest.approx(sum(float(lines[-1][0]) for lines in used), rel=0.02)


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        # two cores a job, so 4 CPU seconds a video
        (["--videos-per-second", 0.5, "--threads", 2], 4.0),
        (["--videos-per-second", 0.5, "--threads", 2, "--crops", 1], 4.0),
        (["--engine", "onnxruntime"], 3 * SHIPPED.engines["onnxruntime"].view),
        (["--engine", "onnxruntime", "--crops", 1], SHIPPED.engines["onnxruntime"].view),
    ],
)
def test_the_engine_is_as_fast_as_is_said(options, seconds, monkeypatch, capsys):
    both = [
        cpu(run(monkeypatch, capsys, "--videos", n, "--shards", 10, "--cores", 4, "--keep", "bins",
                *options))["infer"]
        for n in (1000, 2000)
    ]  # fmt: skip
    lists = 10 * 1000 * SHIPPED.snakemake["list"]
    assert both[1] - both[0] == pytest.approx(1000 * seconds + lists)


@pytest.fixture
def measured(tmp_path):
    """Writes performance.json of measurements `a` and `b`, of one crop, and more of `changes`."""
    clip = replace(GUIDE, crops="centre")

    def measured(**changes):
        rows = []
        for name in ("a", "b"):
            setup = Setup("onnxruntime", "tsf_sim", "f32")
            digests = {"m.onnx": name}
            path = tmp_path / f"engines/{name}.json"
            write_described(path, DescribedEngine(setup, Path("m.onnx"), digests, clip, "float32"))
            row = {"engine": name, "model": "m.onnx", "sha256": digests, "setup": asdict(setup)}
            row |= {"videos_per_second": 0.25, "threads": 2, "load_seconds": 5.0, "device": "it"}
            rows.append(row | changes)
        path = tmp_path / "performance.json"
        write_json(path, {"measurements": rows[:1] if changes else rows})
        return path

    return measured


def test_a_measured_speed(measured, monkeypatch, capsys):
    path = measured()
    common = ("--videos", 100, "--shards", 1, "--cores", 4, "--keep", "bins", "--performance", path)
    own = SHIPPED.snakemake["job"] + 100 * SHIPPED.snakemake["list"]
    # 2 / 0.25 CPU seconds for the crop that was measured, whatever is planned
    for crops in (1, 3):
        found = run(monkeypatch, capsys, *common, "--engine", "b", "--crops", crops)
        assert cpu(found)["infer"] == pytest.approx(5 + 100 * crops * 2 / 0.25 + own)
    with pytest.raises(UserError, match="2 measurements for --engine None: a m"):
        run(monkeypatch, capsys, *common)
    with pytest.raises(UserError, match="rates are of 8 frames of 224 pixels, the run is of 16"):
        run(monkeypatch, capsys, *common, "--engine", "b", "--frames", 16)


def test_a_speed_is_of_the_device_that_was_measured(measured, monkeypatch, capsys):
    common = ("--videos", 100, "--shards", 1, "--cores", 4, "--keep", "bins")
    for fields in ({"setup": {"device": "cuda"}}, {"engine": "ascend", "setup": None}):
        path = measured(**fields)
        options = (*common, "--crops", 1, "--performance", path)
        with pytest.raises(UserError, match="measured on it; say how many --devices"):
            run(monkeypatch, capsys, *options)
        assert run(monkeypatch, capsys, *options, "--devices", 1)["device_hours"] > 400 / 3600
    with pytest.raises(UserError, match="measured on a CPU, which says nothing of --devices"):
        run(monkeypatch, capsys, *common, "--performance", measured(x=1), "--devices", 1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sha256": {"m.onnx": "other"}}, "no file in .*engines is of the measured model"),
        ({"videos_per_second": 1e-320}, "must be from 0.000001 to 1000000"),
        ({"videos_per_second": 10**400}, "must be from 0.000001 to 1000000"),
    ],
)
def test_faulty_measurements_are_refused(fields, words, measured, monkeypatch, capsys):
    common = ("--videos", 100, "--shards", 1, "--cores", 4, "--performance", measured(**fields))
    with pytest.raises(UserError, match=words):
        run(monkeypatch, capsys, *common)


def test_another_file_than_a_measurement_is_refused(measured, monkeypatch, capsys):
    path = measured()
    common = ("--videos", 1000, "--cores", 4, "--performance")
    with pytest.raises(UserError, match=r"a\.json: there is no 'engine' in it, so"):
        run(monkeypatch, capsys, *common, path.parent / "engines/a.json")
    path.write_text(path.read_text().replace("0.25", "0.5"))
    with pytest.raises(UserError, match=r"performance\.json: not as it was written"):
        run(monkeypatch, capsys, *common, path)


def test_it_is_readable(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["estimate", "--videos", "20000", "--cores", "16"])
    estimate.main()
    text = capsys.readouterr().out
    assert re.search(r"^wall      [\d.]+ h$", text, re.MULTILINE)
    assert "core hours used" in text and "temporary .bin files 8.0 GB" in text
    assert SHIPPED.origin["machine"] in text
    shown = text.partition("\nengine ")[0]
    for page in ("costs.md", "costs.zh-CN.md"):
        assert shown in (runs.ROOT / "docs" / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--videos", -5], "--videos -5: must be at least 1"),
        (["--results", "nowhere"], "nowhere: no such folder"),
        (["--performance", "nowhere.json"], "nowhere.json: no such file"),
        (["--videos-per-second", 0], "must be from 0.000001 to"),
        (["--videos-per-second", 1e-320], "must be from 0.000001 to"),
        (["--videos-per-second", "inf"], "must be from 0.000001 to"),
        (["--videos-per-second", "nan"], "must be from 0.000001 to"),
        (["--videos-per-second", 1, "--load-seconds", -1], "must be from 0 to 1000000"),
        (["--videos-per-second", 1, "--load-seconds", "nan"], "must be from 0 to 1000000"),
        (["--load-seconds", 5], "--load-seconds: is of --videos-per-second, so it has no effect"),
        (["--videos-per-second", 1, "--engine", "x"], "--engine: --videos-per-second is given"),
        (["--videos-per-second", 1, "--performance", "x"], "--performance: --videos-per-second is"),
        (["--keep", "frames", "--disk-mb", 9], "--disk-mb: is of keep: nothing"),
        (["--scratch"], "--scratch: is of keep: nothing on several --nodes"),
        (["--videos-per-second", 1, "--devices", 1, "--threads", 2], "--threads: --devices infer"),
        (["--videos", 10**17, "--shards", 10**17], "must be at most"),
        (["--videos", 10**400], "must be at most"),
        (["--engine", "abacus"], "--engine abacus: not measured; there are onnxruntime"),
        (["--side", 112], "the rates are of 8 frames of 224 pixels"),
        (["--devices", 1], "give a device's speed"),
    ],
)
def test_bad_input_is_refused(options, words, monkeypatch, capsys):
    with pytest.raises(UserError, match=words):
        run(monkeypatch, capsys, "--videos", 1000, "--cores", 4, *options)


@pytest.mark.parametrize(
    "videos, number", [(40, 4), (400, 16), (20_000, 128), (650_000, 4096), (10_000_000, 65_536)]
)
def test_without_a_number_of_shards_it_is_auto_s(videos, number):
    """docs/shards.md: what the workflow takes for as many."""
    assert estimate.auto_shards({"videos": videos, "cores": 16}) == number


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("accuracy.json", "not there, so the run is not finished"),
        ("logs/count_frames/001.log", "no such file, so the run is not finished"),
        ("decoded", r"has 0 videos, .*videos.tsv 10: not finished"),
    ],
)
def test_an_unfinished_run_is_refused(gone, words, finished, monkeypatch, capsys):
    path = finished / gone
    for file in path.iterdir() if path.is_dir() else [path]:
        file.unlink()
    with pytest.raises(UserError, match=words):
        run(monkeypatch, capsys, "--videos", 1000, "--cores", 4, "--results", finished)


def configure(results, **config):
    path = results / "provenance.json"
    content = read_json(path)
    write_json(path, content | {"config": content["config"] | config})


def test_the_engines_are_those_of_the_config(finished, monkeypatch, capsys):
    """An earlier one has left its logs; of several, one is to be named."""
    infer = finished / "logs/infer"
    shutil.copytree(infer / "onnxruntime", infer / "an_earlier_one")
    log(finished / "logs/merge_shards/an_earlier_one.log", (99.0, 1.0))
    configure(finished)
    rates, _ = from_results(finished, SHIPPED)
    assert list(rates.engines) == ["onnxruntime"] and rates.steps["merge_shards"].job < 3
    shutil.copytree(infer / "onnxruntime", infer / "openvino")
    log(finished / "logs/merge_shards/openvino.log", (2.0, 1.0))
    configure(finished, engines=[{"engine": "openvino"}, {"engine": "onnxruntime"}])
    common = ("--videos", 1000, "--cores", 4, "--results", finished)
    with pytest.raises(UserError, match="name one of its engines by --engine: openvino, onnxr"):
        run(monkeypatch, capsys, *common)
    assert run(monkeypatch, capsys, *common, "--engine", "openvino")["engine"] == "openvino"


@pytest.mark.parametrize("name", ["infer/onnxruntime/001", "count_frames/000", "accuracy"])
def test_a_run_that_has_begun_again_is_refused(finished, name):
    path = finished / f"logs/{name}.log"
    later = (finished / "provenance.json").stat().st_mtime + 1
    os.utime(path, (later, later))
    with pytest.raises(UserError, match=f"{path}: newer than .*provenance.json, so a later run"):
        from_results(finished, SHIPPED)
    later -= 2
    os.utime(path, (later, later))
    from_results(finished, SHIPPED)


def test_a_run_of_no_videos_is_refused(finished):
    write_list(finished / "videos.tsv", [])
    for table in (finished / "decoded").iterdir():
        table.unlink()
    with pytest.raises(UserError, match=r"videos\.tsv: no videos"):
        from_results(finished, SHIPPED)


def test_a_run_on_devices(finished, monkeypatch, capsys):
    """Two jobs that had the device for 20 and 30 s, of which the model computed 40."""
    logs = finished / "logs/infer"
    (logs / "onnxruntime").rename(logs / "ascend")
    for shard, seconds in (("000", 20), ("001", 30)):
        path = logs / f"ascend/{shard}.log"
        text = "2026-11-26 10:00:05.000 device 0: taken\n"
        text += f"2026-11-26 10:00:{5 + seconds}.000 device 0: given back\n"
        text += "used 1.00 s of CPU time, 0.50 s of it to start\n"  # ais_bench
        path.write_text(text + "used 3.00 s of CPU time, 1.00 s of it to start\n")
    (finished / "result").mkdir()
    log(finished / "logs/merge_shards/ascend.log", (2.0, 1.0))
    configure(finished, engines=[{"engine": "ascend"}])
    summary = {"npu_compute_time_list": [4000.0] * 10}
    write_json(finished / "result/ascend_summary.json", summary)
    rates, _ = from_results(finished, SHIPPED)
    assert rates.engines["ascend"] == Engine(pytest.approx(5.0), pytest.approx(4 / 3))
    assert rates.steps["temporary_bins"] == Rate(pytest.approx(1.0), pytest.approx(0.4))
    common = ("--videos", 1000, "--cores", 4, "--results", finished)
    with pytest.raises(UserError, match="say how many --devices"):
        run(monkeypatch, capsys, *common)
    assert run(monkeypatch, capsys, *common, "--devices", 1)["device_hours"] > 4000 / 3600


def test_tables_of_another_number_of_shards_are_refused(finished):
    write_decoded(finished / "decoded/002.tsv", [Decoded("v1", 300, "")])
    with pytest.raises(UserError, match="has 11 videos"):
        from_results(finished, SHIPPED)


def test_results_of_another_version_are_refused(finished, monkeypatch, capsys):
    write_json(finished / "provenance.json", {})
    with pytest.raises(UserError, match="no 'config' in it, so it is another file"):
        run(monkeypatch, capsys, "--videos", 1000, "--cores", 4, "--results", finished)


def test_logs_without_a_time_and_another_keep_are_refused(finished, monkeypatch, capsys):
    common = ("--videos", 1000, "--cores", 4, "--results", finished)
    with pytest.raises(UserError, match="no rate of rawframes, which keep: frames needs"):
        run(monkeypatch, capsys, *common, "--keep", "frames")
    (finished / "logs/account.log").write_text("of an older version\n")
    os.utime(finished / "provenance.json")
    with pytest.raises(UserError, match=r"account\.log: no CPU time"):
        run(monkeypatch, capsys, *common)
