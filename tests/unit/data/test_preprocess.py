"""The command line that makes .bin files, and the ways that it refuses."""

import shutil
import sys
from dataclasses import replace

import pytest
from recipes import GUIDE

from tsf import errors
from tsf.data import preprocess, rawframes
from tsf.data.decoded import read_decoded
from tsf.data.make_clip import clip_from_video
from tsf.recipe.record import Sampling, to_json

KINETICS = Sampling("facebook-kinetics", 8, 32, 1)


@pytest.fixture
def folder(streams, tmp_path, monkeypatch):
    """The arguments that name two videos, one of which cannot be decoded."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "videos").mkdir()
    for name in ("short5", "not_a_video"):
        shutil.copyfile(streams[name], tmp_path / "videos" / streams[name].name)
    return ["--layout", "folder", "--root", "videos"]


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
    errors.run(module.main)


def test_the_files_are_the_recipes(folder, streams, monkeypatch, tmp_path):
    recipe = replace(GUIDE, source="video", crops="centre", sampling=replace(KINETICS, clip_len=2))
    arguments = ["--table", "table.tsv", "--output", "bins", "--recipe", to_json(recipe)]
    run(preprocess, monkeypatch, *folder, *arguments, "--dtype", "uint8")
    (path,) = (tmp_path / "bins").glob("*.bin")
    assert path.stem.startswith("short5") and path.stat().st_size == 3 * 2 * 224 * 224
    assert path.read_bytes() == clip_from_video(streams["short5"], recipe, "uint8")[1].tobytes()
    assert {video.frames for video in read_decoded(tmp_path / "table.tsv")} == {5, 0}


@pytest.mark.parametrize(
    "recipe, message",
    [
        (replace(GUIDE, source="video"), "the recipe's source is the video, not raw frames"),
        (replace(GUIDE, sampling=KINETICS), "which raw frames do not keep; set keep: bins"),
        (replace(GUIDE, short_side=256), "three crops are as high as the picture"),
    ],
)
def test_what_raw_frames_cannot_give_is_refused(monkeypatch, tmp_path, recipe, message):
    arguments = ["--rawframes", tmp_path, "--table", "table.tsv", "--output", tmp_path / "bins"]
    with pytest.raises(SystemExit, match=message):
        run(preprocess, monkeypatch, *arguments, "--recipe", to_json(recipe))
    assert not (tmp_path / "bins").exists()


def test_no_raw_frames_are_extracted_that_serve_nothing(folder, monkeypatch, tmp_path):
    arguments = [*folder, "--rawframes", "frames", "--table", "table.tsv"]
    with pytest.raises(SystemExit, match="which raw frames do not keep"):
        run(rawframes, monkeypatch, *arguments, "--recipe", to_json(KINETICS))
    assert not (tmp_path / "frames").exists()
