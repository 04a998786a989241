"""The small trained model, plain and rewritten, and real clips."""

import os
import runpy

import numpy as np
import pytest
import torch
from recipes import GUIDE
from runs import ROOT

from tsf.data.bins import write_bin
from tsf.model import export_optimised, npu, optimised
from tsf.model.load import load
from tsf.model.recogniser import build_recogniser
from tsf.model.settings import from_mmaction2

CHECKPOINT = ROOT / "models/tsf_sample.pth"
CLASSES = 8


@pytest.fixture(scope="session")
def recipe():
    """The sample's, as mmaction2 0.x prepares a clip."""
    return GUIDE


@pytest.fixture(scope="session")
def settings():
    """mmaction2's settings of the sample's `model`."""
    return runpy.run_path(str(ROOT / "models/tsf_sample.py"))["model"]


@pytest.fixture(scope="session")
def model(settings, recipe):
    """The sample's architecture and weights."""
    return load(CHECKPOINT, from_mmaction2(settings, "tsf_sample.py"), recipe, CLASSES)


@pytest.fixture(scope="session")
def state(model):
    """The checkpoint's weights by name."""
    return model.weights


@pytest.fixture(scope="session")
def shape(model):
    return model.architecture


@pytest.fixture(scope="session")
def recogniser(mmaction2, model):
    """mmaction2's recogniser."""
    return build_recogniser(mmaction2, model)


@pytest.fixture(scope="session")
def plain(mmaction2, model):
    """mmaction2's recogniser in float64."""
    return build_recogniser(mmaction2, model).double()


@pytest.fixture(scope="session")
def rewritten(shape, state):
    """The optimised model in float64."""
    return optimised.OptimisedTimeSformer(shape, state)


@pytest.fixture(scope="session")
def bins(sample_run):
    """The sample's .bin files."""
    return sorted((sample_run.results / "out_bin").glob("*/*.bin"))


@pytest.fixture(scope="session")
def clips(bins, recipe):
    """Three of the sample's videos, (3, 3, 3, 8, 224, 224) float32."""
    read = [np.fromfile(path, "<f4").reshape(recipe.shape) for path in bins[:3]]
    return torch.from_numpy(np.stack(read))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exact")


@pytest.fixture(scope="session")
def tsf_opt_onnx(shape, state, recipe, folder):
    """The optimised model for one video."""
    small = optimised.OptimisedTimeSformer(shape, state).float()
    export_optimised.export(small, (1, *recipe.shape), folder / "tsf_opt.onnx")
    return folder / "tsf_opt.onnx"


@pytest.fixture(scope="session")
def tsf_npu_onnx(shape, state, recipe, folder):
    """The model laid out for an NPU, for one video."""
    laid_out = npu.NpuTimeSformer(shape, state).float()
    export_optimised.export(laid_out, (1, *recipe.shape), folder / "tsf_npu.onnx")
    return folder / "tsf_npu.onnx"


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(5)


@pytest.fixture(params=["float32", "uint8"])
def dtype(request):
    return request.param


@pytest.fixture
def three_bins(tmp_path, dtype):
    """Three .bin files, the later ones with a view of their own."""
    paths = []
    for number in range(3):
        clip = np.full((3, 3, 8, 224, 224), number, dtype)
        clip[2] += number
        paths.append(tmp_path / f"video{number}_000000_000010.bin")
        write_bin(clip, paths[-1])
    return paths


@pytest.fixture
def zumba_refused(monkeypatch):
    """A folder zumba cannot be read, as for another user; for root every folder can be."""
    scandir = os.scandir

    def refused(path):
        if str(path).endswith("zumba"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", refused)
