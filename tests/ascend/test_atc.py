"""Compiling with the stand-in of atc: what it is asked, and each way in which it fails."""

import json
import os
from dataclasses import replace

import machine
import pytest
from recipes import GUIDE as RECIPE
from runs import ROOT

from tsf.ascend import ais_bench, atc
from tsf.ascend.summary_file import Summary
from tsf.errors import UserError
from tsf.recipe.record import to_json

OLD_HELP = "--framework --op_select_implmode --optypelist_for_implmode --precision_mode"
NEW_HELP = "--framework --op_precision_mode --precision_mode_v2"
PLAIN = [
    "--framework=5",
    "--input_format=ND",
    "--input_shape=imgs:1,3,3,8,224,224",
    "--log=error",
    "--soc_version=Ascend310P3",
]
GUIDE = [
    *PLAIN,
    "--precision_mode=force_fp16",
    "--op_select_implmode=high_performance",
    "--optypelist_for_implmode=Gelu",
]


def options(tmp_path, help_text, precision, batch=1, **more):
    choice = atc.Choice(precision, **more)
    shape = (batch, 3, 3, 8, 224, 224)
    return atc.options(help_text, choice, tmp_path, "Ascend310P3", shape)


# a help that tells nothing: as with the guide's release
@pytest.mark.parametrize("help_text", [OLD_HELP, "", OLD_HELP + " " + NEW_HELP])
def test_the_guides_options(tmp_path, help_text):
    assert options(tmp_path, help_text, "force_fp16", fast_gelu=True) == GUIDE


@pytest.mark.parametrize("precision", atc.PRECISIONS)
def test_each_precision_is_said_in_the_tools_word_with_and_without_the_gelu(tmp_path, precision):
    found = options(tmp_path, OLD_HELP, precision)
    assert found == [*PLAIN, f"--precision_mode={precision}"]
    assert options(tmp_path, OLD_HELP, precision, fast_gelu=True) == [*found, *GUIDE[-2:]]


@pytest.mark.parametrize(
    ("precision", "word"),
    [  # the values of the two options that their manuals describe in the same words
        ("force_fp16", "fp16"),
        ("allow_mix_precision", "mixed_float16"),
        ("must_keep_origin_dtype", "origin"),
    ],
)
def test_the_newer_names(tmp_path, precision, word):
    found = options(tmp_path, NEW_HELP, precision, fast_gelu=True)
    assert found[5:] == [
        f"--precision_mode_v2={word}",
        "--op_precision_mode=op_precision.ini",
    ]
    text = (tmp_path / "op_precision.ini").read_text()
    assert text == "[ByOpType]\nGelu=high_performance\n"


def test_a_precision_without_a_newer_name(tmp_path):
    with pytest.raises(UserError, match="no word for allow_fp32_to_fp16"):
        options(tmp_path, NEW_HELP, "allow_fp32_to_fp16")


def test_the_lists_of_operators(tmp_path):
    mixlist = tmp_path / "mine.json"
    mixlist.write_text("{}")
    found = options(tmp_path, OLD_HELP, "allow_mix_precision", modify_mixlist=mixlist)
    assert found[5:] == ["--precision_mode=allow_mix_precision", "--modify_mixlist=mixlist.json"]
    assert (tmp_path / "mixlist.json").read_text() == "{}"


def test_further_options_come_last(tmp_path):
    more = ("--buffer_optimize=l2_optimize", "--op_bank_path=/opt/bank")
    assert options(tmp_path, OLD_HELP, "force_fp16", atc_options=more)[-2:] == list(more)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"modify_mixlist": "x.json"}, "is of precision allow_mix_precision, not of force_fp16"),
        ({"atc_options": ["-x=1"]}, "'-x=1' is not of the form --name=value"),
        ({"atc_options": ["--a", "1"]}, "'--a' is not of the form --name=value"),
        ({"atc_options": ["--precision_mode=force_fp16"]}, "given by ascend.precision"),
        ({"atc_options": ["--precision_mode_v2=fp16"]}, "given by ascend.precision"),
        ({"atc_options": ["--precision=fp16"]}, "given by ascend.precision"),  # an abbreviation
        ({"atc_options": ["--input_shape=imgs:1"]}, "given by the recipe and ascend.batch"),
        ({"atc_options": ["--dynamic_batch_size=1,2"]}, "given by the recipe and ascend.batch"),
        ({"atc_options": ["--soc_version=Ascend310"]}, "given by ascend.soc_version"),
        ({"atc_options": ["--op_precision_mode=/x"], "fast_gelu": True}, "given by ascend.fast_g"),
        ({"atc_options": ["--log=debug"]}, "given by the workflow; leave it out"),
        ({"atc_options": ["--sparsity=1", "--sparsity=0"]}, "--sparsity is there twice"),
        ({"atc_options": ["--debug_dir=a/b"]}, "a path must be absolute, as in --debug_dir=/"),
        (
            {"atc_options": ["--keep_dtype=/x"], "precision": "must_keep_origin_dtype"},
            "--keep_dtype has no effect",
        ),
    ],
)
def test_what_atc_would_refuse_or_not_heed_is_refused(keys, expected):
    default = {"precision": "force_fp16", "fast_gelu": False, "modify_mixlist": None}
    with pytest.raises(UserError) as fault:
        atc.refuse_contradictions(atc.choice(default | {"atc_options": []} | keys))
    assert expected in str(fault.value) and "\n" not in str(fault.value)


def test_an_option_of_the_gelu_is_the_users_without_the_fast_one(tmp_path):
    more = ("--op_select_implmode=high_precision",)
    assert options(tmp_path, OLD_HELP, "force_fp16", atc_options=more)[-1:] == list(more)


