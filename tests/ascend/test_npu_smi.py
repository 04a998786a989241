"""The tables of npu-smi, form by form; the expected values are read off them by eye."""

import pytest
from machine import STAND_INS

from tsf.ascend import npu_smi
from tsf.ascend.npu_smi import Chip
from tsf.errors import UserError

TABLES = STAND_INS / "npu_smi"
EXPECTED = {
    "guide": [
        Chip(0, 0, "310P3", "OK", 0, 1074, 21534),
        Chip(1, 0, "310P3", "OK", 1, 1070, 21534),
    ],
    # cards are not counted on, the memory touches its slash, the process table is no device
    "310p3-wide": [
        Chip(7, 0, "310P3", "OK", 0, 1535, 44216),
        Chip(32768, 1, "310P3", "Warning", 1, 20000, 43693),
    ],
    "310b4": [Chip(0, 0, "310B4", "Alarm", 0, 2271, 7545)],
    # no Device column, and the HBM beside the memory
    "910a": [
        Chip(0, 0, "910A", "OK", 0, 1, 32768),
        Chip(32, 0, "910A", "OK", 1, 30000, 32768),
    ],
    "910b4": [
        Chip(5, 0, "910B4", "OK", 0, 3161, 32768),
        Chip(6, 0, "910B4", "OK", 1, 2822, 32768),
    ],
    "a3": [
        Chip(0, 0, "Ascend910", "OK", 0, 3422, 65536),
        Chip(0, 1, "Ascend910", "OK", 1, 3106, 65536),
    ],
    "mixed": [
        Chip(0, 0, "310P3", "OK", 0, 1074, 21534),
        Chip(96, 0, "310", "OK", 1, 703, 8192),
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_table(name):
    assert npu_smi.parse_info((TABLES / f"{name}.txt").read_text()) == EXPECTED[name]


def test_every_table_is_tested():
    assert {path.stem for path in TABLES.glob("*.txt")} == {*EXPECTED, "a3-board"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dcmi module initialize failed. ret is -8005",
        # a first line alone
        "| 0       310P3     | OK              | 15.8         42                0    / 0  |",
        # a second line alone
        "| 0       0         | 0000:82:00.0    | 0            1074 / 21534              |",
        # processes
        "| 0       0         | 4711            | python3      | 1074                    |",
    ],
)
def test_what_is_no_device(text):
    assert npu_smi.parse_info(text) == []


@pytest.mark.parametrize(
    ("name", "soc_version"),
    [
        ("310P3", "Ascend310P3"),
        ("Ascend310P3", "Ascend310P3"),
        ("Ascend 310P3", "Ascend310P3"),
        (" 910B4-1 ", "Ascend910B4-1"),
    ],
)
def test_the_prefix_is_added_only_if_missing(name, soc_version):
    assert npu_smi.normalise(name) == soc_version


def test_the_board_tells_a_chip_that_the_table_does_not():
    assert npu_smi.parse_board((TABLES / "a3-board.txt").read_text()) == "Ascend910_9391"


@pytest.fixture
def table(monkeypatch, npu):
    """Chooses what the stand-in of npu-smi prints."""

    def choose(name):
        for variable, value in npu(NPU_SMI=name).items():
            monkeypatch.setenv(variable, value)

    return choose


@pytest.mark.parametrize(
    ("name", "soc_version"),
    [
        ("guide", "Ascend310P3"),
        ("310b4", "Ascend310B4"),
        ("910a", "Ascend910A"),
        ("a3", "Ascend910_9391"),
    ],
)
def test_soc_version_is_the_one_kind_of_chip(table, name, soc_version):
    table(name)
    assert npu_smi.soc_version(None) == soc_version


def test_the_config_wins(table):
    table("mixed")
    assert npu_smi.soc_version("Ascend310P1") == "Ascend310P1"


def test_several_kinds_are_a_question(table):
    table("mixed")
    with pytest.raises(UserError) as fault:
        npu_smi.soc_version(None)
    text = str(fault.value)
    assert "\n" not in text and text.startswith("npu-smi shows several kinds of chip")
    assert "device 0: Ascend310P3" in text and "device 1: Ascend310" in text
    assert npu_smi.soc_version_if_known(None) == "the chip that npu-smi shows"


def test_npu_smi_that_fails_is_told_with_its_own_words(table):
    table("fails")
    with pytest.raises(UserError, match="ended with status 1: dcmi module initialize failed"):
        npu_smi.soc_version(None)


def test_no_npu_smi(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"npu-smi is not on PATH.*soc_version: Ascend310P3"):
        npu_smi.soc_version(None)
