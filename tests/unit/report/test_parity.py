"""parity.md has a row a boundary."""

from tables import rows

from tsf.report.parity import markdown


def boundaries(**changes):
    """What the comparison of four boundaries gives; changes: by position."""
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


def test_the_table_has_a_row_a_boundary():
    content = {"clips": ["a", "b"], "boundaries": boundaries()}
    assert rows(markdown(content))[1:] == [
        ["uint8 .bin, normalised", "0", "0", "1.000000000", "-", "max abs 0"],
        ["tsf.onnx", "1e-06", "1e-07", "1.000000000", "100%", "max abs 0.0001"],
        ["tsf_sim.onnx", "1e-06", "1e-07", "1.000000000", "100%", "max abs 0.0001"],
        [
            *("tsf_sim.onnx (openvino_bf16)", "1e-06", "1e-07", "1.000000000", "100%"),
            "relative l2 0.05",
        ],
    ]
