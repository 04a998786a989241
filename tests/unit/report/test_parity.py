"""parity.md has a row a boundary."""

from markdown_rows import rows
from measured import boundaries

from tsf.report.parity import markdown


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
