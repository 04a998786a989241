"""The figures of a measurement, against hand-worked ones, and the measurement on the stand-in."""

import json

import machine
import pytest
from markdown_rows import rows

from tsf.ascend import performance, performance_summary
from tsf.errors import UserError
from tsf.evaluation.performance_record import performance_record
from tsf.files import write_json
from tsf.report import ascend_performance


def speed(milliseconds, batch):
    counted = performance.after_warm_up(milliseconds)
    return performance_record("ascend", "tsf.om", "force_fp16", batch, "Ascend310P3", counted)


def test_fps_is_of_the_mean_after_the_warm_up():
    found = speed([900.0] * 5 + [100.0, 200.0, 300.0, 400.0], batch=4)
    assert found["videos_per_second"] == 16  # 1000 * 4 / 250
    assert found["runs"] == 4
    times = found["milliseconds"]
    assert (times["mean"], times["min"], times["max"], times["p50"]) == (250, 100, 400, 250)
    assert times["p90"] == pytest.approx(370) and times["p99"] == pytest.approx(397)


def test_the_guides_figure():
    # 132.8 ms a run is the guide's 7.53 fps
    found = speed([132.8] * 50, batch=1)["videos_per_second"]
    assert found == pytest.approx(7.53, abs=0.005)


@pytest.mark.parametrize("times", [[], [1.0] * 5])
def test_too_few_runs(times):
    with pytest.raises(UserError, match=r"raise ascend\.performance\.loop"):
        performance.after_warm_up(times)


def test_share_of_peak():
    # 7.53 videos/s of 587.5 G multiply-adds are 8.85 TFLOP/s, some 12.6 % of 70
    share = performance_summary.share_of_peak(7.53, 587_500_000_000, 70)
    assert share == pytest.approx(0.1264, abs=5e-5)


RUN = {
    "device": "Ascend310P3",
    "batch": 1,
    "precision": "force_fp16",
    "fast_gelu": True,
    "model": "tsf.om",
    "command": ["atc", "--framework=5"],
    "videos_per_second": 7.53,
    "runs": 45,
    "milliseconds": {"mean": 132.8, "min": 132.0, "p50": 132.7, "p90": 133, "p99": 134, "max": 135},
    "h2d_milliseconds": 3.25,
    "d2h_milliseconds": 0.06,
}


@pytest.fixture
def report(tmp_path, monkeypatch):
    """The table of some runs, made by the two command lines."""

    def report(runs, macs, *options):
        paths = [tmp_path / f"{number}.json" for number in range(len(runs))]
        for path, run in zip(paths, runs, strict=True):
            write_json(path, run)
        monkeypatch.setattr(performance_summary, "macs", lambda onnx: macs)
        summary, text = tmp_path / "summary.json", tmp_path / "summary.md"
        line = ["summary", "--runs", *paths, "--onnx", "x.onnx", "--output", summary, *options]
        monkeypatch.setattr("sys.argv", [str(word) for word in line])
        performance_summary.main()
        line = ["report", "--performance", summary, "--output", text]
        monkeypatch.setattr("sys.argv", [str(word) for word in line])
        ascend_performance.main()
        return text.read_text()

    return report


@pytest.mark.parametrize(
    "macs, same",
    [
        (587_490_000_000, True),  # 3 x 195.83 G, 3 x 173.17 G and 3 x 183.97 G: docs/ascend.md
        (519_510_000_000, True),
        (551_910_000_000, True),
        (195_830_000_000, False),  # one view of three
        (560_000_000_000, False),
        (943_000_000, False),  # the embedded sample
        (None, None),
    ],
)
def test_the_guides_model_is_known_by_its_multiply_adds(macs, same):
    assert performance_summary.is_guides_model(macs) is same


def test_the_guides_row_is_marked_beside_another_model(report):
    assert [row[0] for row in rows(report([RUN], 940_000_000))][2] == (
        "Ascend 310P3 (the guide's figure); another model: 587.5 G multiply-adds a video, "
        "this one 0.94 G"
    )
    assert "(the guide's figure); of a model of 587.5 G" in report([RUN], None)


def test_the_table_has_the_guides_form_and_figure(report):
    faster = RUN | {"batch": 4, "videos_per_second": 8}
    text = report([RUN, faster], 587_500_000_000, "--peak-tflops", "70")
    found = rows(text)
    assert found[0][:2] == ["chip", "batch size"]
    assert ["Ascend310P3", "4", "force_fp16, fast Gelu", "8.00 fps"] in found
    assert ["Ascend 310P3 (the guide's figure)", "1", "force_fp16, fast Gelu", "7.53 fps"] in found
    assert "batch 1: 12.6%, batch 4: 13.4%" in text
    times = ["132.80", "132.00", "132.70", "133.00", "134.00", "135.00"]
    assert ["1", "45", *times, "3.25", "0.06"] in found
    assert "- tsf.om: `atc --framework=5`" in text
    assert "force_fp16 = float16 in every operator that has it" in text


def test_copies_that_a_release_does_not_time(report):
    unknown = RUN | {"h2d_milliseconds": None, "d2h_milliseconds": None}
    assert ["135.00", "-", "-"] in [row[-3:] for row in rows(report([unknown], 1))]


def test_a_peak_that_is_not_stated_is_not_made_up(report):
    text = report([RUN], 587_500_000_000)
    assert "not stated; set ascend.peak_tflops" in text and "%" not in text


def test_work_that_cannot_be_counted(report):
    assert "cannot be counted" in report([RUN], None, "--peak-tflops", "70")


@pytest.fixture
def measure(tmp_path, npu, compiled):
    def measure_it(*more, batch=4, loop=12, **demands):
        arguments = [
            "--model",
            compiled / f"bs{batch}.om",
            "--status",
            compiled / f"bs{batch}.json",
        ]
        arguments += ["--loop", loop, "--devices", 0, "--output", "performance/tsf.json"]
        return machine.run(
            "ascend.performance", *arguments, *more, folder=tmp_path, env=npu(**demands)
        )

    return measure_it


@pytest.mark.parametrize("release", ["", "2022-11", "2022-11,pairs", "fork"])
def test_measuring(measure, tmp_path, release):
    result = measure(AIS_BENCH=release)
    assert result.returncode == 0, result.stdout
    assert "--loop 12 --batchsize 4" in result.stdout and "--input" not in result.stdout
    found = json.loads((tmp_path / "performance/tsf.json").read_text())
    assert found["batch"] == 4 and found["runs"] == 7
    assert found["videos_per_second"] == pytest.approx(4000 / found["milliseconds"]["mean"])
    # a release that counts no copies says 0, which is no measurement
    copies = (None, None) if "2022" in release else (0.25, 0.125)
    assert (found["h2d_milliseconds"], found["d2h_milliseconds"]) == copies
    assert found["device"].startswith("stand-in for Ascend310P3")
    assert [path.name for path in (tmp_path / "performance").iterdir()] == ["tsf.json"]


def test_a_measurement_without_a_summary_is_an_error(measure, tmp_path):
    assert "wrote no summary" in machine.error(measure(AIS_BENCH="no-summary"))
    assert list((tmp_path / "performance").iterdir()) == []
    assert measure().returncode == 0


def test_what_hangs_is_ended(measure, tmp_path):
    demands = {"AIS_BENCH": "hangs", "PIDS": str(tmp_path / "pids")}
    line = machine.error(measure("--time-limit", "3", "0", **demands))
    assert "ais_bench did not end within 3 s" in line
    assert list((tmp_path / "performance").iterdir()) == []
