"""The machine's limit in moving memory: the fastest copy of an array that no cache holds."""

import argparse
import json
import time

import torch

from tsf import errors

BYTES = 2**29  # of the array
RUNS = 5


def gigabytes_per_second(device: str, threads: int) -> float | None:
    """Bytes read and written a second, in units of 10^9, as STREAM's Copy counts them.

    None for a device that PyTorch does not run on here.
    """
    if (device == "cuda" and not torch.cuda.is_available()) or device not in ("cpu", "cuda"):
        return None
    torch.set_num_threads(threads)
    source = torch.ones(BYTES // 4, device=device)
    target = torch.zeros_like(source)  # its pages are there before the time is taken
    return 2 * BYTES / min(_seconds(source, target) for _ in range(RUNS)) / 1e9


def _seconds(source: torch.Tensor, target: torch.Tensor) -> float:
    if source.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    target.copy_(source)
    if source.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    print(json.dumps(gigabytes_per_second(args.device, args.threads)))


if __name__ == "__main__":
    errors.run(main)
