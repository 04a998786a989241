"""What each rewrite saves: by formula, against the exported graphs and at full size."""

import json
import math

import onnx
import pytest
from markdown_rows import rows
from runs import ROOT
from timesformers import FULL

from tsf.errors import UserError
from tsf.model import rewrites
from tsf.model.macs import macs
from tsf.recipe.record import to_json
from tsf.report import rewrites as report_rewrites

VIEWS = 3


@pytest.fixture
def command_line(
    mmaction2,
    settings,
    recipe,
    tsf_sim_onnx,
    tsf_opt_onnx,
    tsf_npu_onnx,
    tmp_path,
    monkeypatch,
):
    """Run the step; the models may be others. Returns the json and the markdown."""

    def run(plain=tsf_sim_onnx, optimised=tsf_opt_onnx, npu=tsf_npu_onnx):
        output, report = tmp_path / "r.json", tmp_path / "r.md"
        options = {
            "mmaction2": mmaction2,
            "settings": json.dumps(settings),
            "checkpoint": ROOT / "models/tsf_sample.pth",
            "classes": 8,
            "recipe": to_json(recipe),
            "plain": plain,
            "optimised": optimised,
            "npu": npu,
            "output": output,
        }
        line = [f"--{name}={value}" for name, value in options.items()]
        monkeypatch.setattr("sys.argv", ["tsf", *line])
        rewrites.main()
        monkeypatch.setattr("sys.argv", ["tsf", f"--rewrites={output}", f"--output={report}"])
        report_rewrites.main()
        return json.loads(output.read_text()), report.read_text("utf-8")

    return run


def added(shape):
    return {cost.letter: cost.macs for cost in rewrites.layout_costs(shape)}


def saved(shape, what):
    return sum(getattr(saving, what) for saving in rewrites.savings(shape, VIEWS))


def multiplied(path):
    """How many values a view the Mul nodes of a model give."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True).graph
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in graph.value_info}
    names = [node.output[0] for node in graph.node if node.op_type == "Mul"]
    return sum(math.prod(shapes[name]) for name in names) // VIEWS


# ---- the sample's model ----


def test_the_multiply_adds_are_the_difference_of_the_graphs(shape, tsf_sim_onnx, tsf_opt_onnx):
    assert VIEWS * saved(shape, "macs") == macs(tsf_sim_onnx) - macs(tsf_opt_onnx)


def test_the_layout_adds_the_difference_of_the_graphs(shape, tsf_opt_onnx, tsf_npu_onnx):
    assert VIEWS * sum(added(shape).values()) == macs(tsf_npu_onnx) - macs(tsf_opt_onnx)


def test_the_parameters_are_the_difference_of_the_models(shape, plain, rewritten):
    before, after = (sum(p.numel() for p in model.parameters()) for model in (plain, rewritten))
    assert saved(shape, "parameters") == before - after


def test_the_values_are_those_that_no_mul_gives(shape, tsf_sim_onnx, tsf_opt_onnx):
    by_number = {saving.number: saving.values for saving in rewrites.savings(shape, VIEWS)}
    # what rewrite 2 takes: rows of the query and of the LayerNorms before the last MLP and the
    # head, and two Muls of that MLP's Gelu
    rows = shape.tokens - 1
    query = shape.frames * (1 + shape.patches) - 1
    unasked = (query + 2 * rows) * shape.width + 2 * rows * shape.hidden
    found = multiplied(tsf_sim_onnx) - multiplied(tsf_opt_onnx)
    assert by_number[5] + by_number[6] // 2 + unasked == found
    # a key and a value of every query but the class token's
    assert by_number[4] == 2 * (by_number[5] - shape.width)


def test_the_reports(command_line, shape, tsf_sim_onnx, tsf_opt_onnx, tsf_npu_onnx):
    found, text = command_line()
    total = saved(shape, "macs")
    assert found["views"] == VIEWS
    assert found["total"]["macs"] == total == sum(row["macs"] for row in found["rewrites"])
    assert VIEWS * found["counted"]["plain"] == macs(tsf_sim_onnx)
    assert VIEWS * found["counted"]["optimised"] == macs(tsf_opt_onnx)
    percent = f"{100 * total / found['plain_macs']:.2f}"
    assert ["", "all", f"{total / 1e9:.3f}", percent] in [row[:4] for row in rows(text)]
    assert VIEWS * found["counted"]["npu"] == macs(tsf_npu_onnx)
    assert found["layout_macs"] == sum(row["macs"] for row in found["layout"])
    assert "counted in both" in text
    left = found["counted"]["optimised"]
    all_of_it = [f"{found['layout_macs'] / 1e9:.3f}", f"{100 * found['layout_macs'] / left:.2f}"]
    assert ["", "all", *all_of_it] in rows(text.split("## What the layout")[1])
    # every block keeps its Gelu; query, key and value of 6 attentions are not split any more
    operators = rows(text.split("## Operators")[1])[1:]
    assert "Erf" in found["operators"] and "Erf" not in [kind for kind, *_ in operators]
    assert found["operators"]["Split"] == [6, 0, 0] and ["Split", "6", "0", "0"] in operators
    changes = [max(map(int, counts)) - min(map(int, counts)) for _, *counts in operators]
    assert changes == sorted(changes, reverse=True) and min(changes) > 0


def test_a_model_that_cannot_be_counted_is_said_to_be(command_line, tsf_onnx):
    found, text = command_line(plain=tsf_onnx)
    assert found["counted"]["plain"] is None and found["counted"]["optimised"] is not None
    assert "could not be counted in tsf.onnx: " in text and "counted in both" not in text


def test_another_model_is_refused(command_line, tsf_sim_onnx):
    with pytest.raises(UserError, match="the optimised model has") as fault:
        command_line(optimised=tsf_sim_onnx)
    assert str(fault.value).startswith(f"{tsf_sim_onnx}: ") and "\n" not in str(fault.value)
    with pytest.raises(UserError, match="the npu model has"):
        command_line(npu=tsf_sim_onnx)


# ---- the full-size model ----


def test_at_full_size():
    by_number = {saving.number: saving for saving in rewrites.savings(FULL, VIEWS)}
    plain = rewrites.plain_macs(FULL)
    assert round(plain / 1e9, 2) == 195.83
    percent = {n: round(100 * saving.macs / plain, 2) for n, saving in by_number.items()}
    assert percent == {1: 5.67, 2: 4.97, 3: 0.94} | dict.fromkeys(range(4, 9), 0)
    assert round(100 * saved(FULL, "macs") / plain, 2) == 11.57
    assert by_number[1].parameters == 12 * (768**2 + 768) == 7_087_104
    assert by_number[7].bin_bytes == 14_450_688 - 3_612_672
    assert "3,612,672 bytes, not 14,450,688" in by_number[7].also


def test_the_layout_at_full_size():
    """By hand: 1664 rows where there were 1568, 1576 and 1569; 208 keys where there were 197."""
    temporal = 12 * (4 * 96 * 768**2 + 2 * 96 * 8 * 768)
    spatial = 11 * (4 * 88 * 768**2 + 2 * 8 * (208**2 - 197**2) * 768)
    mlp = 11 * 2 * 95 * 768 * 3072
    last = 2 * 12 * 88 * 768
    a, e = temporal + spatial + mlp + last, 12 * 2 * 1664 * (16 - 8) * 768
    assert added(FULL) == {"a": a, "b": 0, "c": 0, "d": 0, "e": e, "f": 0}
    left = rewrites.plain_macs(FULL) - saved(FULL, "macs")
    assert (round(100 * a / left, 2), round(100 * e / left, 2)) == (6.09, 0.14)
