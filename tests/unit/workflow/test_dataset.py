"""Where the listed videos are, by the config's keys and by an mmaction2 config."""

import shlex
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import pytest
from mmaction2_configs import NEW, OLD, OLD_DATA

from tsf.data.listing import Dataset, add_dataset_arguments, dataset_of
from tsf.errors import UserError
from tsf.recipe.resolve import resolve
from tsf.workflow import fingerprint
from tsf.workflow.dataset import find_dataset, options, refuse_unfit_list

NOTHING = {
    "layout": "list",
    "root": None,
    "list": None,
    "filename_tmpl": None,
    "start_index": None,
    "index": None,
}
FRAMES = "a 40 1\nb 40 0\n"
VIDEOS = "a.mp4 1\nb.mp4 0\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The working directory, to which the paths of a config are relative."""
    monkeypatch.chdir(tmp_path)
    fingerprint.listed_videos.cache_clear()
    (tmp_path / "list.txt").write_text(FRAMES)
    return tmp_path


def model(text, run=False):
    Path("my.py").write_text(text)
    return {"config": "my.py", "checkpoint": None, "run_config": run}


def find(text=OLD, **keys):
    return find_dataset(NOTHING | keys, model(text) if text else {"config": None}, Path("home"))


def fault_of(text=OLD, **keys):
    with pytest.raises(UserError) as fault:
        find(text, **keys)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_the_other_layouts_have_a_root_alone():
    assert find(None, layout="folder", root="videos") == (Dataset("folder", Path("videos")), "")
    assert options(Dataset("folder", Path("my videos"))) == "--layout folder --root='my videos'"


@pytest.mark.parametrize(
    "key, value", [("list", "a.txt"), ("filename_tmpl", "{}.jpg"), ("start_index", 0)]
)
def test_a_key_of_the_list_is_refused_for_another_layout(key, value):
    fault = fault_of(None, layout="kinetics", root="k400", **{key: value})
    assert fault == f"config: dataset.{key} is for layout: list, not for kinetics"


def test_a_config_that_leaves_out_first_frames_is_refused_for_another_layout():
    text = OLD + OLD_DATA.replace("test=dict(", "test=dict(start_index=33, ")
    keys = NOTHING | {"layout": "folder", "root": "videos"}
    with pytest.raises(UserError, match="start_index 33 leaves out"):
        find_dataset(keys, model(text), Path("home"))


def test_another_layout_needs_a_root():
    assert "dataset.root is null; layout kinetics" in fault_of(None, layout="kinetics")


def test_the_keys_alone():
    dataset, said = find(None, root="frames", list="list.txt")
    assert dataset == Dataset("list", Path("frames"), Path("list.txt"), "img_{:05}.jpg", 1)
    assert said == ""


def test_what_the_config_says_is_taken_and_said():
    data = OLD_DATA.replace("'frames'", "'frames', filename_tmpl='f_{:03}.png', start_index=0")
    dataset, said = find(OLD + data)
    assert dataset == Dataset("list", Path("frames"), Path("list.txt"), "f_{:03}.png", 0)
    assert said == (
        " (ann_file 'list.txt', data_prefix 'frames', filename_tmpl 'f_{:03}.png', start_index 0, "
        "as in my.py)"
    )


def test_the_keys_come_before_the_config():
    data = OLD_DATA.replace("'frames'", "'frames', filename_tmpl='f_{:03}.png', start_index=7")
    Path("other.txt").write_text(FRAMES)
    dataset, said = find(OLD + data, list="other.txt", start_index=0)
    assert dataset == Dataset("list", Path("frames"), Path("other.txt"), "f_{:03}.png", 0)
    assert said == " (data_prefix 'frames', filename_tmpl 'f_{:03}.png', as in my.py)"


def test_a_list_of_videos_in_a_config_of_1x():
    Path("list.txt").write_text(VIDEOS)
    dataset, said = find(NEW)
    assert dataset == Dataset("list", Path("videos"), Path("list.txt"))
    assert said == " (ann_file 'list.txt', data_prefix 'videos', as in my.py)"


def test_without_a_data_prefix_paths_begin_in_the_working_directory():
    data = OLD_DATA.replace(", data_prefix='frames'", "")
    assert find(OLD + data)[0].root == Path(".")


def test_a_list_beside_the_snakefile(here):
    (here / "home").mkdir()
    (here / "home/other.txt").write_text(FRAMES)
    dataset, _ = find(None, root="frames", list="other.txt")
    assert dataset.list == Path("home/other.txt")


def test_the_generated_sample_is_no_root_of_a_list():
    fault = fault_of(None, root="results/sample_data", list="list.txt")
    assert "dataset.root is results/sample_data, the workflow's own" in fault


@pytest.mark.parametrize(
    "text, key, stated", [(None, "list", "ann_file"), (OLD, "list", "ann_file")]
)
def test_a_key_that_nothing_states_is_asked_for(text, key, stated):
    expected = (
        f"config: dataset.{key} is null, and model.config says no {stated}; set dataset.{key}"
    )
    assert fault_of(text, root="frames") == expected


def test_a_root_that_nothing_states_is_asked_for():
    assert "dataset.root is null, and model.config says no data_prefix" in fault_of(list="list.txt")


