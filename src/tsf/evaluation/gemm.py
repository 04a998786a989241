"""The machine's limit in matrix multiplication: the speed of the fastest installed library.

A single library may stay far below the limit: on an AMD processor PyTorch's float32 (MKL) has
about half the speed of OpenVINO's.
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from tsf import errors

try:
    import openvino
except ImportError:
    openvino = None

ROWS = 4707  # of a video: 3 views of 1 + 8 * 196 tokens
SHAPES = ((768, 768), (768, 3072), (3072, 768))  # (in, out) of the full-size model's Linears
TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "int8": torch.int8}
SECONDS = 0.2  # of runs, for each library and shape
LAUNCHES = 20  # multiplications a run on a GPU, as one is shorter than waiting for the GPU


def kind(precision: str) -> str:
    """The type in which a setup of a precision multiplies: int8 for int8_bf16 too."""
    return "int8" if precision.startswith("int8") else precision


def fastest_gflops(precision: str, device: str, threads: int) -> float | None:
    """GFLOP/s, for int8 GOP/s: two operations a multiply-add.

    The best over the model's shapes, the libraries and a few runs of each. precision: as in a
    Setup. Returns None for a device that none of the libraries here runs on.
    """
    precision = kind(precision)
    if device == "cpu":
        libraries = [_torch, _onnxruntime] + [_openvino] * (openvino is not None)
    elif device == "cuda" and torch.cuda.is_available():
        libraries = [_torch_cuda]
    else:
        return None
    torch.set_num_threads(threads)
    random = np.random.default_rng(0)
    reached = []
    for inner, outer in SHAPES:
        x = random.standard_normal((ROWS, inner), np.float32)
        weight = random.standard_normal((outer, inner), np.float32)
        for library in libraries:
            if run := library(precision, threads, x, weight):
                launches = LAUNCHES if device == "cuda" else 1
                reached.append(2 * launches * ROWS * inner * outer / _fastest(run) / 1e9)
    return max(reached)


def _fastest(run: Callable[[], object]) -> float:
    """Seconds of the fastest run, of at least three."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


# Each of these functions returns a call that multiplies once with one library (on a GPU: LAUNCHES
# times), or None if the library does not multiply in that precision.
# x: (rows, in) float32; weight: (out, in) float32, as a Linear has it.


def _torch(
    precision: str, threads: int, x: np.ndarray, weight: np.ndarray, device: str = "cpu"
) -> Callable[[], object]:
    a, b = (
        torch.from_numpy(matrix).to(device, TYPES[precision]) for matrix in (x, weight)
    )  # (rows, in), (out, in); as int8 mostly zeros, which take no less time
    if precision == "int8":
        return lambda: torch._int_mm(a, b.t())
    return lambda: torch.nn.functional.linear(a, b)


def _torch_cuda(
    precision: str, threads: int, x: np.ndarray, weight: np.ndarray
) -> Callable[[], object]:
    multiply = _torch(precision, threads, x, weight, "cuda")

    def run() -> None:
        for _ in range(LAUNCHES):
            multiply()
        torch.cuda.synchronize()

    return run


def _onnxruntime(
    precision: str, threads: int, x: np.ndarray, weight: np.ndarray
) -> Callable[[], object] | None:
    if precision != "f32":
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        _model(x, weight).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda: session.run(["y"], {"x": x})


def _openvino(
    precision: str, threads: int, x: np.ndarray, weight: np.ndarray
) -> Callable[[], object] | None:
    core = openvino.Core()
    if precision not in ("f32", "bf16"):
        return None
    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return None
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,
    }
    model = core.read_model(_model(x, weight).SerializeToString())
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(x, shared_memory=True))
    return request.infer


def _model(x: np.ndarray, weight: np.ndarray) -> onnx.ModelProto:
    """y = x weight^T as an ONNX model of one MatMul."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["y"])],
        "gemm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [len(x), len(weight)])],
        [numpy_helper.from_array(np.ascontiguousarray(weight.T), "weight")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--precision", choices=[*TYPES, "int8_bf16"], default="f32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    print(json.dumps(fastest_gflops(args.precision, args.device, args.threads)))


if __name__ == "__main__":
    errors.run(main)
