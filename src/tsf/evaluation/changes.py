"""What differs between what two runs were made of."""

import json
from pathlib import Path


def flat(value: object, name: str = "") -> dict[str, object]:
    """Dotted names and values of nested dicts; a list counts as one value."""
    if not isinstance(value, dict):
        return {name: value}
    found: dict[str, object] = {}
    for key, inner in value.items():
        found |= flat(inner, f"{name}.{key}".lstrip("."))
    return found


def made_of(provenance: dict, accuracy: dict) -> dict[str, dict[str, object]]:
    """By group and name what a run was made of; None stands for what is not known.

    A commit with changes that are not committed says too little to be compared. Digests are named
    by their file alone, which may lie elsewhere; the checkpoint, whose name may differ, by none.
    """
    commit = provenance["commit"]
    recipe = {key: value for key, value in accuracy["recipe"].items() if key != "origin"}
    config = {key: value for key, value in provenance["config"].items() if key != "compare"}
    groups: dict[str, dict[str, object]] = {
        "recipe": flat(recipe),
        "checkpoint": {"sha256": next(iter(provenance["sha256"]["checkpoint"].values()))},
    }
    for kind in ("models", "lists", "patches"):
        digests = provenance["sha256"][kind]
        groups[kind] = {Path(file).name: digest for file, digest in digests.items()}
    return groups | {
        "config": flat(config),
        "commit": {"commit": commit and commit["commit"] + " …" * commit["changed"]},
        "versions": provenance["versions"],
        "machine": provenance["machine"],
    }


def same(group: str, first: object, second: object) -> bool | None:
    """None where it cannot be told."""
    if group == "commit" and (not (first and second) or "…" in f"{first}{second}"):
        return None
    if group == "checkpoint" and first and second:  # perhaps the first digits alone are known
        return str(first).startswith(str(second)) or str(second).startswith(str(first))
    return first == second


def changes(first: dict[str, dict], second: dict[str, dict]) -> dict:
    """The rows that differ or cannot be told, by group, and how many are equal.

    first, second: of `made_of`. What only one of them has is "" in the other.
    """
    rows, equal = [], 0
    for group in first:
        for name in dict.fromkeys([*first[group], *second[group]]):
            pair = [run[group].get(name, "") for run in (first, second)]
            alike = same(group, *pair)
            if alike:
                equal += 1
                continue
            shown = [_text(value) for value in pair]
            rows.append(
                {
                    "group": group,
                    "name": name,
                    "first": shown[0],
                    "second": shown[1],
                    "known": alike is not None,
                }
            )
    return {"rows": rows, "equal": equal}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
