"""Read predictions.csv, the five best classes of every video, per engine."""

from pathlib import Path

import pandas as pd


def read_predictions(path: Path) -> pd.DataFrame:
    """A row a video and engine; every name is text, a class that is called nan or 1 too."""
    columns = pd.read_csv(path, nrows=0).columns
    numbers = {name: float for name in columns if name.startswith("probability")}
    text = {name: str for name in columns if name not in numbers}
    return pd.read_csv(path, dtype=text | numbers, keep_default_na=False)
