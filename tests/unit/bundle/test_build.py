"""What is in a bundle, that two are the same to the byte, and of what there is none."""

import shutil
import subprocess
from dataclasses import replace

import bundles
import machine
import pytest
import runs
from recipes import GUIDE

from tsf.bundle import build, pins
from tsf.bundle.fit import bundled, refuse_recipe
from tsf.engines.described import describe
from tsf.engines.setup import DEFAULTS, Setup
from tsf.errors import UserError
from tsf.files import write_json
from tsf.recipe.record import Sampling

PLAIN = {
    "README.md", "README.zh-CN.md", "SHA256SUMS", "labels.txt", "parity.json", "predict.py",
    "recipe.json", "requirements.txt",
}  # fmt: skip
INT8 = Setup("openvino", "tsf_opt", "int8")
BF16 = Setup("openvino", "tsf_opt", "bf16")


def contents(bundle):
    return {path.name: path.read_bytes() for path in bundle.iterdir()}


def test_two_builds_are_the_same_and_sha256sum_agrees(tmp_path):
    machine.tiny_model(tmp_path / "tsf_sim.onnx", 1)
    first = contents(bundles.build(tmp_path, DEFAULTS["onnxruntime"], tmp_path / "tsf_sim.onnx"))
    bundle = bundles.build(tmp_path, DEFAULTS["onnxruntime"], tmp_path / "tsf_sim.onnx")
    assert contents(bundle) == first and first.keys() == PLAIN | {"tsf_sim.onnx"}
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    checked = subprocess.run(command, cwd=bundle, capture_output=True, text=True)
    assert checked.returncode == 0
    assert checked.stdout.count(": OK") == len(first) - 1
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in bundle.iterdir())


@pytest.mark.parametrize(
    "setup, files, hint, package",
    [
        (INT8, ["tsf_opt_int8.xml", "tsf_opt_int8.bin"], '"f32"', "openvino"),
        (BF16, ["tsf_opt.onnx"], '"bf16"', "openvino"),
    ],
)
def test_openvinos_has_its_own_loader_alone(tmp_path, setup, files, hint, package):
    for file in files:
        (tmp_path / file).write_bytes(file.encode())
    bundle = bundles.build(tmp_path, setup, tmp_path / files[0])
    assert {path.name for path in bundle.iterdir()} == PLAIN | set(files)
    text = (bundle / "predict.py").read_text()
    compile(text, "predict.py", "exec")
    assert f"hint = {hint}\n" in text and f'FILES = ["{files[0]}", ' in text
    assert "model = load_openvino(" in text
    assert "onnxruntime" not in text and "ais_bench" not in text
    required = (bundle / "requirements.txt").read_text().splitlines()
    assert {line.split("==")[0] for line in required} == {
        "numpy", "opencv-python-headless", "openvino", "openvino-telemetry",
    }  # fmt: skip


def test_the_card_has_the_figures(tmp_path):
    machine.tiny_model(tmp_path / "tsf_sim.onnx", 1)
    bundle = bundles.build(
        tmp_path, DEFAULTS["onnxruntime"], tmp_path / "tsf_sim.onnx", sha256="ab"
    )
    for name in ("README.md", "README.zh-CN.md"):
        text = (bundle / name).read_text()
        for figure in ("75.00", "70.00 - 80.00", "42", "made-up videos", "2e-06", "0.0001", "ab"):
            assert figure in text, (name, figure)
        assert "`imgs`, float32, 1x3x3x8x224x224" in text and "3x8" in text
        assert "Apache-2.0" in text and "{" not in text


def test_names_on_the_card_are_no_html(tmp_path):
    machine.tiny_model(tmp_path / "tsf_sim.onnx", 1)
    names = dict.fromkeys(["dataset", "model", "checkpoint"], "<script>a & b</script>")
    bundle = bundles.build(tmp_path, DEFAULTS["onnxruntime"], tmp_path / "tsf_sim.onnx", **names)
    for name in ("README.md", "README.zh-CN.md"):
        text = (bundle / name).read_text()
        assert "<script>" not in text
        assert text.count("&lt;script>a &amp; b&lt;/script>") == 3


