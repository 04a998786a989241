"""Fixtures of the Ascend side."""

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
        assert machine.compiled_model(onnx, folder / f"bs{batch}.om", batch)["batch"] == batch
    return folder
