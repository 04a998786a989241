"""The engines: what runs the model on a batch of clips.

One is a class with `__init__(model: Path, threads: int)`, `device: str`, `batch: int` and
`run(clips)`: (batch, 3, 3, 8, 224, 224) -> (batch * 3, classes) float32.
"""

from pathlib import Path

ONNX = ["onnxruntime", "openvino", "openvino_bf16"]  # those that run an ONNX model
NAMES = [*ONNX, "torch"]


def load(name: str, model: Path, threads: int):
    """An engine by its name in NAMES. Only its own package is imported. Raises UserError."""
    if name == "onnxruntime":
        from tsf.engines.onnxruntime import OnnxRuntime

        return OnnxRuntime(model, threads)
    if name == "torch":
        from tsf.engines.torch import Torch

        return Torch(model, threads)
    from tsf.engines.openvino import OpenVino

    return OpenVino(model, threads, "bf16" if name == "openvino_bf16" else "f32")