@pytest.mark.parametrize("name", ["accuracy.json", "recipe.json", "proofs/onnxruntime.json"])
def test_a_figure_that_was_edited_is_refused(tmp_path, name):
    machine.tiny_model(tmp_path / "tsf_sim.onnx", 1)
    arguments = (tmp_path, DEFAULTS["onnxruntime"], tmp_path / "tsf_sim.onnx")
    assert bundles.run_build(*arguments).returncode == 0
    shutil.rmtree(tmp_path / "bundle")
    path = tmp_path / name
    text = path.read_text()
    edited = text.replace("75.0", "77.0").replace("2e-06", "1e-06").replace("127.5", "128.5")
    assert edited != text
    result = bundles.run_build(*arguments, edited={path: edited})
    refused(result, tmp_path, f"{name}: not as it was written", "delete it and run again")


@pytest.mark.parametrize(
    "setup, files, replaced",
    [
        (DEFAULTS["onnxruntime"], ["tsf_sim.onnx"], "tsf_sim.onnx"),
        (INT8, ["tsf_opt_int8.xml", "tsf_opt_int8.bin"], "tsf_opt_int8.bin"),
    ],
)
def test_a_model_replaced_after_the_inference_is_refused(tmp_path, setup, files, replaced):
    for file in files:
        (tmp_path / file).write_bytes(b"the model that ran")
    described = describe(setup, tmp_path / files[0], GUIDE, "float32")
    (tmp_path / replaced).write_bytes(b"another model")
    result = bundles.run_build(tmp_path, setup, tmp_path / files[0], described=described)
    refused(
        result, tmp_path, f"{files[0]}: not the model that was proven", "delete it and run again"
    )


def refused(result, folder, what, remedy="delete it and run snakemake bundle"):
    """One line that says what, and what to do; no bundle, nor a part of one."""
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {folder}/{what}")
    assert f"; {remedy}" in line
    assert not list(folder.glob("*bundle*"))


COMPARISON = {
    "against": "onnxruntime", "labelled": 40, "mcnemar_p": 0.25, "difference": 1.0,
    "difference95": [-4.666, 6.5],
}  # fmt: skip


