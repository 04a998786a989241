"""The tests' stand-in of ais_bench with a model that sleeps: it takes the time that a device would.

BENCH_LOAD_SECONDS: what the model takes to load; BENCH_INFER_SECONDS: a run of it. Its logits are
those of the first run, for every clip.
"""

import os
import runpy
import time
from pathlib import Path
from typing import Any

import onnxruntime


class SleepingSession(onnxruntime.InferenceSession):
    """Computes once, and sleeps whenever it is run."""

    def __init__(self, *arguments: Any, **options: Any):
        time.sleep(float(os.environ["BENCH_LOAD_SECONDS"]))
        super().__init__(*arguments, **options)
        self.result = None

    def run(self, names: Any, feeds: Any, options: Any = None) -> Any:
        start = time.perf_counter()
        if self.result is None:
            self.result = super().run(names, feeds, options)
        time.sleep(max(0, start + float(os.environ["BENCH_INFER_SECONDS"]) - time.perf_counter()))
        return self.result


onnxruntime.InferenceSession = SleepingSession
stand_in = Path(os.environ["BENCH_STAND_INS"], "python/ais_bench/__main__.py")
runpy.run_path(str(stand_in), run_name="__main__")
