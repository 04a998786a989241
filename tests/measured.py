"""Measurements in the form of the steps' JSON, for tests of several steps."""

from tsf.evaluation.performance_record import performance_record

NPU_RUN = performance_record(
    "ascend",
    "tsf_bs4.om",
    "force_fp16",
    4,
    "Ascend310P3",
    [530.0, 531.0, 532.6],
    h2d_milliseconds=1.5,
)


def boundaries(**changes):
    """The distances of four boundaries. changes: n<position> -> other values of that boundary."""
    same = {"max_abs": 1e-6, "relative_l2": 1e-7, "cosine": 1.0, "top1_agreement": 1.0}
    limits = {
        "uint8 .bin, normalised": ("max_abs", 0),
        "tsf.onnx": ("max_abs", 1e-4),
        "tsf_sim.onnx": ("max_abs", 1e-4),
        "tsf_sim.onnx (openvino_bf16)": ("relative_l2", 0.05),
    }
    found = [
        {"name": name, **same, "measure": measure, "allowed": allowed}
        for name, (measure, allowed) in limits.items()
    ]
    found[0] |= {"max_abs": 0.0, "relative_l2": 0.0, "top1_agreement": None}
    for position, change in changes.items():
        found[int(position[1:])] |= change
    return found
