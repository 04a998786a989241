"""A temporary folder for a vendor's program to run in."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def work_folder(output: Path) -> Iterator[Path]:
    """An empty folder beside `output`, gone afterwards.

    Its name is fixed, so that the next run clears the folder that a killed run left.
    """
    folder = output.with_name(f".{output.name.lstrip('.')}.work")
    shutil.rmtree(folder, ignore_errors=True)
    # ais_bench refuses a folder that other users may write to
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
