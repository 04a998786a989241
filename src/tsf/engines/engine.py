"""What every engine does, and how one is loaded."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np

from tsf.engines.setup import Setup


class Engine(Protocol):
    """A loaded model."""

    device: str  # what it runs on, by name, for the reports
    batch: int  # the videos that it takes at a time
    dtype: str  # of the clips that it takes: float32, or uint8

    def run(self, clips: np.ndarray) -> np.ndarray:
        """clips: (batch, 3, 3, 8, 224, 224) of `dtype`. Returns (batch * 3, classes) float32."""
        ...


# what every engine's module has as `load`: setup, model's file, threads -> the loaded model
Load = Callable[[Setup, Path, int], Engine]


def load_engine(setup: Setup, model: Path, threads: int) -> Engine:
    """The model loaded by `tsf.engines.<engine>`, whose package alone is imported.

    The name is computed so that a step depends on the files of the engine that it runs, not of
    every engine. Raises UserError.
    """
    load: Load = import_module(f"tsf.engines.{setup.engine}").load
    return load(setup, model, threads)
