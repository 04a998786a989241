"""Every JSON file that a step reads: with a key gone or a value changed it is refused in one line.

Our own files hold a digest, so nothing in them changes unseen. A file of another release may have a
right digest and lack a key. The files of other programs have neither, so each value is checked.
"""

import ast
import copy
import json
import math
from pathlib import Path

import made_up
import numpy as np
import pytest
from fuzz import mutate
from json_examples import AIS_BENCH, HUGGING_FACE
from recipes import GUIDE

from tsf import files
from tsf.ascend.summary_file import read_summary
from tsf.errors import UserError
from tsf.evaluation import compare, verdict
from tsf.files import read_json, write_json
from tsf.inference.results import summary
from tsf.model.settings import from_hugging_face, read_hugging_face
from tsf.recipe import huggingface
from tsf.recipe.record import ClipRecipe, read_part, to_json
from tsf.recipe.resolve import resolve
from tsf.report import accuracy, parity, performance, run_summary
from tsf.workflow.sources import PACKAGE

ENGINES = ("onnxruntime", "openvino")
REFERENCE = {"source": "a paper", "dataset": "Kinetics-400", "top1": 77.92}
# keys whose object has a key for each engine, stage or reason of that run, and not of that release
NAMES = [["engines"], ["seconds"], ["skipped_reasons"], ["origin"]]
# where JSON is read otherwise than by read_json, and why that is well
READ_OTHERWISE = {
    "files.py: loads": "read_json and read_foreign_json themselves",
    "ascend/summary_file.py: read_foreign_json": "ais_bench's; tested below",
    "recipe/huggingface.py: read_foreign_json": "save_pretrained's; tested below",
    "model/settings.py: read_foreign_json": "save_pretrained's; tested below",
    "recipe/record.py: loads": "--recipe as text; tested below",
    "model/settings_argument.py: loads": "--settings, checked as a model's config is",
    "bundle/predict.py: loads": "a bundle's own, behind its SHA256SUMS",
    "evaluation/performance.py: loads": "what a process of its own prints",
    "workflow/config.py: loads": "ours, config/schema.json, and a value of --config",
    "workflow/config_files.py: loads": "a config, which the schema checks",
    "workflow/costs.py: loads": "ours, rates.json",
    "workflow/describe_config.py: loads": "ours, config/schema.json",
    "report/page/words.py: loads": "ours, zh.json",
    # an option, from the config that the schema has checked
    "evaluation/verdict.py: loads": "--reference",
    "report/accuracy.py: loads": "--reference",
    "evaluation/judge_parity.py: loads": "--thresholds",
    "ascend/atc.py: loads": "--atc-options",
    "recipe/resolve.py: loads": "--recipe",
    "workflow/provenance.py: loads": "--config, which is copied",
}


def test_all_json_is_read_by_a_reader_that_checks_it():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("json.loads", "json.load"):
                found.add(f"{path.relative_to(PACKAGE)}: {node.attr}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "read_foreign_json":
                found.add(f"{path.relative_to(PACKAGE)}: read_foreign_json")
    assert found == set(READ_OTHERWISE)


def one_line(fault: pytest.ExceptionInfo, path: Path) -> None:
    assert str(fault.value).startswith(f"{path}: ") and "\n" not in str(fault.value)


# ---- our own ----


@pytest.fixture(scope="module")
def content():
    """Of the files of a run by their names, and `summary`, an engine's."""
    found = made_up.content(20, 4, ENGINES)
    arguments = {"batchsize": 1, "input": "bins/000", "device": "a CPU"}
    found["summary"] = summary({"a.bin": "0_0.txt"}, [5.0, 6.0], arguments)
    found["choice"] = found["measured"]["choice"]
    found["performance"] = found["measured"]["performance"]
    return found


@pytest.mark.parametrize("name", ["verify", "verdict", "choice", "summary", "provenance"])
def test_whatever_changes_in_a_file_of_ours_it_is_refused(content, name, tmp_path):
    path = tmp_path / f"{name}.json"
    write_json(path, content[name])
    assert read_json(path) == json.loads(json.dumps(content[name]))
    text = path.read_text()
    for place, changed in mutate.every(json.loads(text)):
        edited = json.dumps(changed, indent=2) + "\n"
        if edited != text:  # NASTY_VALUES may have the value that is there
            path.write_text(edited)
            with pytest.raises(UserError) as fault:
                read_json(path)
                pytest.fail(place)
            one_line(fault, path)


def test_a_file_of_ours_that_is_cut_at_any_byte_is_refused(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"top1": 77.5, "名": ["é"]})
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(UserError, match="not as it was written"):
            read_json(path)