def test_a_file_in_the_working_directory_is_no_path_for_atc(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fusion.cfg").touch()
    choice = atc.Choice("force_fp16", atc_options=("--fusion_switch_file=fusion.cfg",))
    with pytest.raises(UserError, match=f"as in --fusion_switch_file={tmp_path}/fusion.cfg"):
        atc.refuse_contradictions(choice)


def test_the_files_that_options_name(tmp_path):
    """Their content is a part of the model, as the names of folders are."""
    (tmp_path / "keep.cfg").touch()
    given = [f"--keep_dtype={tmp_path}/keep.cfg", f"--op_bank_path={tmp_path}", "--sparsity=1"]
    assert atc.option_files([*given, "--fusion_switch_file=/no/such"]) == [f"{tmp_path}/keep.cfg"]


def test_the_batch_is_in_the_shape(tmp_path):
    found = options(tmp_path, OLD_HELP, "force_fp16", batch=4)
    assert found[2] == "--input_shape=imgs:4,3,3,8,224,224"


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
    result = compile_it("--fast-gelu", "--atc-options", '["--sparsity=0"]')
    assert result.returncode == 0, result.stdout
    # neither fusion_result.json nor kernel_meta/, which atc drops
    assert leftovers(folder) == {"tsf.om", "tsf.om.json"}
    assert (folder / "tsf.om").read_bytes().endswith((folder / "tsf_sim.onnx").read_bytes())
    assert (folder / "tsf.om").stat().st_mode & 0o022 == 0
    status = json.loads((folder / "tsf.om.json").read_text())
    assert status["soc_version"] == "Ascend310P3" and status["precision"] == "force_fp16"
    assert status["fast_gelu"] is True and status["atc_options"] == ["--sparsity=0"]
    assert status["command"][-2:] == ["--optypelist_for_implmode=Gelu", "--sparsity=0"]


def test_a_newer_release_names_the_file_otherwise(compile_tiny):
    compile_it, folder = compile_tiny
    result = compile_it("--precision", "must_keep_origin_dtype", "--fast-gelu", CANN="new")
    assert result.returncode == 0, result.stdout
    assert leftovers(folder) == {"tsf.om", "tsf.om.json"}
    command = json.loads((folder / "tsf.om.json").read_text())["command"]
    assert "--precision_mode_v2=origin" in command


@pytest.mark.parametrize("release", ["old", "both", "new"])
@pytest.mark.parametrize("gelu", [[], ["--fast-gelu"]])
@pytest.mark.parametrize("precision", atc.PRECISIONS)
def test_the_stand_in_takes_each_choice(compile_tiny, precision, gelu, release):
    """It refuses unknown options, values and options that exclude each other, as atc does."""
    compile_it, _ = compile_tiny
    more = ["--precision", precision, *gelu]
    if precision == "allow_mix_precision":
        more += ["--modify-mixlist", ROOT / "config/mixlist.json"]
    result = compile_it(*more, CANN=release)
    if (precision, release) == ("allow_fp32_to_fp16", "new"):
        assert "no word for allow_fp32_to_fp16" in machine.error(result)
    else:
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--no_such_option=1", "Value [1] for parameter [--no_such_option] is invalid"),
        ("--sparsity=2", "Value [2] for parameter [--sparsity] is invalid"),
        ("--fusion_switch_file=/no/such.cfg", "no such file"),
    ],
)
def test_a_further_option_that_atc_refuses(compile_tiny, option, expected):
    compile_it, folder = compile_tiny
    line = machine.error(compile_it("--atc-options", json.dumps([option])))
    assert "E10001" in line and expected in line and "ascend.atc_options" in line
    assert leftovers(folder) == set()


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        ("E10001", "ascend.precision"),
        ("E10002", "delete the ONNX model"),
        ("E10016", "delete the ONNX model"),
        ("E10056", "ascend.atc_options"),
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


@pytest.mark.parametrize("name", ["视频", "a+b=c d"])
def test_a_working_directory_of_any_name(tmp_path, npu, name):
    """atc looks at the real path, whatever it is given; Chinese characters are all right."""
    folder = tmp_path / name
    (folder / "results").mkdir(parents=True)
    machine.tiny_model(folder / "results/tsf_sim.onnx", 1)
    arguments = ["--onnx", "results/tsf_sim.onnx", "--soc-version", "Ascend310P3"]
    arguments += ["--output", "results/tsf.om", "--status", "results/tsf.om.json"]
    arguments += machine.RECIPE
    result = machine.run("ascend.atc", *arguments, folder=folder, env=npu())
    if name == "视频":
        assert result.returncode == 0, result.stdout
    else:
        assert "E10001: Value" in machine.error(result)


def test_what_hangs_is_ended_with_all_its_processes(compile_tiny, tmp_path):
    compile_it, folder = compile_tiny
    pids = tmp_path / "pids"
    line = machine.error(compile_it("--time-limit", "3", ATC="hangs", PIDS=str(pids)))
    assert "atc did not end within 3 s" in line and "raise ascend.time_limit.atc" in line
    assert leftovers(folder) == set()
    for number in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(number), 0)


def test_what_no_atc_has_compiled_is_named(compile_tiny):
    """The summary of a real ais_bench would not say so."""
    compile_it, folder = compile_tiny
    assert compile_it().returncode == 0
    status = json.loads((folder / "tsf.om.json").read_text())
    assert status["stand_in"] == "a stand-in's .om file, not compiled"
    assert ais_bench.device_name(Summary(), status).startswith("stand-in for Ascend310P3: ")
    (folder / "tsf.om").write_bytes(b"IMOD\x00\x01" + bytes(500))
    assert atc.stand_in(folder / "tsf.om") is None
