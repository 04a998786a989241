"""`--config 'ascend={batch: 4}'`: Snakemake hands on what is nested as text."""

import pytest
import yaml
from runs import ROOT

from tsf.errors import UserError
from tsf.workflow.config import check


@pytest.fixture
def config():
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def test_numbers_lists_and_null(config):
    config["ascend"] |= {"batch": "4", "devices": ["0", "1"], "peak_tflops": "70.5"}
    config["ascend"] |= {"soc_version": "null", "performance": {"batches": ["1"], "loop": "20"}}
    check(config, ROOT / "config/schema.json")
    ascend = config["ascend"]
    assert ascend["batch"] == 4 and ascend["devices"] == [0, 1] and ascend["peak_tflops"] == 70.5
    assert ascend["soc_version"] is None
    assert ascend["performance"] == {"batches": [1], "loop": 20}


def test_a_recipe(config):
    config["recipe"] = {"name": "facebook-kinetics", "clip_len": "96", "mean": ["1.5", "2", "3"]}
    config["model"]["run_config"] = "true"
    check(config, ROOT / "config/schema.json")
    assert config["recipe"]["clip_len"] == 96 and config["recipe"]["mean"] == [1.5, 2, 3]
    assert config["model"]["run_config"] is True
    config["recipe"] = "null"
    check(config, ROOT / "config/schema.json")
    assert config["recipe"] is None


@pytest.mark.parametrize(
    ("key", "value"),
    [("batch", "four"), ("batch", "1.5"), ("batch", "true"), ("batch", "0"), ("devices", ["x"])],
)
def test_what_is_no_number_stays_refused(config, key, value):
    config["ascend"][key] = value
    with pytest.raises(UserError, match=rf"ascend\.{key}"):
        check(config, ROOT / "config/schema.json")


def test_digits_that_are_meant_as_text_stay_text(config):
    config["model"]["sha256"] = "12345678"
    check(config, ROOT / "config/schema.json")
    assert config["model"]["sha256"] == "12345678"
