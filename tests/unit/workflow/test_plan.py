"""What the rules ask before any work, as functions."""

import hashlib
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from tsf.engines.setup import DEFAULTS, Setup
from tsf.errors import UserError
from tsf.workflow import plan


def test_what_lies_in_results_is_the_workflows():
    assert plan.is_made("results/sample_data/val") and plan.is_made("results")
    for path in ("data/k400", "../results/x", "/srv/results/x", "resultsB/x"):
        assert not plan.is_made(path), path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The Snakefile's folder, beside the working directory."""
    (tmp_path / "home/models").mkdir(parents=True)
    (tmp_path / "home/models/a.py").touch()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


def test_a_path_is_the_working_directorys_before_the_snakefiles(home):
    assert plan.beside_snakefile("models/a.py", home) == "../home/models/a.py"
    os.mkdir("models")
    open("models/a.py", "w").close()
    assert plan.beside_snakefile("models/a.py", home) == "models/a.py"
    assert plan.beside_snakefile("nowhere.py", home) == "nowhere.py"


def test_a_file_of_the_users_must_be_there_and_one_of_ours_need_not(home):
    assert plan.refuse_absent("x.y", ["results/later", home]) == ["results/later", home]
    with pytest.raises(UserError, match=r"^gone\.csv: no such file or folder; see x\.y"):
        plan.refuse_absent("x.y", ["results/later", "gone.csv"])


@pytest.mark.parametrize(
    "output, refused",
    [
        ("k400/val", True),
        ("k400", True),
        ("k400/val/{clip}.mp4", True),
        ("k400/val/a.mp4", True),
        ("../work/k400/val", True),
        ("k400/other.csv", False),
        ("k400/val2/a.mp4", False),
        ("{any}.csv", False),
        ("results/x", False),
    ],
)
def test_what_is_looked_at_must_not_be_made_in_the_same_run(home, output, refused):
    paths = ["k400/val", "results/sample_data/val"]
    with pytest.raises(UserError, match=f"a rule makes {output}:") if refused else nullcontext():
        plan.refuse_made_meanwhile("dataset.root", paths, ["results/shards/000", output])


def test_a_dataset_may_hold_the_folder_of_the_run(home):
    plan.refuse_made_meanwhile("dataset.root", [".."], ["results/{shard}", "results/a"])


def test_a_url_is_saved_under_its_name(home):
    assert plan.checkpoint_file("https://a/b/c.pth", home) == "results/checkpoint/c.pth"
    url = "https://a/b/resolve/main/model.safetensors?download=true"
    assert plan.checkpoint_file(url, home) == "results/checkpoint/model.safetensors"
    assert plan.checkpoint_file("models/a.py", home) == "../home/models/a.py"


def test_the_weights_are_known_by_their_sha256(home):
    found = hashlib.sha256(b"weights").hexdigest()
    with open("w.pth", "wb") as file:
        file.write(b"weights")
    assert plan.checkpoint_digest("w.pth", None) == found
    assert plan.checkpoint_digest("w.pth", found[:8]) == found
    with pytest.raises(UserError, match=f"sha256 is {found}, but model.sha256"):
        plan.checkpoint_digest("w.pth", "00000000")
    # a file that a rule makes is checked when it is made
    assert plan.checkpoint_digest("results/checkpoint/c.pth", "00000000") == "00000000"


def test_a_folder_is_known_by_its_weights_file(home):
    os.mkdir("hf")
    with pytest.raises(UserError, match="a folder without model"):
        plan.checkpoint_digest("hf", None)
    with open("hf/pytorch_model.bin", "wb") as file:
        file.write(b"weights")
    found = hashlib.sha256(b"weights").hexdigest()
    assert plan.checkpoint_digest("hf", found[:8]) == found
    with pytest.raises(UserError, match=f"hf/pytorch_model.bin: sha256 is {found}, but"):
        plan.checkpoint_digest("hf", "00000000")


def test_a_hugging_face_folder_names_the_classes(home):
    os.mkdir("hf")
    assert plan.classes_file(None, "hf", home) is None
    assert plan.classes_file(None, None, home) is None
    with open("hf/config.json", "w") as file:
        file.write('{"id2label": {"0": "yoga"}}')
    assert plan.classes_file(None, "hf", home) == "hf/config.json"
    assert plan.classes_file("models/a.py", "hf", home) == "../home/models/a.py"


def test_other_classes_are_refused_as_soon_as_they_are_there(home):
    plan.refuse_other_classes("kinetics", Path("results/later"), None, 8)
    plan.refuse_other_classes("folder", Path("videos"), None, 8)
    with open("m.txt", "w") as file:
        file.write("yoga\nzumba\n")
    plan.refuse_other_classes("folder", Path("videos"), "m.txt", 2)
    with pytest.raises(UserError, match="names 2 classes, but the model has 8"):
        plan.refuse_other_classes("kinetics", Path("videos"), "m.txt", 8)


