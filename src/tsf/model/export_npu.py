"""Export the model laid out for an NPU, tsf.model.npu, to ONNX."""

from tsf import errors
from tsf.model import export_optimised
from tsf.model.npu import NpuTimeSformer


def main() -> None:
    export_optimised.main(NpuTimeSformer)


if __name__ == "__main__":
    errors.run(main)
