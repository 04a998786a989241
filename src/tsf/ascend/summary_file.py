"""The summary that ais_bench writes when it ends, of which no release checks anything."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsf.errors import UserError, on_one_line
from tsf.files import read_foreign_json
from tsf.inference.results import LATENCIES

REMEDY = "ais_bench did not end well; run again"


@dataclass(frozen=True)
class Summary:
    """What ais_bench tells of its runs of a model; as it is, that it did not run."""

    milliseconds: list[float] = field(default_factory=list)  # of each run
    outputs: int = 0  # files of results
    # by LATENCIES: min, max and mean milliseconds of the copies, and how many were counted
    copies: dict[str, dict[str, float]] = field(default_factory=dict)
    stand_in: str | None = None  # what a stand-in says that it is


def read_summary(path: Path) -> Summary:
    """Raises UserError for a file that is no summary of at least one run."""
    content = read_foreign_json(path, REMEDY)
    try:
        times = [_milliseconds(time) for time in _as(list, content["npu_compute_time_list"])]
        if not sum(times):
            raise ValueError("npu_compute_time_list has no time")
        files = _as(dict, content.get("filesinfo", {})).values()
        return Summary(
            times,
            sum(len(_as(list, _as(dict, file)["outfiles"])) for file in files),
            {name: _copies(content[name]) for name in LATENCIES if name in content},
            _as(str, content.get("stand_in", "")) or None,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as fault:
        why = f"{type(fault).__name__}: {on_one_line(fault)}"
        raise UserError(f"{path}: not a summary of ais_bench ({why}); {REMEDY}") from None


def _milliseconds(time: Any) -> float:
    """Over a newer native part, an older front writes the start and the end."""
    if isinstance(time, list):
        start, end = map(_number, time)
        return _number(end - start)
    return _number(time)


def _copies(latency: Any) -> dict[str, float]:
    found = {key: _number(_as(dict, latency)[key]) for key in ("min", "max", "mean")}
    return found | {"count": _number(latency.get("count", 0))}


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < math.inf:
        raise ValueError(f"{value!r} is no number of 0 or more")
    return float(value)


def _as(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
