"""An engine's file says what runs, on what, and changes with its model."""

import json
from dataclasses import replace

import pytest
from recipes import GUIDE

from tsf.engines.described import (
    describe,
    main,
    read_described,
    refuse_other_model,
    write_described,
)
from tsf.engines.setup import DEFAULTS, Setup
from tsf.errors import UserError
from tsf.files import read_json, write_json
from tsf.recipe.record import to_json


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tsf.onnx"
    path.write_bytes(b"a model")
    return path


def described_by(monkeypatch, output, model, *options):
    line = ["described", *options, "--file", str(model), "--recipe", to_json(GUIDE)]
    line += ["--output", str(output)]
    monkeypatch.setattr("sys.argv", line)
    main()
    return read_described(output)


def test_the_command_line_says_the_same(monkeypatch, tmp_path, model):
    setup = Setup("openvino", "tsf_sim", "int8", batch=3)
    found = described_by(
        monkeypatch, tmp_path / "x.json", model, *setup.options.split(), "--dtype", "uint8"
    )
    assert (found.setup, found.file) == (setup, model)
    assert (found.dtype, found.recipe) == ("uint8", GUIDE)
    plain = described_by(monkeypatch, tmp_path / "x.json", model)
    assert plain.setup == DEFAULTS["onnxruntime"] and plain.dtype == "float32"


def test_another_model_changes_the_description(tmp_path, model):
    # sha256 of b"a model", by coreutils' sha256sum
    digest = "97ff8a35544dcf40ad84047074439dd6aa3a0be469ea578a1b1c017d939ec61c"
    before = describe(DEFAULTS["onnxruntime"], model, GUIDE, "float32")
    write_described(tmp_path / "x.json", before)
    assert read_described(tmp_path / "x.json") == before
    model.write_bytes(b"another")
    after = describe(DEFAULTS["onnxruntime"], model, GUIDE, "float32")
    assert after != before and before.sha256 == {"tsf.onnx": digest}


def test_the_weights_beside_a_quantised_model_count(tmp_path):
    xml = tmp_path / "tsf_int8.xml"
    xml.write_bytes(b"graph")
    xml.with_suffix(".bin").write_bytes(b"weights")
    setup = Setup("openvino", "tsf", "int8")
    before = describe(setup, xml, GUIDE, "float32")
    assert set(before.sha256) == {"tsf_int8.xml", "tsf_int8.bin"}
    xml.with_suffix(".bin").write_bytes(b"others")
    assert describe(setup, xml, GUIDE, "float32") != before


def test_another_recipe_changes_the_file(tmp_path, model):
    """So that the same model's results are made anew for clips of another recipe."""
    other = replace(GUIDE, std=(58.395, 57.12, 57.375))
    for name, recipe in (("guide", GUIDE), ("other", other)):
        described = describe(DEFAULTS["onnxruntime"], model, recipe, "float32")
        write_described(tmp_path / f"{name}.json", described)
        assert read_described(tmp_path / f"{name}.json").recipe == recipe
    guide, changed = (json.loads((tmp_path / f"{n}.json").read_text()) for n in ("guide", "other"))
    assert guide["recipe"] != changed["recipe"] and guide["digest"] != changed["digest"]
    assert guide | changed == changed


@pytest.mark.parametrize("name", ["tsf.onnx", "tsf.xml"])
def test_a_model_in_its_place_is_refused(tmp_path, name):
    """Also where only OpenVINO's weights, beside the .xml, are others."""
    model = tmp_path / name
    model.write_bytes(b"model")
    weights = model.with_suffix(".bin") if name.endswith(".xml") else model
    weights.write_bytes(b"weights")
    described = describe(DEFAULTS["onnxruntime"], model, GUIDE, "float32")
    refuse_other_model(described)
    weights.write_bytes(b"Weights")
    with pytest.raises(UserError, match=r"not the model that was proven.*delete it and run again"):
        refuse_other_model(described)


@pytest.mark.parametrize("part", [None, "setup", "recipe"])
@pytest.mark.parametrize("gone", [True, False])
def test_a_description_with_a_key_more_or_less_is_one_line(tmp_path, model, part, gone):
    path = tmp_path / "x.json"
    write_described(path, describe(DEFAULTS["onnxruntime"], model, GUIDE, "float32"))
    content = read_json(path)
    changed = content[part] if part else content
    for key in list(changed) if gone else ["another"]:
        edited = {k: v for k, v in changed.items() if k != key} if gone else changed | {key: 1}
        write_json(path, content | {part: edited} if part else edited)
        if part == "setup" and key in ("batch", "device"):  # which have a default
            assert read_described(path).setup == DEFAULTS["onnxruntime"]
            continue
        with pytest.raises(UserError) as fault:
            read_described(path)
        assert str(fault.value).startswith(f"{path}: ") and "\n" not in str(fault.value)
