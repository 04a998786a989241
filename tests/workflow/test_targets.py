"""Which jobs a target needs, and what stops a run before any work: mostly by dry runs."""

import pytest
import runs

MODEL = {"mmaction2", "onnx"}
LISTS = {"sample_data", "videos", "check_videos", "rawframes", "account"}
INFERENCE = {"onnx_sim", "out_bin", "infer", "merge_shards"}


def due(folder, *arguments, **options):
    return runs.jobs(runs.snakemake(*arguments, "-n", directory=folder, **options))


@pytest.mark.parametrize(
    "target, rules",
    [
        ("tsf.onnx", MODEL),
        ("tsf_sim.onnx", MODEL | {"onnx_sim"}),
        # no video is touched for the model
        ("tsf.om", MODEL | {"onnx_sim", "om"}),
        ("k400.info", LISTS),
        ("accuracy.json", MODEL | LISTS | INFERENCE | {"accuracy"}),
    ],
)
def test_a_target_schedules_what_it_needs_and_no_more(tmp_path, target, rules):
    found = due(tmp_path, target)
    assert set(found) == rules | {target}
    assert list(tmp_path.glob("results/*")) == []


def test_all_is_the_default_and_has_a_job_a_shard(tmp_path):
    found = due(tmp_path)
    assert found == due(tmp_path, "all")
    assert set(found) == MODEL | LISTS | INFERENCE | {"verify_onnx", "accuracy", "report", "all"}
    for rule, count in found.items():
        assert count == (runs.SHARDS if rule in ("rawframes", "out_bin", "infer") else 1), rule


def test_the_file_is_a_target_too(tmp_path):
    alias, path = due(tmp_path, "tsf.onnx"), due(tmp_path, "results/tsf.onnx")
    del alias["tsf.onnx"]
    assert alias == path


def test_aliases_resolve_from_another_working_directory(tmp_path):
    """With -s alone the results lie where the user is."""
    result = runs.snakemake("tsf.onnx", "-n", directory=None, cwd=tmp_path)
    assert set(runs.jobs(result)) == MODEL | {"tsf.onnx"}


def test_configuration_can_be_overridden(tmp_path):
    found = due(tmp_path, "accuracy.json", "--config", "shards=7", "keep=bins")
    assert found["out_bin"] == found["infer"] == 7 and "rawframes" not in found


def test_a_configuration_file_is_laid_over_the_default(tmp_path):
    path = runs.ROOT / "config/real_clips.yaml"
    found = due(tmp_path, "tsf.onnx", "--configfile", path)
    assert set(found) == {"mmaction2", "random_checkpoint", "onnx", "tsf.onnx"}
    found = due(tmp_path, "k400.info", "--configfile", path)
    assert "real_clips" in found and "sample_data" not in found


def test_a_checkpoint_by_url_is_downloaded(tmp_path):
    path = runs.ROOT / "config/kinetics400.yaml"
    found = due(tmp_path, "tsf.onnx", "--configfile", path)
    assert set(found) == {"mmaction2", "download_checkpoint", "onnx", "tsf.onnx"}


# ---- what stops a run before any work ----


def refused(folder, *arguments, **options):
    """The one line that the user reads; nothing was made."""
    result = runs.snakemake(*arguments, directory=folder, **options)
    lines = runs.error_lines(result)
    assert len(lines) == 1, result.stdout
    assert list(folder.glob("results/*")) == [], result.stdout
    return lines[0]


def test_without_cann_tsf_om_stops_at_once(tmp_path):
    line = refused(tmp_path, "tsf.om", env={"PATH": "/usr/bin:/bin"})
    assert "atc is not on PATH" in line and "set_env.sh" in line


@pytest.mark.parametrize(
    "setting, expected",
    [
        ("frame=all", "'frame' is no key of the top level; did you mean 'frames'?"),
        ("shards=many", "shards is 'many', which is not of type 'integer'"),
        ("sampler=mmaction2", "sampler is 'mmaction2', allowed are mmaction2-0.x, mmaction2-1.x"),
        (
            "model={checkpoint: 'https://example.org/x.pth'}",
            "model.sha256 is null, but model.checkpoint is a URL",
        ),
    ],
)
def test_a_faulty_configuration_is_one_line(tmp_path, setting, expected):
    assert expected in refused(tmp_path, "--config", setting)


def test_a_missing_checkpoint_is_one_line(tmp_path):
    line = refused(tmp_path, "tsf.onnx", "--config", "model={checkpoint: nowhere/x.pth}")
    assert "nowhere/x.pth" in line and "model.checkpoint" in line


@pytest.mark.parametrize("layout", ["kinetics", "folder"])
def test_a_missing_dataset_is_one_line(tmp_path, layout):
    setting = f"dataset={{root: nowhere/k400, layout: {layout}}}"
    line = refused(tmp_path, "k400.info", "--config", setting)
    assert "nowhere/k400" in line and "see dataset" in line


def test_another_checkpoint_than_the_configured_is_refused(tmp_path):
    digits = "0" * 8
    line = refused(tmp_path, "tsf.onnx", "--config", f"model={{sha256: '{digits}'}}")
    assert digits in line and "sha256" in line


def test_a_damaged_csv_is_one_line(tmp_path):
    """Already while the jobs are planned."""
    folder = tmp_path / "k400"
    (folder / "annotations").mkdir(parents=True)
    (folder / "val").mkdir()
    text = "label,youtube_id,time_start,time_end,split\nyoga,a,0,ten,val\n"
    (folder / "annotations/val.csv").write_text(text)
    (folder / "annotations/train.csv").write_text(text.replace("ten", "10"))
    line = refused(tmp_path, "k400.info", "--config", "dataset={root: k400}")
    assert "val.csv, line 2: time_start and time_end must be seconds" in line


def test_a_damaged_archive_of_mmaction2_is_one_line(tmp_path):
    (tmp_path / "archives").mkdir()
    wheel = tmp_path / "archives/mmaction2-0.24.1-py2.py3-none-any.whl"
    wheel.write_bytes(b"damaged")
    result = runs.snakemake(
        "results/mmaction2", "--config", "upstream={archives: archives}", directory=tmp_path
    )
    lines = runs.error_lines(result)
    # as the job says it, and perhaps once more at the end, from its log
    assert lines and all(f"{wheel.name}: sha256 is" in line for line in lines)
    assert not (tmp_path / "results/mmaction2").exists()
