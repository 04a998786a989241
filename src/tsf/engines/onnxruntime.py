"""ONNX Runtime on the CPU: the embedded engine."""

from pathlib import Path

import numpy as np
import onnxruntime

from tsf.engines.device import cpu_name
from tsf.errors import UserError


class OnnxRuntime:
    """An ONNX model on ONNX Runtime's CPU provider."""

    def __init__(self, model: Path, threads: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors
        try:
            self.session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's exceptions share no other base
            raise UserError(f"{model}: ONNX Runtime cannot load it: {error}") from None
        self.device = cpu_name()
        self.batch = self.session.get_inputs()[0].shape[0]

    def run(self, clips: np.ndarray) -> np.ndarray:
        """clips: (batch, 3, 3, 8, 224, 224) float32. Returns (batch * 3, classes) float32."""
        return self.session.run(["result"], {"imgs": clips})[0]
