"""Compiling with the stand-in of atc: what it is asked, and each way in which it fails."""

import json
from dataclasses import replace

import machine
import pytest
from recipes import GUIDE as RECIPE

from tsf.ascend import atc
from tsf.recipe.record import to_json

OLD_HELP = "--framework --op_select_implmode --optypelist_for_implmode --precision_mode"
NEW_HELP = "--framework --op_precision_mode --precision_mode_v2"
GUIDE = [
    "--framework=5",
    "--input_format=ND",
    "--input_shape=imgs:1,3,3,8,224,224",
    "--log=error",
    "--soc_version=Ascend310P3",
    "--op_select_implmode=high_performance",
    "--optypelist_for_implmode=Gelu",
]


def options(tmp_path, help_text, precision, batch=1):
    keep = tmp_path / "keep"
    keep.write_text("OpType::LayerNorm\n")
    return atc.options(
        help_text, precision, keep, tmp_path, "Ascend310P3", (batch, 3, 3, 8, 224, 224)
    )


# a help that tells nothing: as with the guide's release
@pytest.mark.parametrize("help_text", [OLD_HELP, "", OLD_HELP + " " + NEW_HELP])
def test_the_guides_options(tmp_path, help_text):
    assert options(tmp_path, help_text, "fast") == GUIDE


def test_exact_is_the_origin_type_and_no_approximate_gelu(tmp_path):
    assert options(tmp_path, OLD_HELP, "exact") == [
        *GUIDE[:5],
        "--precision_mode=must_keep_origin_dtype",
    ]


def test_the_newest_release(tmp_path):
    assert options(tmp_path, NEW_HELP, "fast")[5:] == ["--op_precision_mode=op_precision.ini"]
    assert (tmp_path / "op_precision.ini").read_text() == "Gelu=high_performance\n"
    assert options(tmp_path, NEW_HELP, "exact")[5:] == ["--precision_mode_v2=origin"]


def test_mixed_keeps_the_listed_operators(tmp_path):
    assert options(tmp_path, OLD_HELP, "mixed")[5:] == ["--keep_dtype=keep_dtype.cfg"]
    assert (tmp_path / "keep_dtype.cfg").read_text() == "OpType::LayerNorm\n"


def test_the_batch_is_in_the_shape(tmp_path):
    assert options(tmp_path, OLD_HELP, "fast", batch=4)[2] == "--input_shape=imgs:4,3,3,8,224,224"


SUCCESS = "ATC start working now\nATC run success, welcome to the next use.\n"


@pytest.mark.parametrize(
    ("output", "status", "made", "expected"),
    [
        (SUCCESS, 0, True, None),
        (SUCCESS, 0, False, "left no .om file"),
        (SUCCESS, 255, True, "ended with status 255"),
        ("ATC start working now\n", 0, True, "did not say 'ATC run success'"),
        ("", 0, True, "did not say"),
        ("", -9, False, "was killed by signal 9"),
        ("ATC run failed\nE10016: Opname [x] is not found\n  Solution: y\n", 255, False, "E10016"),
        # the code counts whatever the status
        ("ATC run failed\nEZ3003: No supported Ops kernel\n", 0, False, "EZ3003: No supported"),
        ("[ERROR] EE1001: Soc version [X] is invalid\n", 255, False, "ascend.soc_version"),
        ("E99999: something new\n", 255, False, "E99999: something new; see the whole log"),
    ],
)
def test_success_is_text_and_status_and_file(output, status, made, expected):
    reason = atc.failure(output, status, made)
    assert reason is None if expected is None else expected in reason


@pytest.fixture
def compile_tiny(tmp_path, npu):
    """Runs the step on the tiny model; the result, and the folder of results."""
    folder = tmp_path / "results"
    folder.mkdir()
    machine.tiny_model(folder / "tsf_sim.onnx", 1)

    def compile_it(*more, soc_version="Ascend310P3", recipe=RECIPE, **demands):
        return machine.run(
            "ascend.atc",
            *("--onnx", "results/tsf_sim.onnx", "--soc-version", soc_version),
            *("--output", "results/tsf.om", "--status", "results/tsf.om.json"),
            *("--recipe", to_json(recipe), *more),
            folder=tmp_path,
            env=npu(**demands),
        )

    return compile_it, folder


def leftovers(folder):
    return {path.name for path in folder.iterdir()} - {"tsf_sim.onnx"}


