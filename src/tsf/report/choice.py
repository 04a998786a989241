"""What choice.json says: which engine to use on this machine, and how to choose it.

Each sentence is a text with {names}, and what they stand for, so that the page can say it in both
its languages. A line of the config stands between backticks.
"""

NO_EXACT = (
    "No engine is in float32 on the CPU or a GPU, so the accuracy of {engines} could not be "
    "compared with an exact one: add one, as in `engines: [onnxruntime, ...]`."
)
EXACT = (
    "On this machine the fastest exact engine is {exact}, {exact_speed} videos/s ({exact_config}), "
    "which is also the fastest within the limits of parity and accuracy."
)
FASTEST = (
    "On this machine the fastest exact engine is {exact}, {exact_speed} videos/s ({exact_config}), "
    "and the fastest within the limits of parity and accuracy is {fastest}, {fastest_speed} "
    "videos/s ({fastest_config})."
)
FASTER = "{engine} is faster, but not within these limits."
COMPARED = (
    "On {videos} videos the top-1 of {engine} differs from that of {against} by {difference} "
    "points (95 % interval {low} to {high}, McNemar's p {p}), so that a loss of up to {loss} "
    "points is not ruled out."
)
MACHINES = (
    "The engines were measured on different machines ({cpus}), so that their speeds do not "
    "compare: give them one kind of node by `cluster.partition` and measure again."
)
ELSEWHERE = (
    "The speed of {engine} is that of {measured}, but the videos were inferred on {inferred}."
)
NO_LABEL = "No video has a label to compare the accuracy of {engine} with that of {against}."

Sentence = tuple[str, dict[str, str]]


def sentences(choice: dict) -> list[Sentence]:
    """The fastest exact engine, the fastest within the limits, and how the faster ones compare.

    Before them, whether they were measured on machines that do not compare.
    """
    engines = {row["name"]: row for row in choice["engines"]}
    doubts = machines(choice)
    if choice["exact"] is None:
        return [*doubts, (NO_EXACT, {"engines": ", ".join(engines)})]
    exact, fastest = engines[choice["exact"]], engines[choice["fastest"]]
    if exact is fastest:
        found = [(EXACT, _named("exact", exact))]
    else:
        named = _named("exact", exact) | _named("fastest", fastest)
        found = [(FASTEST, named), compared(fastest)]
    for row in engines.values():
        if not row["within_limits"] and row["videos_per_second"] > fastest["videos_per_second"]:
            found += [(FASTER, {"engine": row["name"]}), compared(row)]
    return doubts + found


def machines(choice: dict) -> list[Sentence]:
    """What differs between the machines that measured and inferred; nothing on one machine."""
    cpus = choice["cpus"]
    found = [(MACHINES, {"cpus": ", ".join(cpus)})] if len(cpus) > 1 else []
    for row in choice["engines"]:
        if row["elsewhere"]:
            named = {"measured": row["device"], "inferred": row["inferred_on"]}
            found.append((ELSEWHERE, {"engine": row["name"], **named}))
    return found


def paragraph(choice: dict) -> str:
    """The sentences as one paragraph of Markdown."""
    return " ".join(text.format(**values) for text, values in sentences(choice))


def _named(name: str, row: dict) -> dict[str, str]:
    return {
        name: row["name"],
        f"{name}_speed": f"{row['videos_per_second']:.2f}",
        f"{name}_config": ", ".join(f"`{line}`" for line in row["config"]),
    }


def compared(row: dict) -> Sentence:
    """What its videos show of an engine's accuracy. row: of choice.json, with a comparison."""
    comparison = row["comparison"]
    named = {"engine": row["name"], "against": comparison["against"]}
    if not comparison["labelled"]:
        return NO_LABEL, named
    low, high = comparison["difference95"]
    return COMPARED, named | {
        "videos": f"{comparison['labelled']}",
        "difference": f"{comparison['difference']:+.2f}",
        "low": f"{low:+.2f}",
        "high": f"{high:+.2f}",
        "p": f"{comparison['mcnemar_p']:.2g}",
        "loss": f"{max(0.0, -low):.2f}",
    }
