"""Fixtures of the Ascend side."""

import json

import machine
import numpy as np
import pytest

from tsf.data.bins import write_bin


@pytest.fixture
def npu(tmp_path):
    """Makes the environment of a machine with CANN and NPUs, of stand-ins."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return lambda **demands: machine.environment(temporary, **demands)


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A folder of six clips, and what the tiny model gives for each."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(5)
    logits = {}
    # in natural order, as in names, the order is not that of the strings
    for name in ("-a_000001_000011", "b10", "b2", "b9", "c_000009_000019", "d"):
        clip = rng.uniform(-1, 1, (3, 3, 8, 224, 224)).astype("<f4")
        write_bin(clip, folder / f"{name}.bin")
        logits[name] = machine.expected_logits(clip)
    return folder, logits


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """The tiny model as an .om file of the stand-in's, at batch 1 and 4, with how it was made."""
    folder = tmp_path_factory.mktemp("compiled")
    for batch in (1, 4):
        onnx = folder / f"tiny{batch}.onnx"
        machine.tiny_model(onnx, batch)
        arguments = ["--onnx", onnx, "--soc-version", "Ascend310P3", "--batch", batch]
        arguments += machine.RECIPE
        arguments += ["--output", folder / f"bs{batch}.om", "--status", folder / f"bs{batch}.json"]
        result = machine.run(
            "ascend.atc", *arguments, folder=folder, env=machine.environment(folder)
        )
        assert result.returncode == 0, result.stdout
        assert json.loads((folder / f"bs{batch}.json").read_text())["batch"] == batch
    return folder
