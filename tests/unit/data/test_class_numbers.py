"""Labels that are numbers get names, and must be the model's."""

import pytest

from tsf.data.class_numbers import with_class_names
from tsf.data.listing import ListedVideo
from tsf.errors import UserError

VIDEOS = [ListedVideo("a", "a.mp4", "2"), ListedVideo("b", "b.mp4", ""), ListedVideo("c", "c", "0")]


def test_a_label_gets_the_name_of_its_class():
    videos, names = with_class_names(VIDEOS, ["run", "swim", "yoga"], 3)
    assert [video.label for video in videos] == ["yoga", "", "run"]
    assert names == ["run", "swim", "yoga"]
    assert [(video.name, video.path) for video in videos] == [(v.name, v.path) for v in VIDEOS]


def test_without_names_the_numbers_are_the_names():
    videos, names = with_class_names(VIDEOS, [], 4)
    assert [video.label for video in videos] == ["2", "", "0"]
    assert names == ["0", "1", "2", "3"]


@pytest.mark.parametrize("names, classes", [([], 2), (["run", "swim"], 9), (["x"] * 9, 2)])
def test_a_label_that_the_model_does_not_have_is_refused(names, classes):
    with pytest.raises(UserError, match=r"a\.mp4 has label 2, but .*: labels are 0 to 1;") as fault:
        with_class_names(VIDEOS, names, classes)
    assert "\n" not in str(fault.value)
