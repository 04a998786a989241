"""Which engine: by speed, among those that the paired comparison does not find worse."""

import json
from dataclasses import asdict, replace

import pytest
import runs

from tsf.engines.described import DescribedEngine, write_described
from tsf.engines.setup import Setup
from tsf.errors import UserError
from tsf.evaluation.choose import choose, compare, config_lines, read_speeds
from tsf.files import sha256, write_json
from tsf.report.choice import paragraph

ORT = Setup("onnxruntime", "tsf_sim", "f32")
OPT = Setup("openvino", "tsf_opt", "f32")
BF16 = Setup("openvino", "tsf_opt", "bf16")
INT8 = Setup("openvino", "tsf_opt_u8", "int8")
NPU = Setup("ascend", "", "")
BOUNDARY = {"name": "x", "measure": "max_abs", "max_abs": 1e-6, "allowed": 1e-4}


def pair(first, second, first_only, second_only, p, labelled=1000):
    difference = 100 * (second_only - first_only) / labelled if labelled else None
    return {
        "first": first.name,
        "second": second.name,
        "labelled": labelled,
        "first_only_right": first_only,
        "second_only_right": second_only,
        "mcnemar_p": p,
        "difference": difference,
        "difference95": [difference - 1, difference + 2] if labelled else None,
    }


def chosen(speeds, pairs, cpus=None, inferred="a CPU"):
    """The content of choice.json. speeds: videos a second by setup, in the config's order.

    cpus: of the machines that measured, by setup.
    """
    engines = {setup.name: {"device": inferred} for setup in speeds}
    return choose(
        {setup.name: DescribedEngine(setup, None, {}, None, "uint8") for setup in speeds},
        {
            s.name: {"videos_per_second": v, "device": "a CPU", "cpu": (cpus or {}).get(s, "a CPU")}
            for s, v in speeds.items()
        },
        {setup.name: {"boundaries": [{}, BOUNDARY]} for setup in speeds},
        {"scored": 1000, "paired": pairs, "engines": engines},
    )


def test_the_fastest_exact_one_and_a_faster_approximation_that_is_not_worse():
    pairs = [pair(ORT, OPT, 0, 0, 1), pair(ORT, BF16, 9, 2, 0.001), pair(OPT, BF16, 4, 2, 0.69)]
    found = chosen({ORT: 1, OPT: 2, BF16: 5}, pairs)
    assert (found["exact"], found["fastest"]) == ("openvino_tsf_opt", "openvino_tsf_opt_bf16")
    first = found["engines"][0]
    # against the fastest exact one, not against the first of the config
    assert first["comparison"]["against"] == "openvino_tsf_opt" and first["within_limits"]
    assert first["comparison"]["difference"] == pytest.approx(-0.2)
    text = paragraph(found)
    assert "the fastest exact engine is openvino_tsf_opt, 2.00 videos/s" in text
    assert "`engines: [{engine: openvino, model: tsf_opt, precision: bf16}]`" in text
    assert "On 1000 videos the top-1 of openvino_tsf_opt_bf16 differs from that of" in text
    assert "a loss of up to 1.20 points" in text


def test_one_that_is_significantly_worse_is_out_however_fast():
    found = chosen({OPT: 2, BF16: 5}, [pair(OPT, BF16, 30, 10, 0.002)])
    assert found["exact"] == found["fastest"] == "openvino_tsf_opt"
    text = paragraph(found)
    assert "which is also the fastest within the limits" in text
    assert "openvino_tsf_opt_bf16 is faster, but not within these limits. On 1000 videos" in text


def test_one_that_is_significantly_better_is_not_out():
    found = chosen({OPT: 2, BF16: 5}, [pair(OPT, BF16, 10, 30, 0.002)])
    assert found["fastest"] == "openvino_tsf_opt_bf16"


@pytest.mark.parametrize("p, within", [(0.0499, False), (0.05, True)])
def test_five_percent(p, within):
    assert compare(OPT.name, BF16.name, [pair(OPT, BF16, 30, 10, p)])["within"] is within


def test_speeds_of_different_machines_are_not_compared_in_silence():
    pairs = [pair(OPT, BF16, 0, 0, 1)]
    one = chosen({OPT: 2, BF16: 5}, pairs)
    assert one["cpus"] == ["a CPU"] and "different machines" not in paragraph(one)
    two = chosen({OPT: 2, BF16: 5}, pairs, {BF16: "another CPU"})
    assert paragraph(two).startswith(
        "The engines were measured on different machines (a CPU, another CPU)"
    )


@pytest.mark.parametrize(
    ("inferred", "elsewhere"),
    [
        ("a CPU", False),
        ("a CPU, force_fp16", False),  # as ascend's
        ("a CPU-2", True),
        ("a CPU and another", True),  # of the shards, by merge_shards
        ("a CPU, force_fp16 and another, force_fp16", True),
    ],
)
def test_an_inference_on_another_device_than_was_measured_is_told(inferred, elsewhere):
    found = chosen({ORT: 1}, [], inferred=inferred)
    said = f"The speed of onnxruntime is that of a CPU, but the videos were inferred on {inferred}."
    assert (said in paragraph(found)) is elsewhere


def test_a_pair_is_read_in_either_order():
    one = compare(OPT.name, BF16.name, [pair(OPT, BF16, 30, 10, 0.002)])
    other = compare(OPT.name, BF16.name, [pair(BF16, OPT, 10, 30, 0.002)])
    same = ("exact_only_right", "other_only_right", "difference", "within")
    assert [one[key] for key in same] == [other[key] for key in same]
    assert one["difference95"] == [-3, 0] and other["difference95"] == [-4, -1]


