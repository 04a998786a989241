"""The sentence of choice.json: which engine to use on this machine, and how to choose it."""


def sentence(choice: dict) -> str:
    """Markdown, in one paragraph: the fastest exact engine, and the fastest within the limits."""
    engines = {row["name"]: row for row in choice["engines"]}
    if choice["exact"] is None:
        return (
            "No engine is in float32 on the CPU or a GPU, so the accuracy of "
            f"{', '.join(engines)} could not be compared with an exact one: add one, as in "
            f"`engines: [onnxruntime, ...]`."
        )
    exact, fastest = engines[choice["exact"]], engines[choice["fastest"]]
    text = f"On this machine the fastest exact engine is {_named(exact)}"
    if exact is fastest:
        text += ", which is also the fastest within the limits of parity and accuracy."
    else:
        text += (
            f", and the fastest within the limits of parity and accuracy is {_named(fastest)}: "
            f"{_compared(fastest['comparison'])}."
        )
    for row in engines.values():
        if not row["within_limits"] and row["videos_per_second"] > fastest["videos_per_second"]:
            text += f" {row['name']} is faster, but {_compared(row['comparison'])}."
    return text


def _named(row: dict) -> str:
    lines = " and ".join(f"`{line}`" for line in row["config"])
    return f"{row['name']}, {row['videos_per_second']:.2f} videos/s ({lines})"


def _compared(comparison: dict) -> str:
    """What its videos show of an engine's accuracy."""
    against, videos = comparison["against"], comparison["labelled"]
    if not videos:
        return f"no video has a label to compare its accuracy with that of {against}"
    low, high = comparison["difference95"]
    return (
        f"on {videos} videos its top-1 differs from that of {against} by "
        f"{comparison['difference']:+.2f} points (95 % interval {low:+.2f} to {high:+.2f}, "
        f"McNemar's p {comparison['mcnemar_p']:.2g}), so that a loss of up to "
        f"{max(0.0, -low):.2f} points is not ruled out"
    )
