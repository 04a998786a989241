"""Which file holds a checkpoint's weights: the file itself, or one of a Hugging Face folder."""

from pathlib import Path

from tsf.errors import UserError

# a Hugging Face folder's weights, the first that is there
HUGGING_FACE_FILES = ("model.safetensors", "pytorch_model.bin")


def weights_file(path: Path) -> Path:
    """The file that is read. Raises UserError where there is none, or only parts of one."""
    if path.is_file():
        if path.name.endswith(".index.json"):
            raise UserError(f"{path}: lists the parts of a sharded checkpoint; save it as one file")
        return path
    if not path.is_dir():
        raise UserError(f"{path}: no such checkpoint; see model.checkpoint in the config")
    for name in HUGGING_FACE_FILES:
        if (path / name).is_file():
            return path / name
        if (path / f"{name}.index.json").is_file():
            raise UserError(
                f"{path / name}.index.json: the checkpoint is sharded; save it as one file, with "
                "save_pretrained's max_shard_size"
            )
    raise UserError(f"{path}: a folder without {' or '.join(HUGGING_FACE_FILES)}")
