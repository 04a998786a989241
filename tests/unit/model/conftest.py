"""Clips that need no run of the workflow, and mmaction2's model in ONNX."""

import cv2
import numpy as np
import pytest
import torch

from tsf.model import export, simplify
from tsf.sample.clips import LABELS, clip_rng, draw_scene, render_frames

CROP_LEFTS = (0, 116, 58)  # left, right, middle of 340 pixels


def paint(index):
    """One of the sample's clips, never encoded: (3, 3, 8, 224, 224) uint8."""
    rng = clip_rng(1, "val", index)
    frames = list(render_frames(rng, draw_scene(rng, LABELS[index])))[8 : 8 + 8 * 32 : 32]
    rgb = np.stack([cv2.cvtColor(f, cv2.COLOR_YUV2RGB_I420) for f in frames])  # (8, 256, 340, 3)
    views = [rgb[:, 16 : 16 + 224, x : x + 224] for x in CROP_LEFTS]
    return np.ascontiguousarray(np.stack(views).transpose(0, 4, 1, 2, 3))


@pytest.fixture(scope="session")
def pixels():
    """Three videos, (3, 3, 3, 8, 224, 224) uint8."""
    return np.stack([paint(index) for index in range(3)])


@pytest.fixture(scope="session")
def clips(pixels):
    """The same, normalised, float32."""
    return (torch.from_numpy(pixels).float() - 127.5) / 127.5


@pytest.fixture(scope="session")
def tsf_onnx(mmaction2, recogniser, recipe, folder):
    """mmaction2's model for one video."""
    export.export(mmaction2, recogniser, (1, *recipe.shape), folder / "tsf.onnx")
    return folder / "tsf.onnx"


@pytest.fixture(scope="session")
def tsf_sim_onnx(tsf_onnx, folder):
    simplify.simplify(tsf_onnx, folder / "tsf_sim.onnx")
    return folder / "tsf_sim.onnx"
