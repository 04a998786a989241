"""Random TimeSformers, written as mmaction2, Facebook and Hugging Face write their checkpoints."""

import json
import re
import sys
import types
from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors.torch import save_file

from tsf.model.architecture import Architecture
from tsf.recipe.record import ClipRecipe, Sampling

DIVIDED, JOINT, SPACE = "divided_space_time", "joint_space_time", "space_only"
SMALL = Architecture(DIVIDED, 8, 64, 16, 64, 1, 2, 5)
FULL = Architecture(DIVIDED, 8, 224, 16, 768, 12, 12, 400)  # as it is published


def recipe_for(architecture, mean=(127.5,) * 3, std=(127.5,) * 3):
    """The guide's recipe, with the frames and pixels of this model."""
    return ClipRecipe(
        sampling=Sampling("mmaction2-0.x", architecture.frames, 32, 1),
        source="rawframes",
        preprocessing="mmaction2-0.x",
        short_side=architecture.side,
        crops="three",
        side=architecture.side,
        mean=mean,
        std=std,
        channels="rgb",
    )


# what differs from mmaction2's names, as (pattern, in its place); the others' norms are named
# by what they are before
FACEBOOK = [
    (r"^backbone\.transformer_layers\.layers\.", "blocks."),
    (r"attentions\.0\.norm", "temporal_norm1"),
    (r"attentions\.0\.attn\.in_proj_", "temporal_attn.qkv."),
    (r"attentions\.0\.attn\.out_proj", "temporal_attn.proj"),
    (r"attentions\.0\.temporal_fc", "temporal_fc"),
    (r"attentions\.1\.norm", "norm1"),
    (r"attentions\.1\.attn\.in_proj_", "attn.qkv."),
    (r"attentions\.1\.attn\.out_proj", "attn.proj"),
    (r"ffns\.0\.norm", "norm2"),
    (r"norms\.0", "norm1"),
    (r"norms\.1", "norm2"),
    (r"ffns\.0\.layers\.0\.0", "mlp.fc1"),
    (r"ffns\.0\.layers\.1", "mlp.fc2"),
    (r"^cls_head\.fc_cls", "head"),
    (r"patch_embed\.projection", "patch_embed.proj"),
    (r"^backbone\.", ""),
]
# from Facebook's names
HUGGING_FACE = [
    (r"^cls_token", "timesformer.embeddings.cls_token"),
    (r"^pos_embed", "timesformer.embeddings.position_embeddings"),
    (r"^time_embed", "timesformer.embeddings.time_embeddings"),
    (r"^patch_embed\.proj", "timesformer.embeddings.patch_embeddings.projection"),
    (r"^norm\.", "timesformer.layernorm."),
    (r"^head", "classifier"),
    (r"\.temporal_norm1", ".temporal_layernorm"),
    (r"\.temporal_attn\.qkv", ".temporal_attention.attention.qkv"),
    (r"\.temporal_attn\.proj", ".temporal_attention.output.dense"),
    (r"\.temporal_fc", ".temporal_dense"),
    (r"\.norm1", ".layernorm_before"),
    (r"\.norm2", ".layernorm_after"),
    (r"\.attn\.qkv", ".attention.attention.qkv"),
    (r"\.attn\.proj", ".attention.output.dense"),
    (r"\.mlp\.fc1", ".intermediate.dense"),
    (r"\.mlp\.fc2", ".output.dense"),
    (r"^blocks\.", "timesformer.encoder.layer."),
]


def renamed(weights, patterns, plain_blocks=False):
    patterns = [
        # a block without temporal attention has one attention, the spatial one
        (p.replace(r"attentions\.1", r"attentions\.0") if plain_blocks else p, to)
        for p, to in patterns
        if not (plain_blocks and to.startswith("temporal"))
    ]
    found = {}
    for name, value in weights.items():
        for pattern, to in patterns:
            name = re.sub(pattern, to, name)
        found[name] = value
    assert len(found) == len(weights)
    return found


def facebook(weights):
    """mmaction2's state dict under Facebook's names."""
    return renamed(weights, FACEBOOK, not any("temporal_fc" in name for name in weights))


def hugging_face(weights):
    return renamed(facebook(weights), HUGGING_FACE)


def random_state(recogniser, seed=0):
    """Values that keep every part of mmaction2's recogniser at work."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: 0.2 * torch.randn(value.shape, generator=generator)
        + ("norm" in name and name.endswith("weight"))
        for name, value in recogniser.state_dict().items()
    }


# ---- containers; each writes `weights`, in mmaction2's names, and returns what to open ----


def write_mmaction2_0(folder: Path, weights: dict, config: str | None = None) -> Path:
    content = {f"module.{name}": value for name, value in weights.items()}
    meta = {"epoch": 15, "CLASSES": None} | ({"config": config} if config else {})
    torch.save({"meta": meta, "state_dict": content}, folder / "0x.pth")
    return folder / "0x.pth"


# what of mmengine's class goes into a pickle: arrays, and its methods by name
HISTORY_BUFFER = """
import numpy as np
class HistoryBuffer:
    def __init__(self, values):
        self.max_length = 1000000
        self._log_history = np.array(values)
        self._count_history = np.ones(len(values), int)
        self.last = self._log_history[-1]
    def mean(self):
        return self._log_history.mean()
    def __getstate__(self):
        return {**self.__dict__, "statistics_methods": {"mean": HistoryBuffer.mean}}
