"""A stand-in of ais_bench: its front as it behaves, ONNX Runtime on the CPU behind it."""
