"""Which engine to use on this machine: the fastest exact one, and the fastest within the limits.

The limits are those of parity, without whose proof an engine has no results, and of accuracy: an
engine is out if the exact McNemar test, at 5 %, finds it right on fewer of the same videos than the
fastest exact engine.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tsf import errors
from tsf.engines.described import DescribedEngine, read_described
from tsf.engines.setup import DEFAULTS
from tsf.errors import UserError
from tsf.files import read_json, read_json_of, sha256, write_json

SIGNIFICANCE = 0.05  # of McNemar's p


def config_lines(described: DescribedEngine) -> list[str]:
    """The lines of config.yaml that choose the engine; ascend's model is in the key ascend."""
    setup = described.setup
    plain = asdict(DEFAULTS[setup.engine])
    changed = {key: value for key, value in asdict(setup).items() if value != plain[key]}
    settings = "".join(f", {key}: {value}" for key, value in changed.items())
    entry = f"{{engine: {setup.engine}{settings}}}" if settings else setup.engine
    # a model that takes float32 runs with either kind of .bin files
    more = ["bin: uint8"] if described.takes == "uint8" else []
    return [f"engines: [{entry}]", *more]


def compare(exact: str, other: str, pairs: list[dict]) -> dict[str, Any]:
    """How the accuracy of `other` differs from that of `exact`, on the same videos.

    pairs: `paired` of accuracy.json. `difference` is other minus exact in percentage points, and
    `within` whether McNemar's test leaves it possible that the two are equally good.
    """
    (pair,) = (p for p in pairs if {p["first"], p["second"]} == {exact, other})
    lost, gained = pair["first_only_right"], pair["second_only_right"]
    difference, interval = pair["difference"], pair["difference95"]
    if pair["first"] == other:
        lost, gained = gained, lost
        if difference is not None:
            difference, interval = 0.0 - difference, [0.0 - interval[1], 0.0 - interval[0]]
    worse = pair["mcnemar_p"] < SIGNIFICANCE and lost > gained
    return {
        "against": exact,
        "labelled": pair["labelled"],
        "exact_only_right": lost,
        "other_only_right": gained,
        "mcnemar_p": pair["mcnemar_p"],
        "difference": difference,
        "difference95": interval,
        "within": pair["labelled"] > 0 and not worse,
    }


def same_device(measured: str, inferred: str) -> bool:
    """Whether every shard was inferred on the kind of device that was measured.

    inferred: as merge_shards joins the shards' devices; ascend's have the precision behind them.
    """
    return all(
        part == measured or part.startswith(f"{measured}, ") for part in inferred.split(" and ")
    )


def choose(
    engines: dict[str, DescribedEngine],
    speeds: dict[str, dict],
    proofs: dict[str, dict],
    accuracy: dict,
) -> dict:
    """The content of choice.json. All by the engine's name.

    `cpus` has more than one name if the engines were measured on different machines, so that their
    speeds do not compare. A row's `inferred_on` is the device of the inference itself, and
    `elsewhere` whether it is another one than was measured.

    speeds: measurements of performance.json. proofs: of judge_parity, an engine each; `boundary` is
    the last of them, the engine's own. accuracy: accuracy.json. The fastest is the
    one of the most videos a second of the model alone.
    """

    def fastest(names: list[str]) -> str | None:
        return max(names, key=lambda name: speeds[name]["videos_per_second"], default=None)

    exact = fastest([name for name, described in engines.items() if described.setup.exact])
    rows = []
    for name, described in engines.items():
        comparison = None
        inferred_on = accuracy["engines"][name]["device"]
        if exact is not None and not described.setup.exact:
            comparison = compare(exact, name, accuracy["paired"])
        rows.append(
            {
                "name": name,
                "config": config_lines(described),
                "exact": described.setup.exact,
                "device": speeds[name]["device"],
                "inferred_on": inferred_on,
                "elsewhere": not same_device(speeds[name]["device"], inferred_on),
                "videos_per_second": speeds[name]["videos_per_second"],
                "boundary": proofs[name]["boundaries"][-1],
                "comparison": comparison,
                "within_limits": comparison["within"] if comparison else described.setup.exact,
            }
        )
    within = [row["name"] for row in rows if row["within_limits"]]
    return {
        "videos": accuracy["scored"],
        "cpus": sorted({speed["cpu"] for speed in speeds.values()}),
        "exact": exact,
        "fastest": fastest(within),
        "engines": sorted(rows, key=lambda row: -row["videos_per_second"]),
    }


def read_speeds(engines: dict[str, DescribedEngine], paths: list[Path]) -> dict[str, dict]:
    """The measurement of each engine, by its name.

    Raises UserError for one of another engine or model: two engines may run the same file.
    """
    if len(paths) != len(engines):
        raise UserError(f"--speeds: {len(paths)} files for {len(engines)} engines; give one each")
    speeds = {name: read_json(path) for name, path in zip(engines, paths, strict=True)}
    for (name, speed), path in zip(speeds.items(), paths, strict=True):
        setup = engines[name].setup
        same = speed["engine"] == setup.engine
        if same and setup.engine != "ascend":  # whose settings are in its model's file
            same = speed["setup"] == asdict(setup)
        if not same:
            raise UserError(
                f"{path}: measured with another engine than {name}, or other settings; give a file "
                "for each of --engines, in this order"
            )
        if speed["sha256"] != engines[name].sha256:
            raise UserError(
                f"{path}: measured with another model than {name}'s; delete it and run again"
            )
    return speeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accuracy", type=Path, required=True, help="accuracy.json")
    for option in ("engines", "speeds", "proofs"):
        parser.add_argument(
            f"--{option}", type=Path, nargs="+", required=True, help="json, an engine each"
        )
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    described = [read_described(path) for path in args.engines]
    engines = {engine.setup.name: engine for engine in described}
    accuracy = read_json(args.accuracy)
    if list(accuracy["engines"]) != list(engines):
        raise UserError(f"{args.accuracy} is of other engines than {', '.join(engines)}")
    proofs = read_json_of(engines, args.proofs)
    speeds = read_speeds(engines, args.speeds)
    content = choose(engines, speeds, proofs, accuracy)
    files = [args.accuracy, *args.engines, *args.speeds, *args.proofs]
    content["made_from"] = {str(path): sha256(path) for path in files}
    write_json(args.output, content)
    print(f"the fastest exact engine: {content['exact']}; within limits: {content['fastest']}")


if __name__ == "__main__":
    errors.run(main)
