"""The environment of a machine with CANN, an NPU and ais_bench, all of them stand-ins."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from recipes import GUIDE
from runs import ROOT

from tsf.recipe.record import to_json

STAND_INS = ROOT / "tests/standins"
BIN_BYTES = 14_450_688  # of one clip, as the guide's preprocessing writes it
RECIPE = ["--recipe", to_json(GUIDE)]  # that of the tiny model
WEIGHTS = np.arange(24, dtype=np.float32).reshape(3, 8) - 11  # of the tiny model


def environment(temporary: Path, **demands: str) -> dict[str, str]:
    """The variables that set_env.sh sets. demands: STAND_IN_... ones, without that prefix."""
    paths = {
        "PATH": f"{STAND_INS / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(STAND_INS / "python"),
        "ASCEND_TOOLKIT_HOME": str(STAND_INS / "cann"),
        "STAND_IN_PYTHON": sys.executable,
        "TMPDIR": str(temporary),  # device locks of these tests alone
    }
    return paths | {f"STAND_IN_{name}": value for name, value in demands.items()}


def run(module: str, *arguments, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess:
    """A step by hand, as a rule runs it."""
    modules = f"{ROOT / 'src'}{os.pathsep}{env.get('PYTHONPATH', '')}"
    return subprocess.run(
        [sys.executable, "-m", f"tsf.{module}", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **env, "PYTHONPATH": modules},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def error(result: subprocess.CompletedProcess) -> str:
    """The one line that the user is told; there is no traceback of ours."""
    assert result.returncode == 1, result.stdout
    assert "src/tsf/" not in result.stdout, result.stdout  # as in a traceback's lines
    lines = [line for line in result.stdout.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stdout
    return lines[0]


def tiny_model(path: Path, batch: int, taken: int = TensorProto.FLOAT) -> None:
    """imgs (batch, 3, 3, 8, 224, 224) -> result (batch * 3, 8): the first pixel @ WEIGHTS."""
    shape = [batch, 3, 3, 8, 224, 224]
    nodes = [
        helper.make_node("Slice", ["imgs", "zeros", "ones", "axes"], ["pixels"]),
        helper.make_node("Cast", ["pixels"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["values", "shape"], ["views"]),
        helper.make_node("MatMul", ["views", "weights"], ["result"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("imgs", taken, shape)],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, [batch * 3, 8])],
        [
            numpy_helper.from_array(np.array([0, 0, 0]), "zeros"),
            numpy_helper.from_array(np.array([1, 1, 1]), "ones"),
            numpy_helper.from_array(np.array([3, 4, 5]), "axes"),
            numpy_helper.from_array(np.array([batch * 3, 3]), "shape"),
            numpy_helper.from_array(WEIGHTS, "weights"),
        ],
    )
    opset = helper.make_opsetid("", 11)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


def expected_logits(clip: np.ndarray) -> np.ndarray:
    """The tiny model's logits, (3, 8), of a clip (3, 3, 8, 224, 224)."""
    return clip[:, :, 0, 0, 0].astype(np.float64) @ WEIGHTS
