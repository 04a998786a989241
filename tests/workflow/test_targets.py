"""Which jobs a target needs, and what stops a run before any work: mostly by dry runs."""

import pytest
import runs

MODEL = {"mmaction2", "onnx"}
LISTS = {"sample_data", "videos", "check_videos", "rawframes", "account"}
PROOF = {"onnx_sim", "reference", "compare_bytes", "compare_logits", "describe_engine", "prove"}
INFERENCE = {"out_bin", "infer", "merge_shards"}
PAGE = {"video_heads", "details", "verdict", "gallery", "strips", "measured", "provenance"}
PAGE |= {"html_report"}
KINETICS = (
    "--configfile", runs.ROOT / "config/kinetics400.yaml",
    "--config", "dataset={root: results/sample_data}",
    "calibration={root: results/calibration_data/val}",
)  # fmt: skip


def due(folder, *arguments, **options):
    return runs.jobs(runs.snakemake(*arguments, "-n", directory=folder, **options))


@pytest.mark.parametrize(
    "target, rules",
    [
        # no video is touched for the model
        ("tsf.om", MODEL | {"onnx_sim", "om"}),
        ("accuracy.json", MODEL | LISTS | PROOF | INFERENCE | {"recipe", "accuracy"}),
    ],
)
def test_a_target_schedules_what_it_needs_and_no_more(tmp_path, target, rules):
    found = due(tmp_path, target)
    assert set(found) == rules | {target}
    assert list(tmp_path.glob("results/*")) == []


@pytest.mark.parametrize("name", ["b.pth", "b.pyth", "model.safetensors?download=true"])
def test_a_checkpoint_of_any_name_is_downloaded(tmp_path, name):
    model = f"model={{config: null, checkpoint: 'https://a.org/{name}', sha256: '00000000'}}"
    recipe = "recipe={name: facebook-kinetics, classes: 400}"
    found = due(tmp_path, "tsf.onnx", "--config", model, recipe, "keep=bins")
    assert set(found) == MODEL | {"download_checkpoint", "tsf.onnx"}


def test_all_is_the_default_and_has_a_job_a_shard(tmp_path):
    found = due(tmp_path)
    report = {"recipe", "verify", "accuracy", "accuracy_report", "readme_report", "all"}
    assert set(found) == MODEL | LISTS | PROOF | INFERENCE | report | PAGE
    many = {"rawframes": 4, "out_bin": 4, "infer": 4, "describe_engine": 2, "compare_logits": 2}
    assert {rule: found[rule] for rule in many} == many
    assert all(count == 1 for rule, count in found.items() if rule not in many)


@pytest.mark.parametrize(
    "target, rules",
    [
        ("k400.info", {"sample_data", "videos", "check_videos", "count_frames", "account"}),
        (
            "verify.json",
            {"sample_data", "download_checkpoint", "verify"} | MODEL | PROOF - {"prove"},
        ),
        (
            "parity.json",
            {"sample_data", "download_checkpoint", "onnx_opt", "parity", "parity_report"}
            | MODEL
            | PROOF - {"prove"},
        ),
        (
            "performance.json",
            {"sample_data", "download_checkpoint", "onnx_sim", "describe_engine", "measure"}
            | {"performance"}
            | MODEL,
        ),
    ],
)
def test_with_kinetics_configuration_no_engine_runs_for_the_account_or_the_proof(
    tmp_path, target, rules
):
    """The engines touch a few clips, and not one shard of the dataset."""
    assert set(due(tmp_path, target, *KINETICS)) == rules | {target}


def test_a_comparison_needs_two_folders_and_no_dataset(tmp_path):
    """One of them may be this run's own results, which are not made for it."""
    (tmp_path / "results").mkdir()
    (tmp_path / "other").mkdir()
    found = due(
        tmp_path, "compare.html",
        "--config", "compare=[results, other]", "dataset={root: results/none}",
    )  # fmt: skip
    assert set(found) == {"compare", "compare_report", "compare.html"}


def test_aliases_resolve_from_another_working_directory(tmp_path):
    """With -s alone the results lie where the user is."""
    result = runs.snakemake("tsf.onnx", "-n", directory=None, cwd=tmp_path)
    assert set(runs.jobs(result)) == MODEL | {"tsf.onnx"}


def test_a_configuration_file_is_laid_over_the_default(tmp_path):
    path = runs.ROOT / "config/real_clips.yaml"
    found = due(tmp_path, "results/tsf.onnx", "k400.info", "--configfile", path)
    model = {"mmaction2", "random_checkpoint", "onnx"}
    assert set(found) == model | LISTS - {"sample_data"} | {"real_clips", "k400.info"}


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
    assert "is not on PATH" in line and "atc" in line and "set_env.sh" in line


def test_a_faulty_configuration_is_one_line(tmp_path):
    line = refused(tmp_path, "--config", "shards=many")
    assert "shards is 'many', which does not match '^auto$'" in line


def test_the_retired_keys_are_refused_with_the_new_one(tmp_path):
    line = refused(tmp_path, "--config", "frames=none", "keep_bin=False")
    assert "write keep: nothing" in line


def test_a_comparison_of_fewer_than_two_folders_is_one_line(tmp_path):
    assert "compare is null: name two folders" in refused(tmp_path, "compare.html")
    line = refused(tmp_path, "compare.html", "--config", "compare=[a, b]")
    assert "a: no such folder; see compare" in line
    line = refused(tmp_path, "compare.html", "--config", "compare=[a]")
    assert "compare" in line and "too short" in line


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
    train = [f"class {n},a,0,10,train" for n in range(8)]  # as many as the model has
    header = text.splitlines()[0]
    (folder / "annotations/train.csv").write_text("\n".join([header, *train, ""]))
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