def test_an_engine_is_proven_after_what_its_model_is_made_from():
    openvino = Setup("openvino", "tsf_opt", "bf16", 4)
    assert list(plan.exact_setups(openvino, "tsf_sim", 1).values()) == [
        Setup("onnxruntime", "tsf_opt", "f32"),
        openvino,
    ]
    assert list(plan.exact_setups(DEFAULTS["openvino"], "tsf_sim", 1).values()) == [
        Setup("onnxruntime", "tsf", "f32"),
        Setup("onnxruntime", "tsf_sim", "f32"),
        DEFAULTS["openvino"],
    ]
    # onnxruntime on tsf_sim is its own model's proof
    assert len(plan.exact_setups(DEFAULTS["onnxruntime"], "tsf_sim", 1)) == 2


def test_what_tsf_om_is_compiled_from_is_proven_at_its_batch_size():
    *models, itself = plan.exact_setups(DEFAULTS["ascend"], "tsf_opt", 4).values()
    assert [setup.file for setup in models] == [
        "tsf_bs4.onnx", "tsf_bs4_sim.onnx", "tsf_bs4_opt.onnx",
    ]  # fmt: skip
    assert {setup.engine for setup in models} == {"onnxruntime"}
    assert itself == DEFAULTS["ascend"]  # tsf.om on the NPU


def test_every_engine_is_measured_at_its_own_batch_size_and_the_others():
    engines = [DEFAULTS["onnxruntime"], Setup("openvino", "tsf_opt", "f32", 3)]
    assert list(plan.at_batch_sizes(engines, [1, 2])) == [
        "onnxruntime", "onnxruntime_bs2",
        "openvino_tsf_opt", "openvino_tsf_opt_bs2", "openvino_tsf_opt_bs3",
    ]  # fmt: skip


def test_multiply_adds_are_counted_in_a_float32_graph_of_fixed_shapes():
    assert plan.macs_model(Setup("openvino", "tsf_opt", "int8", 4)) == "tsf_bs4_opt.onnx"
    assert plan.macs_model(DEFAULTS["torch"]) == "tsf_sim.onnx"


def test_the_bytes_are_the_first_boundary():
    logits = "results/parity/tsf.json"
    assert plan.boundaries(["tsf"], True) == ["results/parity/bytes.json", logits]
    assert plan.boundaries(["tsf"], False) == [logits]


def test_error_lines_are_those_of_this_run(tmp_path):
    (tmp_path / "infer").mkdir()
    now, before = tmp_path / "infer/000.log", tmp_path / "old.log"
    now.write_bytes(b"note\nerror: one\n\xff\nerror: two\n")
    before.write_text("error: of yesterday\n")
    os.utime(before, (1000, 1000))
    os.utime(now, (3000, 3000))
    assert plan.error_lines(tmp_path, 2000) == [f"error: one  [{now}]", f"error: two  [{now}]"]


def test_what_sbatch_refuses_is_one_line(tmp_path):
    """The text is of a run of the plugin 2.8.0 on Slurm 22.05, whose nodes had 4 CPUs."""
    refused = (
        "    message: SLURM sbatch failed. The error message was 'sbatch: error: CPU count per "
        "node can not be satisfied\nsbatch: error: Batch job submission failed: Requested node "
        "configuration is not available'.\n    sbatch call:\n        sbatch --parsable\n"
    )
    (tmp_path / "now.log").write_text(f"Error in rule rawframes:\n{refused}more\n{refused}")
    assert plan.refused_submissions(tmp_path, 0) == [
        "error: sbatch: error: CPU count per node can not be satisfied sbatch: error: Batch job "
        "submission failed: Requested node configuration is not available"
    ]
    assert plan.refused_submissions(tmp_path, 1e12) == []


def test_the_variants_of_the_compiled_model():
    found = plan.variants(["tsf", "tsf_npu_u8"], ["force_fp16", "origin"], [1, 4])
    assert len(found) == 8
    assert found["tsf_bs4_npu_u8_origin"] == plan.Variant(
        "results/tsf_bs4_npu_u8.onnx", "origin", 4
    )
    assert found["tsf_force_fp16"] == plan.Variant("results/tsf.onnx", "force_fp16", 1)


def test_a_folder_of_hugging_face_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("hf").mkdir()
    for there in ("hf", "https://x.org/a", "results/checkpoint/a.pth"):
        plan.refuse_absent_folder({"config": None, "checkpoint": there})
    plan.refuse_absent_folder({"config": "a.py", "checkpoint": "facebook/timesformer"})
    with pytest.raises(UserError, match=r"^model.checkpoint facebook/timesformer: no such"):
        plan.refuse_absent_folder({"config": None, "checkpoint": "facebook/timesformer"})
