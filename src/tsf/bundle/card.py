"""The model card of a bundle, README.md, in English and Chinese."""

from dataclasses import dataclass

from tsf.engines.described import DescribedEngine
from tsf.recipe.record import Recipe
from tsf.report.choice import COMPARED, Sentence, compared

RUNTIMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "ascend": "ais_bench (Ascend)"}
TOP = {"top-1": "top1", "top-5": "top5"}


@dataclass(frozen=True)
class Facts:
    """What the card tells."""

    described: DescribedEngine
    recipe: Recipe
    accuracy: dict  # accuracy.json
    proof: dict  # of judge_parity
    chosen: dict | None  # the engine's row in choice.json; None: it was not chosen by its speed
    name: str  # the engine's in accuracy.json
    dataset: str
    model: str  # the name of the config, or of the folder that says of what form the model is
    checkpoint: str  # the name of the weights' file
    sha256: str | None  # of that file; None: not known

    @property
    def input(self) -> str:
        """The type and shape of the model's input."""
        return f"`imgs`, {self.described.takes}, {'x'.join(map(str, (1, *self.recipe.clip.shape)))}"

    @property
    def span(self) -> int:
        """The frames of a camera between two predictions."""
        sampling = self.recipe.clip.sampling
        return sampling.num_clips * sampling.clip_len * sampling.frame_interval

    @property
    def output(self) -> str:
        return f"`result`, float32, {self.recipe.clip.views}x{self.recipe.classes}"

    @property
    def weights(self) -> str:
        return f"{self.checkpoint}{f', sha256 {self.sha256}' if self.sha256 else ''}"

    @property
    def precision(self) -> str:
        """As the engine's setting, or in ascend's case as its device says after the chip."""
        if self.described.setup.engine == "ascend":
            return str(self.engine["device"].partition(", ")[2])
        return self.described.setup.precision

    @property
    def needs_bfloat16(self) -> bool:
        setup = self.described.setup
        return setup.engine == "openvino" and setup.precision.endswith("bf16")

    @property
    def comparison(self) -> Sentence | None:
        """The sentence of performance.md about its accuracy; None without an exact engine."""
        if self.chosen is None or self.chosen["comparison"] is None:
            return None
        return compared(self.chosen)

    @property
    def engine(self) -> dict:
        found: dict = self.accuracy["engines"][self.name]
        return found

    @property
    def boundary(self) -> dict:
        """The engine's own comparison with PyTorch, after those of what its model is made from."""
        found: dict = self.proof["boundaries"][-1]
        return found


def percent(detail: dict) -> tuple[str, str]:
    """The accuracy, and its 95 % interval, both without their unit."""
    low, high = detail["interval95"]
    return f"{detail['percent']:.2f}", f"{low:.2f} - {high:.2f}"


def accuracy_table(facts: Facts, interval: str) -> str:
    """Of the labelled videos. interval: the head of that column."""
    rows = {name: percent(facts.engine[f"{key}_detail"]) for name, key in TOP.items()}
    lines = (f"| {name} | {value} | {span} |" for name, (value, span) in rows.items())
    return "\n".join([f"| | % | {interval} |", "| --- | --- | --- |", *lines])


