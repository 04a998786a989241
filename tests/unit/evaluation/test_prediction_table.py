"""predictions.csv comes back as it was written, or is refused by its digest."""

import pandas as pd
import pytest
import runs

from tsf.errors import UserError
from tsf.evaluation.prediction_table import read_predictions, write_predictions

TABLE = pd.DataFrame(
    {
        "engine": ["a", "a", "b", "b"],
        "video": ["v1", "v, 2", "v1", "v, 2"],
        "path": ["1.mp4", "2.mp4", "1.mp4", "2.mp4"],
        "label": ["nan", "", "nan", ""],
        "top1": ["1", "nan", "é", "1"],
        "probability1": [0.5, 0.25, 1.0, 0.123456],
    }
)


@pytest.fixture
def path(tmp_path):
    write_predictions(tmp_path / "predictions.csv", TABLE.set_index("engine"))
    return tmp_path / "predictions.csv"


def test_it_comes_back_with_every_name_as_text(path):
    pd.testing.assert_frame_equal(read_predictions(path), TABLE, check_dtype=False)


def test_predictions_cut_at_any_byte_are_refused(path):
    """At the end of a line too, where it would be a table of fewer videos."""
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(UserError, match="not as it was written") as fault:
            read_predictions(path)
        assert "\n" not in str(fault.value)


@pytest.mark.parametrize("step", ["gallery", "details"])
def test_the_steps_that_read_it_end_in_one_line(path, step):
    path.write_bytes(path.read_bytes()[:-5])
    more = ["--classes", path, "--heads", path] if step == "details" else []
    out = path.with_name("out.json")
    done = runs.module(f"evaluation.{step}", "--predictions", path, *more, "--output", out)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and not out.exists()
    assert "predictions.csv: not as it was written" in done.stderr
