"""The interface of every engine, and how an engine is loaded."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np

from tsf.engines.setup import Setup


class Engine(Protocol):
    """A loaded model."""

    device: str  # the name of the processor or GPU, for the reports
    batch: int  # videos a run
    dtype: str  # of the clips that the model takes: float32 or uint8

    def run(self, clips: np.ndarray) -> np.ndarray:
        """The logits, (batch * views, classes) float32.

        clips: (batch, views, 3, frames, y, x) of `dtype`.
        """
        ...


# the type of `load` in every engine's module: setup, model's file, threads -> the loaded model
Load = Callable[[Setup, Path, int], Engine]


def load_engine(setup: Setup, model: Path, threads: int) -> Engine:
    """Load a model by `tsf.engines.<engine>`, importing no other engine. Raises UserError.

    The module's name is computed, so that a step depends on the files of the engine that it runs
    and not on those of every engine (see tsf.workflow.sources).
    """
    load: Load = import_module(f"tsf.engines.{setup.engine}").load
    return load(setup, model, threads)
