"""The engine ONNX Runtime, on the CPU or on a device for which it has an execution provider."""

from pathlib import Path

import numpy as np
import onnxruntime

from tsf.engines.cpu import cpu_name
from tsf.engines.engine import Load
from tsf.engines.setup import Setup
from tsf.errors import UserError, on_one_line

SUFFIX = "ExecutionProvider"
PACKAGES = {"cuda": "onnxruntime-gpu", "cann": "onnxruntime-cann"}


class OnnxRuntime:
    """An ONNX model on one of ONNX Runtime's execution providers."""

    def __init__(self, setup: Setup, model: Path, threads: int):
        wanted = provider(setup.device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors
        try:
            # the CPU runs the operators for which the other provider has no kernel
            self.session = onnxruntime.InferenceSession(
                str(model), options, providers=list(dict.fromkeys([wanted, f"CPU{SUFFIX}"]))
            )
        except Exception as error:  # the runtime's exceptions share no other base
            raise UserError(
                f"{model}: ONNX Runtime cannot load it: {on_one_line(error)}; delete it and run "
                "again"
            ) from None
        used = self.session.get_providers()[0]
        if used != wanted:
            raise UserError(
                f"ONNX Runtime cannot start {wanted} and would run on {used}; install its driver "
                f"and libraries, or leave out device: {setup.device}"
            )
        self.model = model
        self.device = cpu_name() if setup.device == "cpu" else f"{setup.device}, ONNX Runtime"
        entry = self.session.get_inputs()[0]
        self.batch: int = entry.shape[0]
        self.dtype = "uint8" if entry.type == "tensor(uint8)" else "float32"

    def run(self, clips: np.ndarray) -> np.ndarray:
        """The logits, (batch * views, classes) float32.

        clips: (batch, views, 3, frames, y, x) of `dtype`. Raises UserError.
        """
        try:
            return self.session.run(["result"], {"imgs": clips})[0]
        except Exception as error:  # as above
            raise UserError(
                f"{self.model}: ONNX Runtime cannot run it: {on_one_line(error)}"
            ) from None


def provider(device: str) -> str:
    """The execution provider's name. Raises UserError if this ONNX Runtime does not have it."""
    providers = {
        name.removesuffix(SUFFIX).lower(): name for name in onnxruntime.get_available_providers()
    }
    if device not in providers:
        package = PACKAGES.get(device)
        remedy = f"install {package} in place of onnxruntime" if package else "use one of these"
        raise UserError(
            f"this ONNX Runtime has no device {device!r}, but {', '.join(sorted(providers))}; "
            f"{remedy}"
        )
    return providers[device]


load: Load = OnnxRuntime
