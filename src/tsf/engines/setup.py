"""Which engine runs which model, and how: an entry of `engines` in the config."""

from dataclasses import dataclass, replace

from tsf.errors import UserError


@dataclass(frozen=True)
class Setup:
    """What runs the model, and how.

    precision: int8 leaves what is not quantised in float32, int8_bf16 in bfloat16. device: cpu,
    cuda, or another execution provider of ONNX Runtime in lower case, as in cann.
    """

    engine: str
    model: str
    precision: str
    batch: int = 1
    device: str = "cpu"

    @property
    def name(self) -> str:
        """The engine, and what is not its default: onnxruntime, openvino_tsf_opt_bf16, ..."""
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
    def file(self) -> str:
        """The name of the model's file: tsf_bs4_opt.onnx is tsf_opt for four videos at a time."""
        if self.quantised:
            return f"{self.model}_int8.xml"  # for any batch: the engine sets it
        stem = self.model if self.batch == 1 else self.model.replace("tsf", f"tsf_bs{self.batch}")
        return f"{stem}.pt2" if self.engine == "torch" else f"{stem}.onnx"

    @property
    def options(self) -> str:
        """What engines.described reads from a command line."""
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
    "openvino": ["f32", "bf16", "int8", "int8_bf16"],
    "torch": ["f32", "bf16", "fp16"],
}
ONNX = ["tsf_sim", "tsf_opt", "tsf_opt_u8"]


def parse_engines(entries: list[dict], dtype: str) -> list[Setup]:
    """The config's `engines`; the schema has checked their form.

    dtype: of the .bin files, float32 or uint8. Raises UserError for what no engine does.
    """
    setups = [replace(DEFAULTS[entry["engine"]], **entry) for entry in entries]
    names = [setup.name for setup in setups]
    for setup in setups:
        if reason := _impossible(setup, dtype):
            raise UserError(f"config: engines: {reason}")
        if names.count(setup.name) > 1:
            raise UserError(f"config: engines: {setup.name} is there twice")
    return setups


def _impossible(setup: Setup, dtype: str) -> str | None:
    """Why the engine cannot do that, if it cannot."""
    engine = setup.engine
    if engine == "ascend":
        if setup != DEFAULTS[engine]:
            return "ascend takes its model, precision and batch from the key ascend"
        if dtype != "float32":
            return f"ascend reads float32 .bin files, and bin is {dtype}"
        return None
    models = ["tsf"] if engine == "torch" else ONNX
    devices = {"openvino": ["cpu"], "torch": ["cpu", "cuda"]}.get(engine, [setup.device])
    for what, value, able in (
        ("model", setup.model, models),
        ("precision", setup.precision, PRECISIONS[engine]),
        ("device", setup.device, devices),
    ):
        if value not in able:
            return f"{engine} has no {what} {value!r}, but {', '.join(able)}"
    if setup.quantised and setup.model == "tsf_sim" and setup.batch > 1:
        return "int8 of tsf_sim is for batch 1, which its shapes hold; use tsf_opt"
    if setup.model == "tsf_opt_u8" and dtype != "uint8":
        return f"tsf_opt_u8 takes bytes, and bin is {dtype}; set bin to uint8, or use tsf_opt"
    return None
