"""A measurement of another model is not shown as this run's."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from recipes import GUIDE

from tsf.engines.described import DescribedEngine, write_described
from tsf.engines.setup import Setup
from tsf.evaluation import measured
from tsf.evaluation.measured import choice_fault, npu_fault, parity_fault, performance_fault
from tsf.files import read_json, sha256, write_json

NOW = DescribedEngine(
    Setup("onnxruntime", "tsf_sim", "f32"),
    Path("results/tsf_sim.onnx"),
    {"tsf_sim.onnx": "11"},
    GUIDE,
    "float32",
)
ROW = {
    "engine": "onnxruntime",
    "model": "tsf_sim.onnx",
    "setup": asdict(NOW.setup),
    "sha256": {"tsf_sim.onnx": "11"},
}


def test_a_measurement_of_the_same_file_is_of_this_run():
    assert performance_fault({"measurements": [ROW]}, [NOW]) is None


def test_another_file_or_one_of_unknown_digest_is_not():
    other = ROW | {"sha256": {"tsf_sim.onnx": "22"}}
    assert "another file" in performance_fault({"measurements": [ROW, other]}, [NOW])
    old = {key: value for key, value in ROW.items() if key != "sha256"}
    assert "another file" in performance_fault({"measurements": [old]}, [NOW])


def test_an_engine_that_was_added_since_is_missed():
    added = replace(NOW, setup=Setup("openvino", "tsf_sim", "f32"))
    fault = performance_fault({"measurements": [ROW]}, [NOW, added])
    assert fault == "it has no measurement of openvino"


@pytest.mark.parametrize("change", [{"precision": "bf16"}, {"batch": 4}, {"device": "cuda"}])
def test_the_same_file_in_another_precision_batch_or_device_is_not(change):
    other = replace(NOW, setup=replace(NOW.setup, **change))
    fault = performance_fault({"measurements": [ROW]}, [other])
    assert fault == f"it has no measurement of {other.setup.name}"
    both = {"measurements": [ROW, ROW | {"setup": asdict(other.setup)}]}
    assert performance_fault(both, [other]) is None


def test_a_choice_is_of_the_run_s_setups():
    choice = {"made_from": {}, "cpus": [], "engines": [{"name": "onnxruntime"}]}
    assert choice_fault(choice, [NOW]) is None
    other = replace(NOW, setup=replace(NOW.setup, precision="bf16"))
    for engines in ([other], [NOW, other], []):
        assert choice_fault(choice, engines) == "it compares other engines"


def test_the_npu_s_model_is_compared_where_the_run_has_it():
    om = replace(NOW, setup=Setup("ascend", "", ""), file=Path("results/tsf.om"))
    om = replace(om, sha256={"tsf.om": "11"})
    run = {"engine": "ascend", "model": "tsf.om", "sha256": {"tsf.om": "22"}}
    assert "tsf.om was another file" in npu_fault({"runs": [run]}, [om])
    assert "tsf.om was another file" in performance_fault({"measurements": [run]}, [om])
    batch4 = {"engine": "ascend", "model": "tsf_bs4.om", "sha256": {"tsf_bs4.om": "33"}}
    assert npu_fault({"runs": [batch4]}, [om]) is None
    assert performance_fault({"measurements": [batch4]}, [om]) is None
    assert npu_fault({"runs": [run]}, [NOW]) == "ascend is no engine of it"


def test_a_choice_is_of_the_files_that_it_was_made_from(tmp_path):
    file = tmp_path / "accuracy.json"
    file.write_text("{}")
    choice = {"made_from": {str(file): sha256(file)}, "engines": [{"name": "onnxruntime"}]}
    choice["cpus"] = []
    assert choice_fault(choice, [NOW]) is None
    file.touch()  # the time alone is no change
    assert choice_fault(choice, [NOW]) is None
    file.write_text("{ }")
    assert choice_fault(choice, [NOW]) == f"{file} has changed since it was made"
    file.unlink()
    assert choice_fault(choice, [NOW]) == f"{file} has changed since it was made"
    assert choice_fault({}, [NOW]) == "it does not say what it was made from"


def test_parity_needs_every_boundary_of_the_proof_as_it_is():
    one, other = {"name": "tsf.onnx", "max_abs": 1e-6}, {"name": "tsf_opt.onnx", "max_abs": 2e-6}
    proof = {"clips": ["a"], "boundaries": [one]}
    assert parity_fault({"clips": ["a"], "boundaries": [one, other]}, proof) is None
    assert "other clips" in parity_fault({"clips": ["b"], "boundaries": [one]}, proof)
    moved = {"clips": ["a"], "boundaries": [one | {"max_abs": 3e-6}]}
    assert "tsf.onnx is measured anew" in parity_fault(moved, proof)


def test_a_file_that_cannot_be_read_does_not_end_the_run(tmp_path, monkeypatch):
    names = ("parity", "performance", "choice", "ascend_performance")
    write_json(tmp_path / "verify.json", {"clips": ["a"], "boundaries": []})
    write_described(tmp_path / "onnxruntime.json", NOW)
    line = ["measured", "--verify", "verify.json", "--engines", "onnxruntime.json"]
    for name in names:
        line += [f"--{name.replace('_', '-')}", f"{name}.json"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [*line, "--output", "measured.json"])
    paths = {name: tmp_path / f"{name}.json" for name in names}

    def found():
        measured.main()
        content = read_json(tmp_path / "measured.json")
        return content.pop("faults"), content

    nothing = dict.fromkeys(names)
    assert found() == (nothing, nothing)
    for path in paths.values():
        path.write_text('{"measurements": []}')  # without a digest, as an older release's
    assert found() == (dict.fromkeys(names, measured.UNREADABLE), nothing)
    for path in paths.values():
        write_json(path, {})  # of another release, without the keys that are read
    faults, content = found()
    assert content["performance"] is None and faults["performance"] == measured.UNREADABLE
    write_json(paths["performance"], {"measurements": [ROW]})
    write_json(paths["parity"], {"clips": ["b"], "boundaries": []})
    faults, content = found()
    assert faults["performance"] is None and content["performance"] == {"measurements": [ROW]}
    assert faults["parity"] == "it compares other clips" and content["parity"]["clips"] == ["b"]
