"""Save mmaction2's recogniser as a torch.export program, which runs without mmaction2."""

import argparse
from pathlib import Path

import torch

from tsf import errors
from tsf.files import whole_file
from tsf.model.load import add_export_arguments, load_model
from tsf.model.recogniser import Recogniser, build_recogniser


class Logits(torch.nn.Module):
    """imgs (batch, views, 3, T, y, x) -> result (batch * views, classes)."""

    def __init__(self, recogniser: Recogniser):
        super().__init__()
        self.recogniser = recogniser

    def forward(self, imgs: torch.Tensor) -> torch.Tensor:
        return self.recogniser.forward_dummy(imgs)[0]


def export(recogniser: Recogniser, shape: tuple[int, ...], output: Path) -> None:
    """Write the program for imgs of this shape."""
    with torch.no_grad(), whole_file(output) as part:
        program = torch.export.export(Logits(recogniser), (torch.zeros(shape),))
        torch.export.save(program, part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_export_arguments(parser)
    args = parser.parse_args()

    recogniser = build_recogniser(args.mmaction2, load_model(args))
    export(recogniser, (args.batch, *args.recipe.shape), args.output)
    print(f"{args.output}: {args.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    errors.run(main)
