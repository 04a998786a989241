"""Save mmaction2's recogniser as a torch.export program, which runs without mmaction2."""

import argparse
from pathlib import Path

import torch

from tsf import errors
from tsf.data.model_input import CLIP_SHAPE
from tsf.files import whole_file
from tsf.model.recogniser import Recogniser, add_export_arguments, build_recogniser


class Logits(torch.nn.Module):
    """imgs (batch, 3, 3, 8, 224, 224) -> result (batch * 3, classes)."""

    def __init__(self, recogniser: Recogniser):
        super().__init__()
        self.recogniser = recogniser

    def forward(self, imgs: torch.Tensor) -> torch.Tensor:
        return self.recogniser.forward_dummy(imgs)[0]


def export(recogniser: Recogniser, batch: int, output: Path) -> None:
    with torch.no_grad(), whole_file(output) as part:
        program = torch.export.export(Logits(recogniser), (torch.zeros(batch, *CLIP_SHAPE),))
        torch.export.save(program, part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_export_arguments(parser)
    args = parser.parse_args()

    export(build_recogniser(args.mmaction2, args.config, args.checkpoint), args.batch, args.output)
    print(f"{args.output}: {args.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    errors.run(main)
