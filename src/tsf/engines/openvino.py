"""OpenVINO on the CPU, in the precision that is asked for."""

from pathlib import Path

import numpy as np

from tsf.engines.device import cpu_name
from tsf.errors import UserError

try:
    import openvino
except ImportError:
    raise UserError(
        "the engine openvino needs its package: pip install openvino==2026.4.1"
    ) from None


class OpenVino:
    """An ONNX model on OpenVINO's CPU plugin."""

    def __init__(self, model: Path, threads: int, precision: str):
        """precision: f32 or bf16; left to itself the plugin takes bf16 where the CPU has it."""
        core = openvino.Core()
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bf16" and "BF16" not in able:
            raise UserError(
                f"the engine openvino_bf16 needs a CPU with bfloat16, and {cpu_name()} has "
                f"{', '.join(able)}; use openvino"
            )
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",  # one stream, all threads on it
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # jobs side by side would be pinned to the same cores
        }
        try:
            self.compiled = core.compile_model(str(model), "CPU", settings)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{model}: OpenVINO cannot load it: {reason}") from None
        self.device = f"{cpu_name()}, {precision}"
        self.batch = self.compiled.input(0).shape[0]

    def run(self, clips: np.ndarray) -> np.ndarray:
        """clips: (batch, 3, 3, 8, 224, 224) float32. Returns (batch * 3, classes) float32."""
        return self.compiled({"imgs": clips})["result"]
