"""Try mutants until the time is over, and say how many were accepted, refused, lost, or a fault.

A fault is what no input may do: a traceback, an error of several lines, a process that dies or
hangs (a video's alone may: its steps run it in a process of its own), a file outside the output, a
sum that is not right, another number in silence. Its inputs are kept in --output.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from fuzz import seeds
from fuzz.run import FAULT, table, tried, until


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of mutants to try again")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=Path("results/fuzz"))
    args = parser.parse_args()

    kept = args.output.absolute() / str(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        seeds.make(source)
        start = time.monotonic()
        numbers = iter(args.only) if args.only else until(args.seconds)
        outcomes = tried(numbers, args.seed, source, kept, args.processes)
        seconds = time.monotonic() - start
    faults = [outcome for outcome in outcomes if outcome.kind == FAULT]
    for fault in faults:
        print(f"\nmutant {fault.number}, {fault.subject}, {kept / str(fault.number)}\n{fault.text}")
    print(table(outcomes))
    print(f"seed {args.seed}: {len(outcomes)} mutants in {seconds:.0f} s, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