def english(facts: Facts) -> str:
    clip, sampling = facts.recipe.clip, facts.recipe.clip.sampling
    runtime = RUNTIMES[facts.described.setup.engine]
    return f"""# TimeSformer, {facts.recipe.classes} classes

[中文](README.zh-CN.md)

A video classifier: {facts.model}.
Weights: {facts.weights}.
Model: `{facts.described.file.name}`, for {runtime}, precision {facts.precision}.

## Use it

```
pip install -r requirements.txt
python predict.py video.mp4
```

prints the five best classes and their probabilities. It also takes several videos, folders,
`--camera 0` and `--json` (a line a video). A video that cannot be read gets one line on stderr, the
others are scored, and the exit status is 1. At each start the model, `recipe.json` and `labels.txt`
are compared with `SHA256SUMS`; `sha256sum -c SHA256SUMS` checks all files.
{ENGLISH_ASCEND if facts.described.setup.engine == "ascend" else ""}\
{ENGLISH_BFLOAT16 if facts.needs_bfloat16 else ""}
## Input and output

- Input: {facts.input}: video x views x channels x frames x height x width.
  {clip.views} views: {sampling.num_clips} x {sampling.clip_len} frames,
  {sampling.frame_interval} from one to the next; crops: {clip.crops}.
  `recipe.json` has all values, and `predict.py` does what it says.
- Output: {facts.output}: logits, views x classes. A video's probabilities are their
  `{facts.recipe.fusion}`; the classes are the lines of `labels.txt`.

## Accuracy

{english_accuracy(facts)}
{english_approximation(facts)}
## Parity

{english_parity(facts)} `parity.json` has every boundary.

## Limits

- The figures are of the data named above. Other videos, other classes and other cameras were not
  measured. The model always names one of its classes, also where none of them is right.
- The pixels depend on the decoder: they are the same with the opencv-python-headless that
  `requirements.txt` names; other releases decode some videos otherwise.
- A video is judged by {sampling.num_clips * sampling.clip_len} of its frames.
- A camera is judged again after each {facts.span} frames, at its own frame rate, which may not be
  that of the videos.

## Licence

The code and this folder's texts: Apache-2.0. The weights stay under the licence of where they came
from.
"""


ENGLISH_ASCEND = """
It needs an NPU of the chip that the model was compiled for, CANN, and ais_bench with aclruntime,
which `requirements.txt` says where to get. ais_bench takes only A-Z a-z 0-9 _ . / - in the path of
this folder, and a model that only its owner may write. With `--json` take the lines that begin with
`{`: the runtime prints others.
"""

ENGLISH_BFLOAT16 = """
It needs a CPU with bfloat16; on another one `predict.py` ends with one line that says so.
"""


def english_accuracy(facts: Facts) -> str:
    listed, skipped = facts.accuracy["listed"], facts.accuracy["skipped"]
    about = f"On {facts.dataset}: {listed} videos listed, {skipped} of them skipped"
    videos = facts.engine["videos"]
    if not videos:
        return f"{about}; none of the others has a label, so the accuracy is not known."
    return f"{about}, {videos} with a label scored.\n\n{accuracy_table(facts, '95 % interval')}"


def english_approximation(facts: Facts) -> str:
    """How far its accuracy is from an exact engine's; nothing where it is one itself."""
    if facts.described.setup.exact:
        return ""
    if facts.comparison is None:
        found = "For this bundle its accuracy was compared with no exact engine's."
    else:
        text, values = facts.comparison
        found = text.format(**values)
    return f"\nThe model is an approximation of the original. {found}\n"


def english_parity(facts: Facts) -> str:
    found = facts.boundary
    measure = {"max_abs": "largest", "relative_l2": "relative L2"}[found["measure"]]
    return (
        f"On {len(facts.proof['clips'])} real clips the model's logits differ from those of the "
        f"original in PyTorch, float32.\nThe {measure} difference is "
        f"{found[found['measure']]:.2g} (allowed: {found['allowed']:g})."
    )


