"""What a job asks for lies above what was measured, and below what a small node has."""

import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from runs import ROOT

from tsf.workflow import needs
from tsf.workflow.needs import NEEDS, Load

BENCH = SimpleNamespace(**runpy.run_path(str(ROOT / "bench/peaks.py")))
PEAKS = BENCH.read_rows()
CLIP = BENCH.CLIP


def name(row: dict) -> str:
    return f"{row['rule']} {row['model']} {row['batch']}"


@pytest.mark.parametrize("row", PEAKS, ids=name)
def test_a_measured_peak_is_below_what_the_first_attempt_asks_for(row):
    asked = needs.memory(row["rule"], BENCH.load(row)) - needs.SNAKEMAKE
    peak = float(row["max_rss_mb"])
    assert peak * 1.15 < asked, "less than 15 % of room"
    assert asked < 6 * peak + 1500, "a guess so far off keeps nodes idle"


def test_the_documents_have_every_measured_peak():
    lines = [BENCH.line(row) for row in PEAKS]
    assert len(lines) > 30
    for document in ("docs/resources.md", "docs/resources.zh-CN.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        assert [line for line in text.splitlines() if line in lines] == lines, document


def test_the_sample_fits_a_node_of_4_gb():
    for rule in NEEDS:
        assert needs.memory(rule, Load(weights=3.3, clip=CLIP, processes=8)) < 4000, rule


def test_a_job_s_snakemake_has_every_video_in_memory():
    """docs/costs.md: 0.77 kB a video, so 8 GB with ten million."""
    few, many = (needs.memory("infer", Load(listed=listed)) for listed in (0, 10_000_000))
    assert many - few == 8000


def test_the_time_grows_with_the_videos_and_shrinks_with_the_cores():
    """1,000 videos of the full-size model at 14 s of CPU time each on 8 cores: 30 minutes."""
    full = Load(weights=486.5, clip=CLIP, videos=1000, processes=8)
    measured = 1000 * 14 / 8 / 60
    asked = needs.minutes("infer", full)
    assert 2 * measured < asked - NEEDS["infer"].minutes < 8 * measured
    assert needs.minutes("infer", replace(full, processes=16)) < asked
    assert needs.minutes("infer", replace(full, videos=0)) == NEEDS["infer"].minutes


def test_the_weights_are_the_file_s_or_those_that_are_published(tmp_path):
    file = tmp_path / "model.pth"
    assert needs.weights_mb(file) == needs.PUBLISHED_MB  # still to be downloaded
    file.write_bytes(bytes(2_500_000))
    assert needs.weights_mb(file) == 2.5
    assert needs.weights_mb(tmp_path) == needs.PUBLISHED_MB  # a folder without weights
    (tmp_path / "model.safetensors").write_bytes(bytes(1_000_000))
    assert needs.weights_mb(tmp_path) == 1.0
    assert needs.weights_mb(Path(ROOT / "models/tsf_sample.pth")) < 5


def test_a_job_on_a_gpu_asks_for_more_of_the_host():
    assert needs.memory("infer", Load(on_gpu=True)) > needs.memory("infer", Load()) + 2000
