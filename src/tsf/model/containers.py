"""Open a checkpoint of any known origin without running code from it: its weights by name.

Known are the files of mmaction2 0.x and 1.x, Facebook's TimeSformer, Hugging Face and a plain state
dict. Whose names the weights have is tsf.model.key_map's matter.
"""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from tsf.errors import UserError
from tsf.model.weights_file import weights_file

# under which key the state dict lies: mmaction2, Facebook, Facebook's pretrained models
STATE_DICT_KEYS = ("state_dict", "model_state", "model", "module")
# what a wrapper puts before every name: PyTorch's on several GPUs, Facebook's
PREFIXES = ("module.", "model.")
# beside the weights, training's records in a checkpoint that mmaction2 1.x wrote to work_dirs
RECORDS = (
    "mmengine.logging.history_buffer.HistoryBuffer",
    "builtins.getattr",  # names the buffer's methods
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.ndarray",
    "numpy.dtype",
)


class Contents(NamedTuple):
    weights: dict[str, Tensor]  # float32, by the file's names without a wrapper's prefix
    notes: list[str]  # what was done to them, for the user to read
    config: str | None  # the text of the mmaction2 config that a file of mmaction2's was trained by
    cfg: str | None  # the YAML of the config that a file of Facebook's was trained by


class Record:
    """Stands for an object of RECORDS; takes what it is made of and keeps nothing."""

    def __new__(cls, *_: Any) -> "Record":
        return super().__new__(cls)

    def __setstate__(self, _: Any) -> None:
        pass


def open_checkpoint(path: Path) -> Contents:
    """The weights of a checkpoint file, or of a Hugging Face folder.

    float16 and bfloat16 are widened to float32, and a note says so. Raises UserError for a file
    that is missing or truncated, or holds code or anything but floating-point tensors by name.
    """
    file = weights_file(path)
    content = _read_safetensors(file) if _is_safetensors(file) else _read_pickle(file)
    weights = _without_prefixes(_state_dict(file, content))
    notes = []
    half = {str(w.dtype)[6:] for w in weights.values()} & {"float16", "bfloat16"}
    if half:
        notes.append(f"{' and '.join(sorted(half))} weights, widened to float32")
    named = {name: _float32(file, name, w) for name, w in weights.items()}
    cfg = content.get("cfg") if isinstance(content, dict) else None
    return Contents(named, notes, _own_config(content), cfg if isinstance(cfg, str) else None)


def _is_safetensors(file: Path) -> bool:
    """By content: a length in eight bytes, below 4 GiB, then JSON. The name may be any."""
    with open(file, "rb") as opened:
        head = opened.read(9)
    return head[4:] == bytes(4) + b"{"


def _read_safetensors(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except SafetensorError as error:
        raise UserError(f"{file}: not a whole safetensors file ({_line(error)})") from None


def _read_pickle(file: Path) -> Any:
    _refuse_damaged(file)
    stand_ins: list[Callable | tuple[Callable, str]] = [(Record, name) for name in RECORDS]
    try:
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    # a damaged pickle can fail in any operation of the reader, with whatever that raises
    except Exception as error:
        # PyTorch's own message advises to run the code
        code = re.search(r"GLOBAL (\S+)", str(error))
        if code:
            raise UserError(
                f"{file}: not loaded, as it holds code or objects ({code[1]}) beside its weights; "
                "save the state dict alone"
            ) from None
        raise UserError(
            f"{file}: not a loadable checkpoint (it is no file of torch.save, or is damaged); get "
            "it again, or see model.checkpoint in the config"
        ) from None


def _refuse_damaged(file: Path) -> None:
    """Raises UserError for a zip file, torch.save's form, with a record of another checksum.

    torch.load does not look at the checksums: one flipped bit would be another weight.
    """
    if not zipfile.is_zipfile(file):
        return
    try:
        record = zipfile.ZipFile(file).testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError) as error:
        record = _line(error)
    if record is not None:
        raise UserError(f"{file}: damaged ({record}); get it again")


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _state_dict(file: Path, content: Any) -> dict[str, Tensor]:
    if isinstance(content, dict):
        keys = [key for key in STATE_DICT_KEYS if key in content]
        if len(keys) > 1:
            raise UserError(f"{file}: holds several models, {', '.join(keys)}; save the one alone")
        content = content[keys[0]] if keys else content
    if not isinstance(content, dict) or not content:
        raise UserError(f"{file}: holds no state dict of tensors, but {type(content).__name__}")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise UserError(
                f"{file}: holds no state dict of tensors by name: {name!r} is "
                f"{type(value).__name__}"
            )
    return content


def _own_config(content: Any) -> str | None:
    """mmaction2 0.x keeps the config's text as config, 1.x as cfg."""
    meta = content.get("meta") if isinstance(content, dict) else None
    if not isinstance(meta, dict):
        return None
    text = meta.get("config", meta.get("cfg"))
    return text if isinstance(text, str) else None


def _without_prefixes(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


def _float32(file: Path, name: str, weight: Tensor) -> Tensor:
    known = (torch.float32, torch.float16, torch.bfloat16)
    if weight.dtype not in known or weight.layout != torch.strided or weight.is_meta:
        kind = f"{str(weight.layout)[6:]} {str(weight.dtype)[6:]}"
        raise UserError(
            f"{file}: {name} is {kind}; a weight is a dense tensor of float32, float16 or bfloat16"
        )
    weight = weight.detach().float().contiguous()
    if not weight.isfinite().all():
        raise UserError(f"{file}: {name} holds values that are not finite; the weights are damaged")
    return weight