def chinese(facts: Facts) -> str:
    clip, sampling = facts.recipe.clip, facts.recipe.clip.sampling
    runtime = RUNTIMES[facts.described.setup.engine]
    return f"""# TimeSformer，{facts.recipe.classes} 类

[English](README.md)

视频分类模型：{facts.model}。
权重：{facts.weights}。
模型文件：`{facts.described.file.name}`，用 {runtime} 运行，计算精度 {facts.precision}。

## 使用

```
pip install -r requirements.txt
python predict.py video.mp4
```

输出概率最高的五个类别。也可给出多个视频、目录、`--camera 0`，以及 `--json`（每个视频一行）。
无法读取的视频在 stderr 上占一行，其余照常预测，退出码为 1。每次启动时，模型、`recipe.json` 和
`labels.txt` 都与 `SHA256SUMS` 核对；`sha256sum -c SHA256SUMS` 可核对全部文件。
{CHINESE_ASCEND if facts.described.setup.engine == "ascend" else ""}\
{CHINESE_BFLOAT16 if facts.needs_bfloat16 else ""}
## 输入与输出

- 输入：{facts.input}：视频 x 视角 x 通道 x 帧 x 高 x 宽。共 {clip.views} 个视角：
  {sampling.num_clips} x {sampling.clip_len} 帧，间隔 {sampling.frame_interval}，
  裁剪：{clip.crops}。全部取值见 `recipe.json`，`predict.py` 照此执行。
- 输出：{facts.output}：logits，视角 x 类别。视频的概率由 `{facts.recipe.fusion}` 得到；
  类别依次为 `labels.txt` 的各行。

## 精度

{chinese_accuracy(facts)}
{chinese_approximation(facts)}
## 一致性

{chinese_parity(facts)}各项比较见 `parity.json`。

## 局限

- 以上数字只针对所列数据，其他视频、类别和摄像头未经测量。模型总会给出某个类别，即使没有一个正确。
- 像素取决于解码器：使用 `requirements.txt` 所列版本的 opencv-python-headless 时结果一致，其他版本
  对部分视频的解码不同。
- 每个视频只看其中 {sampling.num_clips * sampling.clip_len} 帧。摄像头每
  {facts.span} 帧判断一次，用其自身帧率，可能与训练视频不同。

## 许可

代码和本目录中的文字：Apache-2.0。权重沿用其来源的许可。
"""


CHINESE_ASCEND = """
需要与编译目标相同型号的 NPU、CANN，以及 ais_bench 和 aclruntime（获取方式见 `requirements.txt`）。
ais_bench 要求本目录的路径只含 A-Z a-z 0-9 _ . / -，且模型文件只有所有者可写。
运行时会自行输出一些行，使用 `--json` 时请只取以 `{` 开头的行。
"""

CHINESE_BFLOAT16 = """
需要支持 bfloat16 的 CPU；在其他 CPU 上，`predict.py` 报告一行错误后退出。
"""


def chinese_accuracy(facts: Facts) -> str:
    listed, skipped = facts.accuracy["listed"], facts.accuracy["skipped"]
    about = f"数据集 {facts.dataset}：列出 {listed} 个视频，跳过 {skipped} 个"
    videos = facts.engine["videos"]
    if not videos:
        return f"{about}；其余均无标签，精度未知。"
    return (
        f"{about}，在 {videos} 个有标签的视频上评分。\n\n{accuracy_table(facts, '95 % 置信区间')}"
    )


def chinese_approximation(facts: Facts) -> str:
    if facts.described.setup.exact:
        return ""
    if facts.comparison is None:
        found = "构建本目录时，其精度未与任何精确引擎比较。"
    else:
        text, values = facts.comparison
        found = (CHINESE_COMPARED if text == COMPARED else CHINESE_NO_LABEL).format(**values)
    return f"\n本模型是原模型的近似。{found}\n"


CHINESE_COMPARED = (
    "在 {videos} 个视频上，{engine} 的 top-1 与 {against} 相差 {difference} 个百分点"
    "（95 % 置信区间 {low} 至 {high}，McNemar 检验 p = {p}），"
    "因此不能排除最多 {loss} 个百分点的损失。"
)
CHINESE_NO_LABEL = "没有视频带标签，无法比较 {engine} 与 {against} 的精度。"


def chinese_parity(facts: Facts) -> str:
    found = facts.boundary
    measure = {"max_abs": "最大绝对误差", "relative_l2": "相对 L2 误差"}[found["measure"]]
    return (
        f"在 {len(facts.proof['clips'])} 个真实视频上，本模型的 logits 与 PyTorch 中 float32 的"
        f"原模型相比，{measure}为\n{found[found['measure']]:.2g}（上限 {found['allowed']:g}）。"
    )
