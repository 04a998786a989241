"""ascend_table.zh.md: the guide's table of accuracy and speed, in Chinese, ready to paste."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.files import read_json, write_text
from tsf.markdown import table

HEADER = ["芯片型号", "Batch Size", "数据集", "精度", "性能"]


def chip(device: str) -> str:
    """The NPU as guides write it; the tests' stand-in keeps its own name."""
    return device.replace("Ascend", "Ascend ", 1) if device.startswith("Ascend3") else device


def mark(guide: dict, macs_per_video: int | None) -> str:
    """What the guide's row says if its figures are of another model than the measured one."""
    if guide["same_model"]:
        return ""
    work = f"每个视频 {guide['macs_per_video'] / 1e9:.1f} G 次乘加"
    if macs_per_video is None:
        return f"；其模型{work}，本模型的未知"
    return f"；另一个模型：{work}，本模型 {macs_per_video / 1e9:.2f} G"


def rows(accuracy: dict, performance: dict, dataset: str) -> list[list[str]]:
    """A row a measured batch size, the guide's last.

    An accuracy stands beside the speed at the batch size that the dataset was scored at, and in a
    row of its own if no speed was measured there.
    """
    scored = accuracy["engines"]["ascend"]
    top1 = f"top1 acc= {scored['top1']:.2f}" if scored["videos"] else "无标签"
    by_batch = {run["batch"]: run for run in performance["runs"]}
    found = []
    for batch in sorted({*by_batch, scored["batch"]}):
        run = by_batch.get(batch)
        found.append(
            [
                chip(run["device"] if run else scored["device"].split(",")[0]),
                str(batch),
                dataset,
                top1 if batch == scored["batch"] else "-",
                f"{run['videos_per_second']:.2f} fps" if run else "-",
            ]
        )
    guide = performance["guide"]
    figure = [f"top1 acc= {guide['top1']:.2f}", f"{guide['fps']:.2f} fps"]
    device = f"Ascend 310P3（指南{mark(guide, performance['macs_per_video'])}）"
    return [*found, [device, str(guide["batch"]), guide["dataset"], *figure]]


def markdown(accuracy: dict, performance: dict, dataset: str) -> str:
    scored = accuracy["engines"]["ascend"]
    precisions = sorted(
        {
            f"`{run['precision']}`{'，近似 Gelu' if run['fast_gelu'] else ''}"
            for run in performance["runs"]
        }
    )
    return f"""{table(HEADER, rows(accuracy, performance, dataset))}
- 精度：{scored["videos"]} 个视频的 top-1 准确率（%）；只有推理数据集所用的 batch 有值。
- 性能：`ais_bench` 的吞吐率，即 1000 × batch ÷ 平均耗时（毫秒），单位为视频/秒，只计模型推理。
- 计算精度：{"；".join(precisions)}。“指南”一行是指南公布的数字。
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accuracy", type=Path, required=True, help="json")
    parser.add_argument("--performance", type=Path, required=True, help="json of the NPU")
    parser.add_argument("--dataset", required=True, help="its name")
    parser.add_argument("--output", type=Path, required=True, help="markdown to write")
    args = parser.parse_args()

    content = markdown(read_json(args.accuracy), read_json(args.performance), args.dataset)
    write_text(args.output, content)


if __name__ == "__main__":
    errors.run(main)
