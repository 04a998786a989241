"""Makes tests/own_model/own.pth: the embedded sample's model, tuned to be quite another one.

Sixteen frames in place of eight, five classes of eight, ImageNet's mean and std, one crop of 112
pixels. It starts from the sample's weights, with an embedding of time between every two of its
own, so that a minute's training on two cores is enough:

    PYTHONPATH=src python tests/own_model/train.py --mmaction2 results/mmaction2
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tsf.model.recogniser import empty_recogniser
from tsf.model.settings import from_mmaction2
from tsf.recipe.literal import read_config
from tsf.recipe.record import Sampling
from tsf.sample import train
from tsf.sample.clips import clip_rng

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "models/tsf_sample.pth"
LABELS = (
    "circling clockwise",
    "circling counterclockwise",
    "growing",
    "moving left",
    "moving right",
)
SAMPLING = Sampling("mmaction2-0.x", clip_len=16, frame_interval=16, num_clips=1)
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
SHRINK = 2  # trained at 56 pixels with patches of 8, for 112 with 16
SEED, BACKGROUNDS, BATCH, LEARNING_RATE, WARM_UP_STEPS = 7, 120, 32, 2e-4, 5


def start(small: torch.nn.Module) -> None:
    """Give the model the sample's weights, made to fit."""
    weights = torch.load(SAMPLE, weights_only=True)["state_dict"]
    key = "backbone.patch_embed.projection."
    patch = weights[key + "weight"]  # (D, 3, 32, 32), of 4x4 equal values
    patch = patch.unflatten(3, (8, 4)).unflatten(2, (8, 4)).sum((3, 5))  # (D, 3, 8, 8)
    # W (x - 127.5) / 127.5 + b in terms of (x - mean) / std
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    weights[key + "bias"] = weights[key + "bias"] + (patch * (mean - 127.5) / 127.5).sum((1, 2, 3))
    weights[key + "weight"] = patch * std / 127.5
    between = weights["backbone.time_embed"]  # (1, 8, D)
    later = torch.cat([between[:, 1:], 2 * between[:, -1:] - between[:, -2:-1]], 1)
    weights["backbone.time_embed"] = torch.stack([between, (between + later) / 2], 2).flatten(1, 2)
    kept = [sorted(map(str, train.LABELS)).index(label) for label in LABELS]
    for name in ("cls_head.fc_cls.weight", "cls_head.fc_cls.bias"):
        weights[name] = weights[name][kept]
    small.load_state_dict(weights)


def normalised(imgs: torch.Tensor) -> torch.Tensor:
    """From the sample's values to this model's. imgs: (size, 3, 16, 56, 56)."""
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    return (imgs * 127.5 + 127.5 - mean[:, None, None, None]) / std[:, None, None, None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mmaction2", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    torch.manual_seed(SEED)
    settings = read_config(HERE / "own.py")["model"]
    architecture = from_mmaction2(settings, "own.py")
    small = empty_recogniser(
        args.mmaction2,
        replace(architecture, side=train.SMALL, patch=architecture.patch // SHRINK),
    ).train()
    start(small)
    # the sample's painter, for other frames, classes and crops
    train.SAMPLING, train.CLIP_LEN = SAMPLING, SAMPLING.clip_len
    train.LABELS, train.CROP_LEFTS = LABELS, (train.CROP_LEFTS[2],)
    bank = train.draw_background_bank(SEED, BACKGROUNDS)
    rng = clip_rng(SEED, "train", 0)
    optimiser = torch.optim.AdamW(small.parameters(), LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=args.steps, pct_start=WARM_UP_STEPS / args.steps
    )
    began, right = time.monotonic(), []
    for step in range(1, args.steps + 1):
        imgs, classes = train.draw_batch(rng, bank, BATCH)
        with torch.autocast("cpu", torch.bfloat16):
            output = train.logits(small, normalised(imgs)).float()
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(output, classes).backward()
        torch.nn.utils.clip_grad_norm_(small.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        right.append(float((output.argmax(1) == classes).float().mean()))
        if step % 5 == 0:
            seconds = time.monotonic() - began
            print(f"step {step}: top-1 {np.mean(right[-5:]):.1%}, {seconds:.0f} s", flush=True)
    weights = small.state_dict()
    key = "backbone.patch_embed.projection.weight"
    weights[key] = torch.kron(weights[key], torch.ones(SHRINK, SHRINK) / SHRINK**2)
    weights = {name: value.half() for name, value in weights.items()}  # half the size
    torch.save({"state_dict": weights}, HERE / "own.pth")


if __name__ == "__main__":
    main()