@pytest.mark.parametrize(
    "argument", ["with_offset=True", "multi_class=True", "modality='Flow'", "delimiter=','"]
)
def test_a_list_of_another_kind_is_refused_by_name(argument):
    data = OLD_DATA.replace("'frames'", f"'frames', {argument}")
    name, value = argument.split("=")
    assert f"my.py: data.test: {name} {value} is not implemented" in fault_of(OLD + data)


def test_the_form_and_the_type_in_the_config_must_agree():
    assert fault_of(NEW) == (
        "list.txt has the form FOLDER FRAMES LABEL, of RawframeDataset, but in my.py it is of "
        "VideoDataset"
    )
    Path("list.txt").write_text(VIDEOS)
    fingerprint.listed_videos.cache_clear()
    assert "list.txt has the form PATH LABEL, of VideoDataset, but in" in fault_of(OLD + OLD_DATA)
    # another list than the config's may be of another form
    fingerprint.listed_videos.cache_clear()
    assert find(OLD + OLD_DATA, list="list.txt")[0].root == Path("frames")


@pytest.mark.parametrize("key, value", [("filename_tmpl", "{}.jpg"), ("start_index", 0)])
def test_a_key_of_raw_frames_is_refused_for_videos(key, value):
    Path("list.txt").write_text(VIDEOS)
    fault = fault_of(None, root="videos", list="list.txt", **{key: value})
    assert fault.startswith(f"config: dataset.{key} is for raw frames, but list.txt has the form ")


@pytest.mark.parametrize(
    "template", ["img_%05d.jpg", "img.jpg", "flow_{}_{:05}.jpg", "{x}.jpg", "{:05.jpg", "{.x}"]
)
def test_a_template_without_one_number_is_refused(template):
    fault = fault_of(None, root="frames", list="list.txt", filename_tmpl=template)
    assert fault.startswith(f"config: dataset.filename_tmpl {template!r} has no place for")


def test_a_bad_line_is_refused_before_any_job():
    Path("list.txt").write_text("a 40 1\nb yoga\n")
    assert fault_of(None, root="f", list="list.txt").startswith("list.txt, line 2: expected ")


def test_a_list_that_is_missing_is_left_to_the_rules():
    assert find(None, root="frames", list="gone.txt")[0].list == Path("gone.txt")


def unfit(text, keep, recipe=None, lines=FRAMES):
    Path("list.txt").write_text(lines)
    fingerprint.listed_videos.cache_clear()
    resolved = resolve(model(text), recipe)
    refuse_unfit_list(Dataset("list", Path("frames"), Path("list.txt")), resolved, keep)


@pytest.mark.parametrize("keep", ["bins", "nothing"])
def test_raw_frames_go_with_a_recipe_that_reads_them(keep):
    unfit(OLD, keep)
    unfit(NEW, keep, {"source": "rawframes"})


@pytest.mark.parametrize("keep", ["all_frames", "frames"])
def test_raw_frames_are_not_copied(keep):
    with pytest.raises(UserError, match=f"keep: {keep} makes raw frames, .*; write keep: bins"):
        unfit(OLD, keep)
    unfit(OLD, keep, lines=VIDEOS)


def test_raw_frames_are_refused_for_a_recipe_that_reads_videos():
    with pytest.raises(UserError, match=r"source is video \(test_pipeline of my.py\); list the v"):
        unfit(NEW, "bins")
    unfit(NEW, "bins", lines=VIDEOS)


def test_raw_frames_are_refused_for_a_sampler_that_needs_fps():
    recipe = {"sampler": "facebook-kinetics", "num_clips": 1}
    with pytest.raises(UserError, match="lists such; list the videos"):
        unfit(OLD, "bins", recipe)
    unfit(OLD, "bins", recipe, lines=VIDEOS)


def test_the_options_come_back_as_they_were():
    dataset = Dataset("list", Path("my frames"), Path("it's a list"), "{:05} $x.jpg", 0)
    parser = ArgumentParser()
    add_dataset_arguments(parser)
    assert dataset_of(parser.parse_args(shlex.split(options(dataset)))) == dataset
    plain = replace(
        dataset, layout="folder", list=None, filename_tmpl="img_{:05}.jpg", start_index=1
    )
    assert dataset_of(parser.parse_args(shlex.split(options(plain)))) == plain
    packed = Dataset("tar", Path("a b"), index=Path("it's.tsv"), cache=Path("results/archives"))
    found = dataset_of(parser.parse_args(shlex.split(options(packed))))
    assert found == packed and found.cache == packed.cache


def test_archives_with_an_index_or_by_their_headers():
    keys = NOTHING | {"layout": "tar", "root": "k400", "index": "index.tsv"}
    dataset, said = find_dataset(keys, {"config": None}, Path("home"))
    assert (dataset.layout, dataset.root, dataset.index, said) == (
        *("tar", Path("k400"), Path("index.tsv")),
        "",
    )
    assert find_dataset(keys | {"index": None}, {"config": None}, Path("home"))[0].index is None
    with pytest.raises(UserError, match=r"dataset\.index is for layout: tar, not for kinetics"):
        find_dataset(keys | {"layout": "kinetics"}, {"config": None}, Path("home"))
    with pytest.raises(UserError, match=r"the workflow's own, .*; write layout: kinetics"):
        find_dataset(keys | {"root": "results/sample_data"}, {"config": None}, Path("home"))
