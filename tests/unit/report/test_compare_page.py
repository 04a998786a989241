"""compare.html of made-up runs: complete, in two languages, whatever one of the runs lacks."""

import re
import shutil

import made_up
import pytest

from tsf.digests import write_with_digest
from tsf.evaluation.compare import compare, paired
from tsf.evaluation.results_folder import read_results
from tsf.files import read_json, write_json
from tsf.report.page.compare import page


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two runs on the same videos; the second has an engine less and another one more."""
    folders = [tmp_path_factory.mktemp(name) for name in "ab"]
    for folder, engines in zip(folders, (("x", "y"), ("x", "z")), strict=True):
        made_up.write_results(folder, made_up.content(100, 8, engines))
    return folders


def compared(folders):
    return compare(*map(read_results, folders))


def test_the_page_says_what_differs(folders):
    text = page(compared(folders))
    assert "Only in A: y; only in B: z." in text
    assert "Every video of both has the same class." in text
    assert text.count('<span lang="en">') == text.count('<span lang="zh">') > 40
    assert not re.search(r'(src|href)="(?!#|data:)', text)


def test_another_engine_flips_videos(folders):
    content = compared(folders)
    first = read_results(folders[0])
    content["accuracy"][0]["paired"] = paired(first.of_engine("x"), first.of_engine("y"))
    text = page(content)
    assert "Videos with another class" in text and "Classes that moved" in text


def test_runs_without_a_common_video_or_measurement_have_a_page(folders, tmp_path):
    other = shutil.copytree(folders[1], tmp_path / "other")
    table = (other / "predictions.csv").read_text().replace("video0", "another0")
    write_with_digest(other / "predictions.csv", table.encode())
    measured = read_json(other / "measured.json")
    write_json(other / "measured.json", measured | {"performance": None})
    made_up.note(other)
    text = page(compared([folders[0], other]))
    assert "No video is in both runs" in text
    assert "Only in A: 100 videos" in re.sub(r"<[^>]*>", "", text)


def test_names_of_the_user_s_are_text(folders):
    content = compared(folders)
    content["runs"][0]["folder"] = content["inputs"]["rows"][0]["name"] = "<script>x()</script>"
    assert "<script>x()" not in page(content)
