"""Which engine runs which model, and how: an entry of `engines` in the config."""

from dataclasses import dataclass, replace

from tsf.errors import UserError


def batch_suffix(batch: int) -> str:
    """The part of a model's file name that tells its batch size; none at 1, as in the guide."""
    return "" if batch == 1 else f"_bs{batch}"


def batch_of(suffix: str) -> int:
    """The batch size that `batch_suffix` made the suffix of."""
    return int(suffix.removeprefix("_bs") or 1)


def with_batch(model: str, suffix: str) -> str:
    """tsf_opt with _bs4 is tsf_bs4_opt: tsf_opt for four videos at a time."""
    return model.replace("tsf", f"tsf{suffix}", 1)


@dataclass(frozen=True)
class Setup:
    """An engine, the model that it runs, and its settings.

    precision: int8 leaves the operators that are not quantised in float32, int8_bf16 in bfloat16;
    int8_checked, in float32 those too without which the accuracy would drop.
    device: cpu, cuda, or another execution provider of ONNX Runtime in lower case, as in cann.
    """

    engine: str
    model: str
    precision: str
    batch: int = 1
    device: str = "cpu"

    @property
    def name(self) -> str:
        """The engine and its settings, defaults left out: onnxruntime, openvino_tsf_opt_bf16."""
        plain = DEFAULTS[self.engine]
        parts = [self.engine]
        parts += [self.model] if self.model != plain.model else []
        parts += [self.precision] if self.precision != plain.precision else []
        parts += [f"bs{self.batch}"] if self.batch != 1 else []
        parts += [self.device] if self.device != "cpu" else []
        return "_".join(parts)

    @property
    def quantised(self) -> bool:
        return self.precision.startswith("int8")

    @property
    def accelerator(self) -> str | None:
        """What the engine opens in its own process beside the CPU: a gpu, an npu or nothing."""
        if self.device == "cpu":
            return None
        return "npu" if self.device == "cann" else "gpu"

    @property
    def exact(self) -> bool:
        """Whether every logit of the engine is proven to be PyTorch's, but for float32's rounding.

        ascend's are not in any precision: see must_keep_origin_dtype in config/schema.json.
        """
        return self.engine != "ascend" and self.precision == "f32"

    @property
    def file(self) -> str:
        """The name of the model's file."""
        if self.quantised:
            int8 = self.precision.removesuffix("_bf16")
            return f"{self.model}_{int8}.xml"  # for any batch: the engine sets it
        stem = with_batch(self.model, batch_suffix(self.batch))
        return f"{stem}.pt2" if self.engine == "torch" else f"{stem}.onnx"

    @property
    def options(self) -> str:
        """The setup as command-line options of tsf.engines.described."""
        return (
            f"--engine {self.engine} --model {self.model} --precision {self.precision}"
            f" --batch {self.batch} --device {self.device}"
        )


DEFAULTS = {
    "onnxruntime": Setup("onnxruntime", "tsf_sim", "f32"),
    "openvino": Setup("openvino", "tsf_sim", "f32"),
    "torch": Setup("torch", "tsf", "f32"),
    "ascend": Setup("ascend", "", ""),  # its model and precision are those of tsf.om
}
PRECISIONS = {
    "onnxruntime": ["f32"],
    "openvino": ["f32", "bf16", "int8", "int8_bf16", "int8_checked"],
    "torch": ["f32", "bf16", "fp16"],
}
ONNX = ["tsf_sim", "tsf_opt", "tsf_opt_u8", "tsf_npu", "tsf_npu_u8"]
QUANTISABLE = ["tsf_sim", "tsf_opt", "tsf_opt_u8"]


def input_dtype(model: str) -> str:
    """The type of an ONNX model's input, by its name: uint8 or float32."""
    return "uint8" if model.endswith("_u8") else "float32"


def refuse_other_bins(ascend_onnx: str, dtype: str) -> None:
    """Raises UserError if tsf.om takes other .bin files than are made.

    ascend_onnx: the model that it is compiled from. dtype: of the .bin files. ais_bench counts
    bytes and knows no types.
    """
    takes = input_dtype(ascend_onnx)
    if takes == dtype:
        return
    kinds = {"uint8": "tsf_opt_u8 or tsf_npu_u8", "float32": "one without _u8, as tsf_opt"}
    raise UserError(
        f"config: ascend.onnx: {ascend_onnx} takes {takes}, but bin is {dtype}; set bin: {takes}, "
        f"or ascend.onnx to {kinds[dtype]}"
    )


def parse_engines(entries: list[dict], dtype: str) -> list[Setup]:
    """The config's `engines`; the schema has checked their form.

    dtype: of the .bin files, float32 or uint8. Raises UserError for a setup that cannot run.
    """
    setups = [replace(DEFAULTS[entry["engine"]], **entry) for entry in entries]
    names = [setup.name for setup in setups]
    for setup in setups:
        if reason := _impossible(setup, dtype):
            raise UserError(f"config: engines: {reason}")
        if names.count(setup.name) > 1:
            raise UserError(f"config: engines: {setup.name} is listed twice")
    return setups


def _impossible(setup: Setup, dtype: str) -> str | None:
    """Why the engine cannot run the setup, if it cannot."""
    engine = setup.engine
    if engine == "ascend":
        if setup != DEFAULTS[engine]:
            return "ascend takes its model, precision and batch from the key ascend; set them there"
        return None
    models = ["tsf"] if engine == "torch" else ONNX
    devices = {"openvino": ["cpu"], "torch": ["cpu", "cuda"]}.get(engine, [setup.device])
    for key, value, allowed in (
        ("model", setup.model, models),
        ("precision", setup.precision, PRECISIONS[engine]),
        ("device", setup.device, devices),
    ):
        if value not in allowed:
            return f"{engine} has no {key} {value!r}, but {', '.join(allowed)}"
    if setup.quantised and setup.model == "tsf_sim" and setup.batch > 1:
        return (
            f"{setup.precision} of tsf_sim runs at batch 1 only, as its shapes are constants; "
            "use tsf_opt"
        )
    if setup.quantised and setup.model not in QUANTISABLE:
        return f"{setup.precision} is made of {', '.join(QUANTISABLE)}, not of {setup.model}"
    if input_dtype(setup.model) == "uint8" and dtype != "uint8":
        plain = setup.model.removesuffix("_u8")
        return f"{setup.model} takes uint8, but bin is {dtype}; set bin: uint8, or use {plain}"
    return None