"""


def write_mmaction2_1(folder: Path, weights: dict, config: str = "model = dict()") -> Path:
    """As mmengine's runner writes to work_dirs, with a stand-in for its module."""
    names = ["mmengine", "mmengine.logging", "mmengine.logging.history_buffer"]
    modules = {name: types.ModuleType(name) for name in names}
    module = modules[names[-1]]
    exec(HISTORY_BUFFER, module.__dict__)
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.ones(2))])
    content = {
        "meta": {"epoch": 1, "cfg": config, "dataset_meta": {}},
        "state_dict": weights,
        "message_hub": {
            "log_scalars": {"train/loss": module.HistoryBuffer([3.0, 2.5])},
            "runtime_info": {"iter": 2, "last": np.float64(0.5)},
            "resumed_keys": {"train/loss": True},
        },
        "optimizer": optimiser.state_dict(),
        "param_schedulers": [{"by_epoch": True, "last_step": 2}],
    }
    sys.modules.update(modules)
    try:
        torch.save(content, folder / "1x.pth")
    finally:
        for name in names:
            del sys.modules[name]
    return folder / "1x.pth"


def facebook_cfg(dataset: str = "kinetics", **data) -> str:
    """What CfgNode.dump() of yacs 0.1.8 gives of the sections that are about a clip.

    It is that of facebookresearch/TimeSformer's configs/Kinetics/TimeSformer_divST_8x32_224.yaml or
    configs/SSv2/TimeSformer_divST_8_224.yaml over its defaults. data: keys of DATA in place of
    theirs; None: without the key.
    """
    ssv2 = dataset == "ssv2"
    own = {
        "AUTO_AUGMENT": "",
        "CROP_SIZE": 224,
        "DECODING_BACKEND": "pyav",
        "ENSEMBLE_METHOD": "sum",
        "INPUT_CHANNEL_NUM": [3],
        "INV_UNIFORM_SAMPLE": ssv2,
        "MEAN": [0.45, 0.45, 0.45],
        "NUM_FRAMES": 8,
        "PATH_LABEL_SEPARATOR": " ",
        "RANDOM_FLIP": not ssv2,
        "REVERSE_INPUT_CHANNEL": ssv2,
        "SAMPLING_RATE": 8 if ssv2 else 32,
        "STD": [0.225, 0.225, 0.225],
        "TARGET_FPS": 30,
        "TEMPORAL_EXTENT": 8,
        "TEST_CROP_SIZE": 224,
        "TRAIN_CROP_SIZE": 224,
        "TRAIN_JITTER_SCALES": [256, 320],
    }
    content = {
        "DATA": {key: value for key, value in (own | data).items() if value is not None},
        "MODEL": {"ARCH": "vit", "HEAD_ACT": "softmax", "MODEL_NAME": "vit_base_patch16_224"},
        "TEST": {"DATASET": dataset, "NUM_ENSEMBLE_VIEWS": 1, "NUM_SPATIAL_CROPS": 3},
        "TIMESFORMER": {"ATTENTION_TYPE": DIVIDED, "PRETRAINED_MODEL": ""},
        "TRAIN": {"BATCH_SIZE": 8, "CHECKPOINT_CLEAR_NAME_PATTERN": (), "DATASET": dataset},
    }
    return yaml.safe_dump(content)


def write_facebook(folder: Path, weights: dict, cfg: str | None = None) -> Path:
    content = {f"model.{name}": value for name, value in facebook(weights).items()}
    content = {"epoch": 14, "model_state": content, "optimizer_state": {}}
    torch.save(content | ({"cfg": cfg} if cfg else {}), folder / "fb.pyth")
    return folder / "fb.pyth"


def config_json(architecture: Architecture, **changes) -> dict:
    a = architecture
    return {
        "model_type": "timesformer",
        "attention_type": a.attention,
        "num_frames": a.frames,
        "image_size": a.side,
        "patch_size": a.patch,
        "hidden_size": a.width,
        "num_attention_heads": a.heads,
        "intermediate_size": 4 * a.width,
        "num_hidden_layers": a.blocks,
        "id2label": {str(n): f"class {n}" for n in range(a.classes)},
    } | changes


def write_hugging_face(folder: Path, weights: dict, config: dict, safetensors=True) -> Path:
    made = folder / ("hf" if safetensors else "hf_bin")
    made.mkdir()
    weights = {name: value.contiguous() for name, value in hugging_face(weights).items()}
    if safetensors:
        save_file(weights, made / "model.safetensors", {"format": "pt"})
    else:
        torch.save(weights, made / "pytorch_model.bin")
    (made / "config.json").write_text(json.dumps(config))
    return made
