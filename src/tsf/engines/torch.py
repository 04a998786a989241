"""The engine torch: mmaction2's own model in PyTorch, on the CPU or a GPU."""

from pathlib import Path

import numpy as np
import torch
from torch.export.passes import move_to_device_pass

from tsf.engines.cpu import cpu_name
from tsf.engines.engine import Load
from tsf.engines.setup import Setup
from tsf.errors import UserError, on_one_line

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Torch:
    """A program that tsf.model.export_torch saved, on the CPU or a GPU."""

    dtype = "float32"

    def __init__(self, setup: Setup, model: Path, threads: int):
        if setup.device == "cuda" and not torch.cuda.is_available():
            raise UserError(
                f"torch: device cuda, but PyTorch {torch.__version__} sees no GPU; install its "
                "driver and a PyTorch with CUDA, or leave out device: cuda"
            )
        torch.set_num_threads(threads)
        try:
            program = torch.export.load(model)
        except Exception as error:  # the loader's exceptions share no other base
            raise UserError(
                f"{model}: PyTorch cannot load it: {on_one_line(error)}; delete it and run again"
            ) from None
        self.batch: int = program.example_inputs[0][0].shape[0]
        self.where, self.type = setup.device, TYPES[setup.precision]
        self.program = move_to_device_pass(program, self.where).module()
        name = cpu_name() if self.where == "cpu" else torch.cuda.get_device_name()
        self.device = f"{name}, PyTorch {torch.__version__}, {setup.precision}"

    def run(self, clips: np.ndarray) -> np.ndarray:
        """The logits, (batch * views, classes) float32.

        clips: (batch, views, 3, frames, y, x) float32.
        """
        lower = self.type != torch.float32
        with torch.inference_mode(), torch.autocast(self.where, self.type, enabled=lower):
            return self.program(torch.from_numpy(clips).to(self.where)).float().cpu().numpy()


load: Load = Torch
