"""mmaction2's own model in PyTorch on the CPU, float32: the reference, as an engine."""

from pathlib import Path

import numpy as np
import torch

from tsf.engines.device import cpu_name
from tsf.errors import UserError


class Torch:
    """A program that tsf.export_torch saved."""

    def __init__(self, model: Path, threads: int):
        torch.set_num_threads(threads)
        try:
            program = torch.export.load(model)
        except Exception as error:  # the loader's exceptions share no other base
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{model}: PyTorch cannot load it: {reason}") from None
        self.program = program.module()
        self.device = f"{cpu_name()}, PyTorch {torch.__version__}"
        self.batch = program.example_inputs[0][0].shape[0]

    def run(self, clips: np.ndarray) -> np.ndarray:
        """clips: (batch, 3, 3, 8, 224, 224) float32. Returns (batch * 3, classes) float32."""
        with torch.inference_mode():
            return self.program(torch.from_numpy(clips)).numpy()
