"""ascend_variants.json: what each variant of the compiled model gains and costs on this NPU."""

import argparse
from pathlib import Path

from tsf import errors
from tsf.errors import UserError
from tsf.files import read_json, write_json


def refuse_all_refused(variants: list[dict]) -> None:
    """Raises UserError if no variant was measured: then the machine is at fault, and no variant."""
    if all(variant["refused"] for variant in variants):
        raise UserError(
            f"every variant was refused, the first with: {variants[0]['refused']}; see `snakemake "
            "doctor`, then delete results/variants and run again"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=Path, nargs="+", required=True, help="json, in order")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    variants = [read_json(path) for path in args.variants]
    refuse_all_refused(variants)
    write_json(args.output, {"variants": variants})


if __name__ == "__main__":
    errors.run(main)
