"""Retrains the sample checkpoint: mmaction2's own TimeSformer, small, on made-up motion clips.

Trained at 56x56 with patches of 8, a sixteenth of the pixels, from frames painted at that size.
The patch convolution is then spread: a kernel of 32 whose every 4x4 block is the same weight
divided by 16 sees of a 224x224 frame exactly what the kernel of 8 sees of its 4x4 means. The other
weights stay.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from tsf import errors
from tsf.data.sampling import frame_numbers
from tsf.errors import UserError
from tsf.files import whole_file
from tsf.model.recogniser import Recogniser, empty_recogniser
from tsf.model.settings_argument import add_settings_arguments, read_settings
from tsf.recipe.record import Sampling
from tsf.sample.clips import (
    DRIFT,
    HEIGHT,
    LABELS,
    WIDTH,
    clip_rng,
    coverage,
    draw_background,
    draw_scene,
)

# The model is trained with the classes as `LABELS` lists them; the checkpoint has them as
# mmaction2's class map does, the sorted label keys.
CLASS_ORDER = sorted(range(len(LABELS)), key=lambda number: LABELS[number].replace(" ", "_"))

# of models/tsf_sample.py
SAMPLING = Sampling("mmaction2-0.x", clip_len=8, frame_interval=32, num_clips=1)
CLIP_LEN = SAMPLING.clip_len
SIDE = 224
RESIZED_WIDTH = 298  # of 340x256 at a short side of 224
CROP_LEFTS = (0, 74, 37)  # left, right, middle
PATCH = 32
SHRINK = 4
SMALL = SIDE // SHRINK

BATCH = 64
BACKGROUNDS = 600
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 0.05
WARM_UP_STEPS = 100
# Larger than mmaction2's 0.02 and 0: with a faint sense of time the model learns the axis of a
# motion and not its direction.
EMBEDDING_STD = 0.5
# The noise of H.264 and JPEG that remains after the mean over 4x4 pixels, in grey levels.
CODEC_NOISE = 1.5


def sampled(frames: int) -> list[int]:
    """The clip's frames, numbered from 0."""
    return [number - 1 for number in frame_numbers(frames, SAMPLING)]


def draw_background_bank(seed: int, count: int) -> np.ndarray:
    """Drifting backgrounds as the three crops see them, in YUV.

    Returns:
        (count, 3 crops, 8, 56, 56, YUV) uint8.
    """
    bank = np.empty((count, len(CROP_LEFTS), CLIP_LEN, SMALL, SMALL, 3), np.uint8)
    for index in range(count):
        rng = clip_rng(seed, "train", 1 + index)  # stream 0 draws the batches
        canvas = np.ascontiguousarray(draw_background(rng).transpose(1, 2, 0))
        first, last = rng.uniform(0, 2 * DRIFT, (2, 2))
        corners = np.linspace(first, last, CLIP_LEN).astype(int)
        for number, (left, top) in enumerate(corners):
            frame = canvas[top : top + HEIGHT, left : left + WIDTH]
            frame = cv2.resize(frame, (RESIZED_WIDTH, SIDE), interpolation=cv2.INTER_LINEAR)
            for crop, x in enumerate(CROP_LEFTS):
                bank[index, crop, number] = cv2.resize(
                    frame[:, x : x + SIDE], (SMALL, SMALL), interpolation=cv2.INTER_AREA
                )
    return bank


def yuv_to_rgb(yuv: np.ndarray) -> np.ndarray:
    """BT.601 limited-range YUV to RGB within 0..255; channels on the last axis of both."""
    luma = (yuv[..., 0] - 16) * (255 / 219)
    u, v = (yuv[..., 1] - 128) * (255 / 224), (yuv[..., 2] - 128) * (255 / 224)
    rgb = np.stack([luma + 1.402 * v, luma - 0.344136 * u - 0.714136 * v, luma + 1.772 * u], -1)
    return np.clip(rgb, 0, 255)


