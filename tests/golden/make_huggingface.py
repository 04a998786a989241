"""Make huggingface.json: logits of transformers' own TimeSformer, its weights given by formula.

Weights and input follow from their names, so that no other file is needed. Run it in a Python that
has the versions of the README; how, is said there.
"""

import hashlib
import json
import platform
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import TimesformerConfig, TimesformerForVideoClassification

SMALL = {
    "hidden_size": 128,
    "num_attention_heads": 2,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_labels": 5,
}
# what each case changes
CASES = {
    "8x224": {},
    "16x224": {"num_frames": 16},
    "8x448": {"image_size": 448, "hidden_size": 64, "num_attention_heads": 1,
              "intermediate_size": 256},
    "174 classes": {"num_labels": 174, "patch_size": 32},
    "heads of 24": {"hidden_size": 96, "num_attention_heads": 4, "intermediate_size": 384,
                    "patch_size": 32},
    "joint": {"attention_type": "joint_space_time", "patch_size": 32},
}  # fmt: skip
FORMULA = (
    "numpy.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape), float32; of a "
    "parameter, times 0.1, plus 1 where the name ends in 'weight' and it has one axis; of the "
    "input, whose name is the case's"
)


def values(name, shape):
    return np.random.RandomState(zlib.crc32(name.encode())).standard_normal(tuple(shape))


def parameter(name, shape):
    scaled = values(name, shape) * 0.1
    return (scaled + 1 if name.endswith("weight") and len(shape) == 1 else scaled).astype("f4")


def case(name, changes):
    config = TimesformerConfig(**SMALL | changes)
    model = TimesformerForVideoClassification(config).eval()
    filled = hashlib.sha256()
    shapes = {}
    with torch.no_grad():
        for key, value in model.state_dict().items():
            shapes[key] = list(value.shape)
            made = parameter(key, value.shape)
            filled.update(made.tobytes())
            value.copy_(torch.from_numpy(made))
        side = config.image_size
        # (videos, frames, channels, y, x)
        clip = values(name, (1, config.num_frames, 3, side, side)).astype("f4")
        logits = model.double()(pixel_values=torch.from_numpy(clip).double()).logits
    return {
        "config": json.loads(config.to_json_string()),  # what save_pretrained writes
        "parameters": shapes,
        "parameters_sha256": filled.hexdigest(),
        "input_sha256": hashlib.sha256(clip.tobytes()).hexdigest(),
        "logits": logits[0].tolist(),
    }


def main():
    content = {
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "transformers": transformers.__version__,
        },
        "formula": FORMULA,
        "cases": {name: case(name, changes) for name, changes in CASES.items()},
    }
    output = Path(__file__).with_name("huggingface.json")
    output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