@pytest.mark.parametrize(
    "comparison, english, chinese",
    [
        (COMPARISON, "a loss of up to 4.67 points is not ruled out", "不能排除最多 4.67 个百分点"),
        (COMPARISON | {"labelled": 0}, "No video has a label", "没有视频带标签"),
        (None, "compared with no exact engine's", "未与任何精确引擎比较"),
    ],
)
def test_the_card_of_an_approximation_has_its_caution(tmp_path, comparison, english, chinese):
    (tmp_path / "tsf_opt.onnx").write_bytes(b"bf16")
    row = {"name": BF16.name, "within_limits": True, "comparison": comparison}
    choice = tmp_path / "choice.json"
    write_json(choice, {"engines": [row], "cpus": ["a CPU"]})
    bundle = bundles.build(tmp_path, BF16, tmp_path / "tsf_opt.onnx", choice=choice)
    text, zh = ((bundle / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    assert english in text and "needs a CPU with bfloat16" in text and "{" not in text
    assert chinese in zh and "需要支持 bfloat16 的 CPU" in zh and "{" not in zh
    if comparison is COMPARISON:
        for figure in ("-4.67", "+6.50", "+1.00", "0.25", "40", "onnxruntime"):
            assert figure in text and figure in zh


def test_an_engine_that_was_not_chosen_by_its_speed_has_a_caution_too(tmp_path):
    for name in ("tsf_opt_int8.xml", "tsf_opt_int8.bin"):
        (tmp_path / name).write_bytes(b"int8")
    text = (bundles.build(tmp_path, INT8, tmp_path / "tsf_opt_int8.xml") / "README.md").read_text()
    assert "compared with no exact engine's" in text and "bfloat16" not in text


def test_an_exact_engine_has_no_caution(tmp_path):
    machine.tiny_model(tmp_path / "tsf_sim.onnx", 1)
    bundle = bundles.build(tmp_path, DEFAULTS["onnxruntime"], tmp_path / "tsf_sim.onnx")
    assert "approximation" not in (bundle / "README.md").read_text()
    assert "近似" not in (bundle / "README.zh-CN.md").read_text()


def test_classes_without_names_are_numbers():
    assert build.labels("", 3) == "0\n1\n2\n"
    assert build.labels("a\nb\n", 2) == "a\nb\n"


def test_the_pins_are_the_locks_with_all_that_they_need():
    lock = (runs.ROOT / "envs/cpu.lock").read_text()
    found = dict(line.split("==") for line in pins.closure(lock, ["onnxruntime", *pins.OWN]))
    # what the metadata of the two wheels asks for, and what that needs
    assert found.keys() == {
        "flatbuffers", "numpy", "onnxruntime", "opencv-python-headless", "packaging", "protobuf",
    }  # fmt: skip
    chosen = (runs.ROOT / "envs/cpu.in").read_text()
    for name in ("onnxruntime", *pins.OWN):
        assert f"\n{name}=={found[name]}" in chosen
    with pytest.raises(UserError, match="the locks have no nonesuch"):
        pins.closure(lock, ["nonesuch"])


def test_the_fastest_within_the_limits_is_chosen():
    rows = [("torch", True), ("openvino_tsf_opt_bf16", False), ("openvino", True), ("x", True)]
    choice = {"engines": [{"name": name, "within_limits": within} for name, within in rows]}
    choice["cpus"] = ["a CPU"]
    names = dict.fromkeys(["x", "openvino", "openvino_tsf_opt_bf16"])
    assert build.chosen(names, choice) == "openvino"
    with pytest.raises(UserError, match="none of openvino_tsf_opt_bf16 is within the limits"):
        build.chosen({"openvino_tsf_opt_bf16": None}, choice)
    with pytest.raises(UserError, match="measured on different machines"):
        build.chosen(names, choice | {"cpus": ["a CPU", "another"]})


SETUPS = {
    setup.name: setup
    for setup in (
        DEFAULTS["onnxruntime"],
        DEFAULTS["torch"],
        replace(DEFAULTS["onnxruntime"], device="cuda"),
        replace(DEFAULTS["openvino"], model="tsf_opt", batch=4),
        DEFAULTS["ascend"],
    )
}


def test_what_cannot_be_bundled_is_left_out():
    assert bundled(None, SETUPS, 1) == ["onnxruntime", "ascend"]
    assert bundled(None, SETUPS, 4) == ["onnxruntime"]
    assert bundled("ascend", SETUPS, 1) == ["ascend"]


@pytest.mark.parametrize(
    "named, reason",
    [
        ("torch", "needs PyTorch"),
        ("onnxruntime_cuda", "device cuda needs a package"),
        ("openvino_tsf_opt_bs4", "takes 4 videos at a time"),
        ("ascend", "takes 2 videos at a time"),
        ("openvino", "bundle.engine is 'openvino', but engines has onnxruntime, torch"),
    ],
)
def test_a_named_engine_that_cannot_is_refused(named, reason):
    with pytest.raises(UserError, match=reason):
        bundled(named, SETUPS, 2)


@pytest.mark.parametrize(
    "change, what",
    [
        ({"preprocessing": "huggingface"}, "preprocessing huggingface"),
        ({"preprocessing": "facebook"}, "preprocessing facebook"),
        ({"sampling": Sampling("facebook-ssv2", 8, 0, 1)}, "sampler facebook-ssv2"),
        ({"sampling": Sampling("facebook-kinetics", 8, 32, 1)}, "sampler facebook-kinetics"),
    ],
)
def test_recipes_that_predict_does_not_have_are_refused(change, what):
    with pytest.raises(UserError, match=f"no bundle of {what}"):
        refuse_recipe(replace(GUIDE, source="video", **change))