def draw_batch(
    rng: np.random.Generator, bank: np.ndarray, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Paints a batch of clips, one random crop each, as the model is fed them at a quarter size.

    Returns:
        Normalised RGB, (size, 3, 8, 56, 56) float32, and classes in `LABELS`, (size,) int64.
    """
    classes = rng.integers(len(LABELS), size=size)
    crops = rng.integers(len(CROP_LEFTS), size=size)
    yuv = bank[rng.integers(len(bank), size=size), crops].astype(np.float32)
    yuv = yuv[:, :, :: rng.choice([-1, 1]), :: rng.choice([-1, 1])]  # (size, 8, 56, 56, 3)
    grid = (np.arange(SMALL, dtype=np.float32) + 0.5) * SHRINK
    rows = (grid * HEIGHT / SIDE)[None, None, :, None]
    lefts = np.array(CROP_LEFTS, np.float32)[crops, None]
    columns = ((lefts + grid) * (WIDTH / RESIZED_WIDTH))[:, None, None, :]
    scenes = [draw_scene(rng, LABELS[number]) for number in classes]
    for track, colour in (("distractor", "distractor_yuv"), ("disc", "disc_yuv")):
        paths = [getattr(scene, track) for scene in scenes]
        discs = np.stack([path[sampled(len(path))] for path in paths]).astype(np.float32)
        colours = np.stack([getattr(scene, colour) for scene in scenes]).astype(np.float32)
        alpha = coverage(columns, rows, discs[:, :, None, None], SHRINK * HEIGHT / SIDE)[..., None]
        yuv = yuv + alpha * (colours[:, None, None, None] - yuv)
    rgb = yuv_to_rgb(yuv) + CODEC_NOISE * rng.standard_normal(yuv.shape, np.float32)
    rgb = np.ascontiguousarray(rgb.transpose(0, 4, 1, 2, 3), np.float32)
    return torch.from_numpy((rgb - 127.5) / 127.5), torch.from_numpy(classes)


def prepare(model: Recogniser) -> None:
    """Starts the model where it learns motion: time and place felt, no zero layer, no drop path."""
    torch.nn.init.trunc_normal_(model.backbone.time_embed, std=EMBEDDING_STD)
    torch.nn.init.trunc_normal_(model.backbone.pos_embed, std=EMBEDDING_STD)
    for name, module in model.named_modules():
        if name.endswith("temporal_fc"):
            torch.nn.init.xavier_uniform_(module.weight)
        if type(module).__name__ == "DropPath":
            module.drop_prob = 0.0


def logits(model: Recogniser, imgs: torch.Tensor) -> torch.Tensor:
    """(size, 3, 8, side, side) -> (size, 8 classes)."""
    return model.cls_head(model.backbone(imgs))


def fit(model: Recogniser, seed: int, steps: int) -> None:
    """Trains `model` at 56x56 in place; a line of progress every 50 steps."""
    bank = draw_background_bank(seed, BACKGROUNDS)
    rng = clip_rng(seed, "train", 0)
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=steps, pct_start=WARM_UP_STEPS / steps
    )
    losses, right, began = 0.0, 0, time.monotonic()
    for step in range(1, steps + 1):
        imgs, classes = draw_batch(rng, bank, BATCH)
        with torch.autocast("cpu", torch.bfloat16):  # 2.5 times faster where the CPU has it
            output = logits(model, imgs).float()
        loss = torch.nn.functional.cross_entropy(output, classes)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses += loss.item()
        right += int((output.argmax(1) == classes).sum())
        if step % 50 == 0:
            seconds = time.monotonic() - began
            print(
                f"step {step}/{steps}: loss {losses / 50:.3f}, "
                f"top-1 {right / 50 / BATCH:.1%}, {seconds / step:.2f} s a step",
                file=sys.stderr,
                flush=True,
            )
            losses, right = 0.0, 0


def spread_patches(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights for 224x224 with patches of 32, from those for 56x56 with patches of 8."""
    key = "backbone.patch_embed.projection.weight"
    blocks = torch.ones(SHRINK, SHRINK) / SHRINK**2
    return {**state, key: torch.kron(state[key], blocks)}


def order_classes(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights with the head's rows in `CLASS_ORDER` instead of the order of `LABELS`."""
    keys = ("cls_head.fc_cls.weight", "cls_head.fc_cls.bias")
    return {**state, **{key: state[key][CLASS_ORDER] for key in keys}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_settings_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="the checkpoint, .pth")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1500, help="at least 100, the warm-up")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    architecture = read_settings(options.settings, options.mmaction2)
    if architecture is None:
        raise UserError("training has no checkpoint to take the model's shape from: give settings")
    small = empty_recogniser(
        options.mmaction2, replace(architecture, side=SMALL, patch=PATCH // SHRINK)
    ).train()
    prepare(small)
    fit(small, options.seed, options.steps)

    model = empty_recogniser(options.mmaction2, architecture)
    model.load_state_dict(order_classes(spread_patches(small.state_dict())))
    imgs = torch.randn(2, 3, CLIP_LEN, SIDE, SIDE)
    means = torch.nn.functional.avg_pool3d(imgs, (1, SHRINK, SHRINK))
    with torch.no_grad():
        expected = logits(small.eval(), means)[:, CLASS_ORDER]
        torch.testing.assert_close(logits(model.eval(), imgs), expected, rtol=1e-4, atol=1e-4)
    meta = {
        "labels": [LABELS[number] for number in CLASS_ORDER],
        "seed": options.seed,
        "steps": options.steps,
        "torch": str(torch.__version__),
    }
    with whole_file(options.output) as part:
        torch.save({"meta": meta, "state_dict": model.state_dict()}, part)


if __name__ == "__main__":
    errors.run(main)
