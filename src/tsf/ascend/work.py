"""A folder for a tool to run in."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def work_folder(output: Path) -> Iterator[Path]:
    """An empty folder beside `output`, gone afterwards.

    Its name is fixed, so that what a killed run left is cleared by the next.
    """
    folder = output.with_name(f".{output.name.lstrip('.')}.work")
    shutil.rmtree(folder, ignore_errors=True)
    # ais_bench refuses a folder that others may write
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
