"""measured.json: the measurements that are made if asked for, and whether they are of this run.

Nobody makes them for the page's sake, so those that lie there may be of another model.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tsf import errors
from tsf.engines.described import DescribedEngine, read_described
from tsf.errors import UserError
from tsf.files import read_json, sha256, write_json

# of a file's time alone Snakemake would not make it again
UNREADABLE = "it has changed since it was made, or is of another release; delete it first"


def performance_fault(performance: dict, engines: list[DescribedEngine]) -> str | None:
    """Why performance.json is not of this run; None if it is.

    It is if it has a measurement of every setup that the run configures, with the same model. The
    NPU is measured at batch sizes of its own, with a model each, so that one may be missing.
    """
    for engine in engines:
        setup = engine.setup
        rows = [
            row
            for row in performance["measurements"]
            if row["engine"] == setup.engine and row["model"] == engine.file.name
        ]
        if any(row.get("sha256") != engine.sha256 for row in rows):
            return f"{engine.file.name} was another file when it was measured"
        if setup.engine != "ascend" and asdict(setup) not in [row.get("setup") for row in rows]:
            return f"it has no measurement of {setup.name}"
    return None


def npu_fault(performance: dict, engines: list[DescribedEngine]) -> str | None:
    """Why ascend_performance.json is not of this run; None if it is."""
    models = {e.file.name: e.sha256 for e in engines if e.setup.engine == "ascend"}
    if not models:
        return "ascend is no engine of it"
    for run in performance["runs"]:
        if run.get("sha256") != models.get(run["model"], run.get("sha256")):
            return f"{run['model']} was another file when it was measured"
    return None


def parity_fault(parity: dict, verify: dict) -> str | None:
    """Why parity.json is not of this run; None if it has each boundary of verify.json."""
    if parity["clips"] != verify["clips"]:
        return "it compares other clips"
    for boundary in verify["boundaries"]:
        if boundary not in parity["boundaries"]:
            return f"{boundary['name']} is measured anew since, or held to another threshold"
    return None


def choice_fault(choice: dict, engines: list[DescribedEngine]) -> str | None:
    """Why choice.json is not of this run; None if it is.

    It is if it compares the run's setups, which their names tell apart, and all that it was made
    from is as it was.
    """
    if not {"made_from", "cpus"} <= choice.keys():
        return "it does not say what it was made from"
    if {row["name"] for row in choice["engines"]} != {engine.setup.name for engine in engines}:
        return "it compares other engines"
    for name, digest in choice["made_from"].items():
        if not Path(name).exists() or sha256(Path(name)) != digest:
            return f"{name} has changed since it was made"
    return None


def read_if_made(
    path: Path, fault_of: Callable[[dict], str | None]
) -> tuple[dict | None, str | None]:
    """The file's content, and why it is not of this run; None for either that there is not.

    One that cannot be read is not shown either: it is no reason to end a run that can do without.
    """
    if not path.exists():
        return None, None
    try:
        content = read_json(path)
        return content, fault_of(content)
    except UserError:
        return None, UNREADABLE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verify", type=Path, required=True, help="json of this run's proof")
    parser.add_argument("--engines", type=Path, nargs="+", required=True, help="json, one each")
    parser.add_argument("--parity", type=Path, required=True, help="json, which need not be there")
    parser.add_argument("--performance", type=Path, required=True, help="the same")
    parser.add_argument("--choice", type=Path, required=True, help="the same")
    parser.add_argument("--ascend-performance", type=Path, required=True, help="the same")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    engines = [read_described(path) for path in args.engines]
    verify = read_json(args.verify)
    found = {
        "parity": read_if_made(args.parity, partial(parity_fault, verify=verify)),
        "performance": read_if_made(args.performance, partial(performance_fault, engines=engines)),
        "choice": read_if_made(args.choice, partial(choice_fault, engines=engines)),
        "ascend_performance": read_if_made(
            args.ascend_performance, partial(npu_fault, engines=engines)
        ),
    }
    content = {name: of_run for name, (of_run, _) in found.items()}
    write_json(args.output, content | {"faults": {name: why for name, (_, why) in found.items()}})


if __name__ == "__main__":
    errors.run(main)
