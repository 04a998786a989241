"""The table in Chinese and that of the variants, from measurements given by hand."""

from markdown_rows import rows

from tsf.ascend.performance_summary import GUIDE
from tsf.report import ascend_table, ascend_variants

SCORED = {"top1": 77.684, "videos": 19796, "batch": 1, "device": "Ascend310P3, force_fp16"}


def run(batch, fps, device="Ascend310P3"):
    precision = {"precision": "force_fp16", "fast_gelu": True}
    return {"batch": batch, "videos_per_second": fps, "device": device, **precision}


def table(runs, macs=587_500_000_000, same=True, **scored):
    accuracy = {"engines": {"ascend": SCORED | scored, "onnxruntime": {}}}
    guide = GUIDE | {"same_model": same}
    performance = {"runs": runs, "guide": guide, "macs_per_video": macs}
    return rows(ascend_table.markdown(accuracy, performance, "Kinetics400"))


GUIDES = ["Ascend 310P3（指南）", "1", "Kinetics400", "top1 acc= 77.68", "7.53 fps"]


def test_the_guides_table():
    assert table([run(1, 7.534), run(4, 9.876)]) == [
        ["芯片型号", "Batch Size", "数据集", "精度", "性能"],
        ["Ascend 310P3", "1", "Kinetics400", "top1 acc= 77.68", "7.53 fps"],
        # no accuracy is claimed for a batch size that the dataset was not scored at
        ["Ascend 310P3", "4", "Kinetics400", "-", "9.88 fps"],
        GUIDES,
    ]


def test_the_guides_row_is_marked_beside_another_model():
    found = table([run(1, 7.534)], 940_000_000, same=False)
    assert found[-1][0] == (
        "Ascend 310P3（指南；另一个模型：每个视频 587.5 G 次乘加，本模型 0.94 G）"
    )
    assert table([run(1, 7.534)], None, same=None)[-1][0] == (
        "Ascend 310P3（指南；其模型每个视频 587.5 G 次乘加，本模型的未知）"
    )


def test_a_dataset_scored_at_another_batch_size_and_without_labels():
    found = table([run(1, 7.5)], batch=2, videos=0, top1=0.0)
    assert found[1:3] == [
        ["Ascend 310P3", "1", "Kinetics400", "-", "7.50 fps"],
        ["Ascend 310P3", "2", "Kinetics400", "无标签", "-"],
    ]


def test_a_stand_in_does_not_pass_for_a_chip():
    found = table([run(1, 7.5, "stand-in for Ascend310P3: ONNX Runtime on the CPU")])
    assert found[1][0] == "stand-in for Ascend310P3: ONNX Runtime on the CPU"


def variant(refused=None, **more):
    settings = {"onnx": "tsf_npu.onnx", "precision": "force_fp16", "fast_gelu": True, "batch": 4}
    found = {"refused": refused} if refused else more
    return settings | {"atc_options": [], "refused": None} | found


def test_the_variants():
    distance = {"relative_l2": 0.0012, "max_abs": 0.034, "top1_agreement": 5 / 6, "clips": ["a"]}
    measured = variant(speed=run(4, 9.876), distance=distance)
    text = ascend_variants.markdown({"variants": [measured, variant("atc failed with E19010: x")]})
    settings = ["tsf_npu.onnx", "force_fp16, fast Gelu", "4"]
    assert rows(text)[1:] == [
        [*settings, "9.88", "0.0012", "0.034", "83%", "Ascend310P3"],
        [*settings, "-", "-", "-", "-", "refused: atc failed with E19010: x"],
    ]
    assert "on 1 real clips (a)" in text and "Further options of atc: none" in text
