"""The engine OpenVINO, on the CPU in a chosen precision."""

from pathlib import Path

import numpy as np

from tsf.engines.cpu import cpu_name
from tsf.engines.engine import Load
from tsf.engines.setup import Setup
from tsf.errors import UserError, on_one_line

try:
    import openvino
except ImportError:
    raise UserError(
        "the engine openvino needs the package openvino, which is not in this Python; install the "
        "pins of envs/cpu.yaml (on aarch64 that one needs glibc 2.35), or use onnxruntime"
    ) from None


class OpenVino:
    """An ONNX model, or a quantised one, on OpenVINO's CPU plugin."""

    def __init__(self, setup: Setup, model: Path, threads: int):
        core = openvino.Core()
        capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        # without a hint the plugin computes in bfloat16 if the CPU has it
        hint = "bf16" if setup.precision.endswith("bf16") else "f32"
        if hint == "bf16" and "BF16" not in capabilities:
            instead = setup.precision.removesuffix("bf16").removesuffix("_") or "f32"
            raise UserError(
                f"openvino: precision {setup.precision} needs a CPU with bfloat16, and "
                f"{cpu_name()} has {', '.join(capabilities)}; use {instead}"
            )
        settings = {
            "INFERENCE_PRECISION_HINT": hint,
            "PERFORMANCE_HINT": "LATENCY",  # one stream, all threads on it
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # jobs side by side would be pinned to the same cores
        }
        try:
            network = core.read_model(str(model))
            if setup.quantised:
                of_a_video = list(network.input("imgs").partial_shape)[1:]
                network.reshape({"imgs": [setup.batch, *of_a_video]})
            self.compiled = core.compile_model(network, "CPU", settings)
        except RuntimeError as error:
            raise UserError(
                f"{model}: OpenVINO cannot load it: {on_one_line(error)}; delete it and run again"
            ) from None
        self.device = f"{cpu_name()}, {setup.precision}"
        entry = self.compiled.input(0)
        self.batch: int = entry.shape[0]
        self.dtype = "uint8" if entry.element_type == openvino.Type.u8 else "float32"

    def run(self, clips: np.ndarray) -> np.ndarray:
        """The logits, (batch * views, classes) float32.

        clips: (batch, views, 3, frames, y, x) of `dtype`.
        """
        return self.compiled({"imgs": clips})["result"]


load: Load = OpenVino