def test_without_labels_no_approximation_is_within():
    found = chosen({OPT: 2, BF16: 5}, [pair(OPT, BF16, 0, 0, 1, labelled=0)])
    assert found["fastest"] == "openvino_tsf_opt"
    assert "No video has a label" in paragraph(found)


def test_without_an_exact_engine_nothing_is_chosen():
    found = chosen({BF16: 5, NPU: 9}, [pair(BF16, NPU, 0, 0, 1)])
    assert found["exact"] is found["fastest"] is None
    assert "could not be compared with an exact one" in paragraph(found)


def test_an_npu_is_an_approximation_as_its_logits_are_not_proven():
    found = chosen({ORT: 1, NPU: 9}, [pair(ORT, NPU, 1, 1, 1)])
    assert (found["exact"], found["fastest"]) == ("onnxruntime", "ascend")


@pytest.mark.parametrize(
    "setup, lines",
    [
        (ORT, ["engines: [onnxruntime]"]),
        (OPT, ["engines: [{engine: openvino, model: tsf_opt}]"]),
        (
            INT8,
            [
                "engines: [{engine: openvino, model: tsf_opt_u8, precision: int8}]",
                "bin: uint8",
            ],
        ),
        (
            Setup("onnxruntime", "tsf_npu_u8", "f32"),
            ["engines: [{engine: onnxruntime, model: tsf_npu_u8}]", "bin: uint8"],
        ),
        (
            Setup("onnxruntime", "tsf_sim", "f32", 4, "cuda"),
            ["engines: [{engine: onnxruntime, batch: 4, device: cuda}]"],
        ),
    ],
)
def test_the_lines_of_the_config(setup, lines):
    assert config_lines(DescribedEngine(setup, None, {}, None, "uint8")) == lines


@pytest.mark.parametrize("dtype, more", [("float32", []), ("uint8", ["bin: uint8"])])
def test_an_npu_has_a_model_of_the_type_of_the_bin_files(dtype, more):
    described = DescribedEngine(NPU, None, {}, None, dtype)
    assert config_lines(described) == ["engines: [ascend]", *more]


def test_accuracy_of_other_engines_is_refused(tmp_path, recipe):
    (tmp_path / "m.onnx").write_bytes(b"")
    described = DescribedEngine(ORT, tmp_path / "m.onnx", {}, recipe, "float32")
    write_described(tmp_path / "onnxruntime.json", described)
    write_json(tmp_path / "accuracy.json", {"engines": {"torch": {}}})
    write_json(tmp_path / "x.json", {})
    arguments = ["--accuracy", tmp_path / "accuracy.json", "--speeds", tmp_path / "x.json"]
    arguments += ["--engines", tmp_path / "onnxruntime.json", "--proofs", tmp_path / "x.json"]
    result = runs.module("evaluation.choose", *arguments, "--output", tmp_path / "choice.json")
    assert result.returncode == 1 and "is of other engines than onnxruntime" in result.stderr
    assert not (tmp_path / "choice.json").exists()


def test_the_files_that_it_is_made_from_are_told(tmp_path, recipe):
    (tmp_path / "m.onnx").write_bytes(b"")
    described = DescribedEngine(ORT, tmp_path / "m.onnx", {}, recipe, "float32")
    write_described(tmp_path / "onnxruntime.json", described)
    accuracy = {"engines": {"onnxruntime": {"device": "a CPU"}}, "scored": 1, "paired": []}
    speed = {"videos_per_second": 1.0, "device": "a CPU", "cpu": "a CPU", "sha256": {}}
    speed |= {"engine": "onnxruntime", "setup": asdict(ORT)}
    files = {
        "accuracy": ("accuracy", accuracy),
        "engines": ("onnxruntime", None),
        "speeds": ("speed", speed),
        "proofs": ("proven/onnxruntime", {"boundaries": [BOUNDARY]}),
    }
    arguments = []
    for option, (name, content) in files.items():
        path = tmp_path / f"{name}.json"
        if content:
            write_json(path, content)
        arguments += [f"--{option}", path]
    arguments += ["--output", tmp_path / "choice.json"]
    result = runs.module("evaluation.choose", *arguments)
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "choice.json").read_text())["made_from"]
    paths = [tmp_path / f"{name}.json" for name, _ in files.values()]
    assert found == {str(path): sha256(path) for path in paths}

    write_json(tmp_path / "speed.json", speed | {"sha256": {"m.onnx": "another"}})
    result = runs.module("evaluation.choose", *arguments)
    assert result.returncode == 1 and "measured with another model than onnx" in result.stderr


def speed_files(folder, *setups):
    """A measurement of each, all of one model file, and their engines by name."""
    paths = []
    for setup in setups:
        content = {"engine": setup.engine, "sha256": {"tsf_sim.onnx": "1"}}
        content |= {} if setup.engine == "ascend" else {"setup": asdict(setup)}
        paths.append(folder / f"{setup.name}.json")
        write_json(paths[-1], content)
    sha256 = {"tsf_sim.onnx": "1"}
    engines = {s.name: DescribedEngine(s, None, sha256, None, "float32") for s in setups}
    return engines, paths


@pytest.mark.parametrize(
    "other",
    [replace(ORT, engine="openvino"), replace(ORT, batch=4), replace(ORT, device="cuda"), NPU],
)
def test_speeds_in_another_order_than_their_engines_are_refused(tmp_path, other):
    engines, paths = speed_files(tmp_path, ORT, other)
    found = read_speeds(engines, paths)
    assert [found[name]["engine"] for name in engines] == [ORT.engine, other.engine]
    with pytest.raises(UserError, match=r"another engine than onnxruntime.*in this order$") as why:
        read_speeds(engines, paths[::-1])
    assert str(why.value).startswith(f"{paths[1]}: ")