def test_another_remedy_is_told(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(UserError, match=r"; delete it all$"):
        read_json(tmp_path / "a.json", "delete it all")


def test_a_file_of_an_older_release_is_told_from_one_that_has_changed(tmp_path):
    """An older results folder has dozens of them: the advice is for all at once."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"top1": 77.5}, indent=2) + "\n")
    with pytest.raises(UserError, match="no digest, so it is of an older release; move results/"):
        read_json(path, "delete it")
    with pytest.raises(UserError, match=r"of an older release; move it all$"):
        read_json(path, "delete it", "move it all")
    path.write_text(json.dumps({"top1": 77.5, "digest": "0" * 64}, indent=2) + "\n")
    with pytest.raises(UserError, match=r"not as it was written.*; delete it$"):
        read_json(path, "delete it")


def test_the_key_of_the_digest_is_not_written_over(tmp_path):
    with pytest.raises(ValueError, match="'digest' is the file's own"):
        write_json(tmp_path / "a.json", {"digest": "x"})
    assert not (tmp_path / "a.json").exists()
    write_json(tmp_path / "a.json", {"a": {"digest": "x"}})
    assert read_json(tmp_path / "a.json") == {"a": {"digest": "x"}}


def reports(found: dict) -> list:
    """What is made of the files of a run, but for the page."""
    of_run, verify = found["accuracy"], found["verify"]
    fps = dict.fromkeys(ENGINES, found["summary"]["throughput"])
    simplified = {"simplified": True, "nodes": [2, 1]}
    summaries = dict.fromkeys(ENGINES, found["summary"])
    return [
        accuracy.markdown(of_run, fps, [], simplified, verify, "Kinetics-400", REFERENCE),
        verdict.verdict(of_run, summaries, "Kinetics-400", REFERENCE),
        parity.markdown(verify),
        performance.markdown(found["performance"]["measurements"], found["choice"]),
        run_summary.summary(found["verdict"], of_run, Path("report.html")),
    ]


@pytest.mark.parametrize("name", ["accuracy", "verify", "summary", "performance", "choice"])
def test_a_key_that_another_release_lacks_is_not_read_or_named(content, name, tmp_path):
    path = tmp_path / f"{name}.json"
    write_json(path, content[name])
    whole = reports(content | {name: read_json(path)})
    refused = set()
    for place, changed in mutate.every(json.loads(json.dumps(content[name]))):
        *outer, key = place.removesuffix(": 'gone'").split(" > ")
        if not place.endswith(": 'gone'") or key.isdigit() or outer[-1:] in NAMES:
            continue
        write_json(path, changed)
        try:
            assert reports(content | {name: read_json(path)}) == whole, place
        except UserError as fault:
            assert str(fault).startswith(f"{path}: there is no '{key}' in it")
            refused.add(key)
    assert refused


def test_two_runs_are_compared_by_keys_that_both_have(content, tmp_path):
    for name in ("one", "other"):
        made_up.write_results(tmp_path / name, content)
    path = tmp_path / "other/verdict.json"
    found = read_json(path)
    del found["engines"]["openvino"]["latency"]
    write_json(path, found)
    made_up.note(tmp_path / "other")
    runs = [compare.read_results(tmp_path / name) for name in ("one", "other")]
    with pytest.raises(UserError, match="there is no 'latency' in it") as fault:
        compare.compare(*runs)
    one_line(fault, path)


def test_files_given_in_another_order_are_refused(tmp_path):
    paths = [tmp_path / f"{name}_summary.json" for name in ENGINES]
    for path in paths:
        write_json(path, {"x": path.name})
    assert list(files.read_json_of(ENGINES, paths)) == list(ENGINES)
    for given in (paths[::-1], paths[:1], [*paths, paths[0]]):
        with pytest.raises(UserError, match="given for onnxruntime, openvino"):
            files.read_json_of(ENGINES, given)


# ---- of other programs, and of the user ----


@pytest.mark.parametrize("times", [[10**400], [[0, 10**400]], [5.0, 10**400]])
def test_a_time_that_is_no_float_is_refused(tmp_path, times):
    path = tmp_path / "sumary.json"
    path.write_text(json.dumps(AIS_BENCH | {"npu_compute_time_list": times}))
    with pytest.raises(UserError, match="not a summary of ais_bench") as fault:
        read_summary(path)
    one_line(fault, path)


def test_any_summary_of_ais_bench_is_read_or_refused(tmp_path):
    path = tmp_path / "sumary.json"
    path.write_text(json.dumps(AIS_BENCH))
    found = read_summary(path)
    assert (found.milliseconds, found.outputs, found.stand_in) == ([5.0, 6.0], 1, "made up")
    assert found.copies["H2D_latency"] == {"min": 0.25, "max": 0.5, "mean": 0.3, "count": 2}
    pairs = AIS_BENCH | {"npu_compute_time_list": [[1.0, 6.0], [6.0, 12.0]]}
    for place, changed in (*mutate.every(AIS_BENCH), *mutate.every(pairs)):
        path.write_text(json.dumps(changed))
        try:
            found = read_summary(path)
        except UserError as fault:
            assert str(fault).startswith(f"{path}: not a summary"), place
            continue
        numbers = [*found.milliseconds, *(n for c in found.copies.values() for n in c.values())]
        assert all(0 <= number < math.inf for number in numbers), place
        assert found.milliseconds and sum(found.milliseconds) > 0


@pytest.mark.parametrize("name", HUGGING_FACE)
def test_any_hugging_face_folder_is_read_or_refused(tmp_path, name):
    for file, text in HUGGING_FACE.items():
        (tmp_path / file).write_text(json.dumps(text))
    model = {"config": None, "checkpoint": str(tmp_path), "run_config": False}

    def read():
        huggingface.labels(tmp_path / "config.json")
        network = from_hugging_face(read_hugging_face(tmp_path), "config.json")
        return network, resolve(model, {"name": "huggingface"}).recipe

    whole = read()
    for place, changed in mutate.every(copy.deepcopy(HUGGING_FACE[name])):
        (tmp_path / name).write_text(json.dumps(changed))
        try:
            network, recipe = read()
        except UserError as fault:
            assert "\n" not in str(fault), place
            continue
        if (network, recipe) != whole:  # another model's, and as it says
            assert np.isfinite([*recipe.clip.mean, *recipe.clip.std]).all(), place
            assert min(recipe.clip.side, recipe.clip.short_side, recipe.classes) > 0, place


def test_any_recipe_on_the_command_line_is_read_or_refused():
    for place, changed in mutate.every(json.loads(to_json(GUIDE))):
        try:
            found = read_part(json.dumps(changed), ClipRecipe)
        except UserError as fault:
            assert "\n" not in str(fault), place
            continue
        numbers = [*found.mean, *found.std]
        assert np.isfinite(numbers).all(), place
        assert min(found.side, found.short_side, found.sampling.clip_len, found.views) > 0, place