def test_the_om_file_and_how_it_was_made(compile_tiny):
    compile_it, folder = compile_tiny
    result = compile_it()
    assert result.returncode == 0, result.stdout
    # neither fusion_result.json nor kernel_meta/, which atc drops
    assert leftovers(folder) == {"tsf.om", "tsf.om.json"}
    assert (folder / "tsf.om").read_bytes().endswith((folder / "tsf_sim.onnx").read_bytes())
    assert (folder / "tsf.om").stat().st_mode & 0o022 == 0
    status = json.loads((folder / "tsf.om.json").read_text())
    assert status["soc_version"] == "Ascend310P3" and status["precision"] == "fast"
    assert "--optypelist_for_implmode=Gelu" in status["command"]


def test_a_newer_release_names_the_file_otherwise(compile_tiny):
    compile_it, folder = compile_tiny
    result = compile_it("--precision", "exact", CANN="new")
    assert result.returncode == 0, result.stdout
    assert leftovers(folder) == {"tsf.om", "tsf.om.json"}
    assert (
        "--precision_mode_v2=origin" in json.loads((folder / "tsf.om.json").read_text())["command"]
    )


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        ("E10001", "ascend.precision"),
        ("E10002", "delete the ONNX model"),
        ("E10016", "delete the ONNX model"),
        ("E16002", "ascend.onnx: tsf"),
        ("E19010", "ascend.onnx: tsf"),
        ("E20001", "numpy < 2"),
        ("EE1001", "`npu-smi info`"),
        ("EZ3003", "no kernel"),
        ("no-block", "atc ended with status 255: ATC run failed"),
        ("status-0", "did not say"),
        ("no-file", "left no .om file"),
        ("empty-file", "left no .om file"),
        ("file-but-255", "atc ended with status 255"),
        ("killed", "atc ended with status 137"),
    ],
)
def test_a_failure_is_one_line_and_leaves_nothing(compile_tiny, demand, expected):
    compile_it, folder = compile_tiny
    result = compile_it(ATC=demand)
    line = machine.error(result)
    assert expected in line
    if demand.startswith("E"):
        assert demand in line and "TraceBack" in result.stdout  # the whole block is shown
    assert leftovers(folder) == set()


def test_a_rerun_after_a_failure_is_clean(compile_tiny):
    compile_it, folder = compile_tiny
    machine.error(compile_it(ATC="killed"))
    # as after kill -9, which leaves the work folder
    (folder / ".tsf.om.work").mkdir()
    (folder / ".tsf.om.work/tsf.om").write_text("half")
    assert compile_it().returncode == 0
    assert leftovers(folder) == {"tsf.om", "tsf.om.json"}
    assert b"half" not in (folder / "tsf.om").read_bytes()[:100]


def test_an_unknown_chip(compile_tiny):
    compile_it, _ = compile_tiny
    assert "EE1001" in machine.error(compile_it(soc_version="Ascend310P9"))


def test_the_shape_is_the_recipes(compile_tiny):
    compile_it, folder = compile_tiny
    sampling = replace(RECIPE.sampling, clip_len=16, frame_interval=16)
    recipe = replace(RECIPE, sampling=sampling, crops="centre", short_side=448, side=448)
    result = compile_it("--batch", 4, recipe=recipe)
    assert result.returncode == 0, result.stdout
    command = json.loads((folder / "tsf.om.json").read_text())["command"]
    assert "--input_shape=imgs:4,1,3,16,448,448" in command
    recipe = replace(recipe, crops="three", sampling=replace(sampling, num_clips=5))
    assert compile_it(recipe=recipe).returncode == 0
    command = json.loads((folder / "tsf.om.json").read_text())["command"]
    assert "--input_shape=imgs:1,15,3,16,448,448" in command


def test_a_model_without_the_input(compile_tiny):
    compile_it, folder = compile_tiny
    (folder / "tsf_sim.onnx").write_bytes(b"another model")
    assert "E10016" in machine.error(compile_it())


def test_a_working_directory_of_any_name(tmp_path, npu):
    """atc refuses + and = in a path; the step gives it relative ones."""
    folder = tmp_path / "a+b=c d"
    (folder / "results").mkdir(parents=True)
    machine.tiny_model(folder / "results/tsf_sim.onnx", 1)
    arguments = ["--onnx", "results/tsf_sim.onnx", "--soc-version", "Ascend310P3"]
    arguments += ["--output", "results/tsf.om", "--status", "results/tsf.om.json"]
    arguments += machine.RECIPE
    result = machine.run("ascend.atc", *arguments, folder=folder, env=npu())
    assert result.returncode == 0, result.stdout
