"""predictions.csv, the five best classes of every video, per engine; beside it its digest."""

from io import BytesIO
from pathlib import Path

import pandas as pd

from tsf.digests import read_unchanged, write_with_digest


def write_predictions(path: Path, table: pd.DataFrame) -> None:
    """table: a row a video and engine, by engine."""
    write_with_digest(path, table.to_csv().encode())


def read_predictions(path: Path) -> pd.DataFrame:
    """A row a video and engine; every name is text, a class that is called nan or 1 too.

    Raises UserError for a file that has changed since it was written.
    """
    data = read_unchanged(path)
    columns = pd.read_csv(BytesIO(data), nrows=0).columns
    numbers = {name: float for name in columns if name.startswith("probability")}
    text = {name: str for name in columns if name not in numbers}
    return pd.read_csv(BytesIO(data), dtype=text | numbers, keep_default_na=False)
