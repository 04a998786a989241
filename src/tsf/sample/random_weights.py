"""Make a checkpoint of seeded random weights, to run a full-size model without a download."""

import argparse
from pathlib import Path

import torch

from tsf import errors
from tsf.errors import UserError
from tsf.files import whole_file
from tsf.model.recogniser import empty_recogniser
from tsf.model.settings_argument import add_settings_arguments, read_settings


def random_weights(shapes: dict[str, torch.Size], seed: int) -> dict[str, torch.Tensor]:
    """Random values with which no part of the model gives zero or saturates.

    mmaction2's own initialisation zeroes temporal_fc, which would hide the temporal attention.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator)
        norm_scale = "norm" in name and name.endswith("weight")
        weights[name] = 1 + 0.1 * values if norm_scale else 0.03 * values
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_settings_arguments(parser)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()

    architecture = read_settings(args.settings, args.mmaction2)
    if architecture is None:
        raise UserError("random weights need settings, as no checkpoint tells their shapes")
    recogniser = empty_recogniser(args.mmaction2, architecture)
    shapes = {name: value.shape for name, value in recogniser.state_dict().items()}
    weights = random_weights(shapes, args.seed)
    with whole_file(args.output) as part:
        torch.save({"meta": {"random_seed": args.seed}, "state_dict": weights}, part)


if __name__ == "__main__":
    errors.run(main)
