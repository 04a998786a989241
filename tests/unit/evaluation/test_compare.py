"""Two results folders side by side, worked out by hand; folders that are none are refused."""

import shutil
from copy import deepcopy
from functools import cache

import made_up
import pandas as pd
import pytest
import runs

from tsf.data.k400_info import write_skipped
from tsf.errors import UserError
from tsf.evaluation import compare
from tsf.evaluation.changes import changes, made_of, same
from tsf.evaluation.prediction_table import read_predictions, write_predictions
from tsf.evaluation.results_folder import FILES, read_results
from tsf.files import read_json, sha256, write_json


@cache
def content():
    return made_up.content(60, 8, ("onnxruntime", "torch"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    made_up.write_results(folder, content())
    return folder


@pytest.fixture
def folder(written, tmp_path):
    """A results folder to be changed."""
    return shutil.copytree(written, tmp_path / "results")


def edit(path, change):
    found = read_json(path)
    change(found)
    write_json(path, found)
    made_up.note(path.parent)


def rows(labels, best, probability):
    """One engine's rows of predictions.csv, by video."""
    table = pd.DataFrame({"label": labels, "top1": best, "probability1": probability})
    return table.set_axis([f"v{n}" for n in range(len(labels))])


def test_two_engines_on_the_videos_of_both_by_hand():
    #                 both   only 1st  only 2nd  no label  other label
    first = rows(["a", "b", "c", "", "a"], ["a", "b", "a", "c", "a"], [0.9, 0.8, 0.7, 0.6, 0.5])
    second = rows(["a", "b", "c", "", "b"], ["a", "c", "c", "c", "a"], [0.9, 0.5, 0.9, 0.4, 0.5])
    second = pd.concat([second, rows(["a"], ["b"], [1.0]).set_axis(["alone"])])
    found = compare.paired(first, second)
    assert (found["videos"], found["same_class"], found["labelled"]) == (5, 3, 3)
    assert (found["both_right"], found["first_only_right"], found["second_only_right"]) == (1, 1, 1)
    assert found["difference"] == 0 and found["mcnemar_p"] == 1
    assert found["largest_change"] == pytest.approx(0.2)
    assert [flip["video"] for flip in found["flips"]] == ["v2", "v1"]  # 0.9 before 0.8
    assert [row["class"] for row in found["moved"]] == ["b", "c"]


def test_without_a_common_video_or_label_there_is_no_difference():
    table = rows(["a"], ["a"], [0.9])
    assert compare.paired(table, table.set_axis(["other"])) is None
    unlabelled = rows([""], ["a"], [0.9])
    assert compare.paired(unlabelled, unlabelled)["difference"] is None


def test_a_run_beside_its_copy_differs_in_nothing(folder, written):
    found = compare.compare(read_results(written), read_results(folder))
    assert found["videos"] == {
        "both": 60,
        "other_label": 0,
        "other_file": 0,
        "only_first": {"number": 0, "videos": []},
        "only_second": {"number": 0, "videos": []},
    }
    # the made-up commit has changes, so nobody knows whether it is the same
    assert [(row["group"], row["known"]) for row in found["inputs"]["rows"]] == [("commit", False)]
    for row in found["accuracy"]:
        assert row["paired"]["other_class"] == row["paired"]["largest_change"] == 0
    assert {row["ratio"] for row in found["speed"]} == {1.0}
    assert found["only_first"] == found["only_second"] == [] and found["same_clips"]
    assert all(row["distance"][0] == row["distance"][1] for row in found["parity"])


@pytest.mark.parametrize(
    "file, change, group",
    [
        ("accuracy", lambda j: j["recipe"]["clip"].update(short_side=256), "recipe"),
        ("accuracy", lambda j: j["recipe"].update(fusion="mean_logits"), "recipe"),
        ("provenance", lambda j: j["sha256"].update(checkpoint={"x": "1"}), "checkpoint"),
        ("provenance", lambda j: j["sha256"]["models"].update(models="1" * 64), "models"),
        ("provenance", lambda j: j["sha256"]["lists"].update({"b.csv": "1" * 64}), "lists"),
        ("provenance", lambda j: j["sha256"]["patches"].clear(), "patches"),
        ("provenance", lambda j: j["config"].update(keep="bins"), "config"),
        ("provenance", lambda j: j["versions"].update(numpy="2.0"), "versions"),
        ("provenance", lambda j: j["machine"].update(cores=3), "machine"),
    ],
)  # fmt: skip
def test_every_kind_of_input_that_differs_is_named(folder, written, file, change, group):
    edit(folder / f"{file}.json", change)
    found = compare.compare(read_results(written), read_results(folder))
    assert group in [row["group"] for row in found["inputs"]["rows"] if row["known"]]


def test_a_checkpoint_may_be_known_by_its_first_digits():
    assert same("checkpoint", "abcd", "abcdef") and same("checkpoint", "abcdef", "abcd")
    assert not same("checkpoint", "abcd", "abce") and not same("models", "abcd", "abcdef")


def test_a_commit_is_the_same_if_both_are_clean():
    first = deepcopy(content())
    first["provenance"]["commit"]["changed"] = False
    runs_of = [made_of(first["provenance"], first["accuracy"]) for _ in range(2)]
    assert changes(*runs_of)["rows"] == []
    runs_of[1]["commit"]["commit"] = "1" * 40
    assert [row["known"] for row in changes(*runs_of)["rows"]] == [True]
    runs_of[1]["commit"]["commit"] = None
    assert [row["known"] for row in changes(*runs_of)["rows"]] == [False]


def test_the_engines_of_both_are_paired():
    """Or the first of each, as a run on a CPU and one on an NPU."""
    assert compare.engine_pairs(["a", "b"], ["c", "b"]) == [("b", "b")]
    assert compare.engine_pairs(["a", "b"], ["c"]) == [("a", "c")]


def cut_videos(folder, names):
    """Leave these videos out of a results folder, as if they had been skipped."""
    table = read_predictions(folder / "predictions.csv")
    table = table[~table["video"].isin(names)]
    write_predictions(folder / "predictions.csv", table.set_index("engine"))

    def fewer(found):
        found["scored"] -= len(names)
        for name, engine in found["engines"].items():
            of_engine = table[table["engine"] == name]
            engine["videos"] = len(of_engine)
            engine["top1"] = 100 * float((of_engine["label"] == of_engine["top1"]).mean())

    skipped = [(name, "a class", "missing file") for name in names[:1]]
    write_skipped(folder / "skipped.tsv", [*content()["skipped"], *skipped])
    edit(folder / "accuracy.json", fewer)
    engine = next(iter(read_json(folder / "accuracy.json")["engines"].values()))
    of_verdict = {"scored": engine["videos"], "videos": engine["videos"], "top1": engine["top1"]}
    edit(folder / "verdict.json", lambda found: found.update(of_verdict))


def test_videos_of_one_run_alone_are_named_with_the_reason(folder, written):
    names = sorted(set(content()["tables"]["predictions"]["video"]))[:2]
    cut_videos(folder, names)
    found = compare.compare(read_results(written), read_results(folder))["videos"]
    assert found["both"] == 58 and found["only_second"]["number"] == 0
    assert found["only_first"] == {
        "number": 2,
        "videos": [
            {"video": names[0], "skipped": "missing file"},
            {"video": names[1], "skipped": None},
        ],
    }


# ---- folders that cannot be compared ----


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"there is no {name}"):
        read_results(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_short_is_refused(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=name):
        read_results(folder)


def test_an_older_file_is_refused(folder):
    edit(folder / "verdict.json", lambda found: found.pop("engines"))
    with pytest.raises(UserError, match=r"verdict\.json: there is no 'engines' in it"):
        read_results(folder)


def test_predictions_of_another_run_are_refused(folder):
    other = made_up.content(60, 8, ("onnxruntime", "openvino"))["tables"]["predictions"]
    write_predictions(folder / "predictions.csv", other.set_index("engine"))
    with pytest.raises(UserError, match=r"predictions\.csv: of another run than provenance\.json"):
        read_results(folder)
    made_up.note(folder)
    with pytest.raises(UserError, match="engines are not those"):
        read_results(folder)
    table = content()["tables"]["predictions"].copy()
    table["label"] = table["label"].unique()[0]
    write_predictions(folder / "predictions.csv", table.set_index("engine"))
    made_up.note(folder)
    with pytest.raises(UserError, match="make both again"):
        read_results(folder)


@pytest.mark.parametrize("name", [name for name in FILES if name != "provenance.json"])
def test_a_file_of_another_run_is_named(folder, tmp_path, name):
    """Whole, but made of a run with another engine: as by `snakemake accuracy.json`."""
    other = made_up.content(50, 8, ("openvino",))
    other["measured"]["performance"] = None
    other["verify"]["clips"] = ["c"]
    other["skipped"] = other["skipped"][:-1]
    (tmp_path / "other").mkdir()
    made_up.write_results(tmp_path / "other", other)
    for file in (tmp_path / "other").glob(f"{name}*"):  # its digest too
        shutil.copy(file, folder)
    with pytest.raises(UserError, match="of another run than provenance") as fault:
        read_results(folder)
    assert str(fault.value).startswith(f"{folder / name}: ") and "\n" not in str(fault.value)


def test_results_of_an_older_release_are_to_be_made_anew(folder):
    (folder / "accuracy.json").write_text("{}")
    with pytest.raises(UserError, match=r"it has no digest") as fault:
        read_results(folder)
    advice = f"; move {folder} away and run snakemake all there with this release"
    assert str(fault.value).endswith(advice)


def test_an_engine_s_description_of_another_run_is_named(folder):
    """It is not compared, but was there when the run ended."""
    file = folder / "engines/torch.json"
    write_json(file, {"sha256": {"tsf.pt2": "1"}})
    found = read_json(folder / "provenance.json")
    found["results"]["engines/torch.json"] = sha256(file)
    write_json(folder / "provenance.json", found)
    read_results(folder)
    write_json(file, {"sha256": {"tsf.pt2": "2"}})
    with pytest.raises(UserError, match=r"engines/torch\.json: of another run"):
        read_results(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["engines"].pop("torch"),
        lambda found: found.update(engine="torch"),
        lambda found: found.update(top1=1.0),
        lambda found: found.update(videos=1),
        lambda found: found.update(scored=1),
    ],
)
def test_a_verdict_that_the_provenance_was_written_behind_sums_up_the_accuracies(folder, change):
    """A foreign one is newer than the provenance, which snakemake all then makes again."""
    edit(folder / "verdict.json", change)
    with pytest.raises(UserError, match=r"verdict\.json: of another run than accuracy\.json"):
        read_results(folder)


def test_the_same_folder_twice_is_one_line(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    out = tmp_path / "compare.json"
    result = runs.module(
        "evaluation.compare", "--results", folder, tmp_path / "link", "--output", out
    )
    assert result.returncode == 1 and not out.exists()
    assert result.stderr.count("\n") == 1 and "are the same folder" in result.stderr
