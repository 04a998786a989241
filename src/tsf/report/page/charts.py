"""The charts of the page, one a function, each an <svg> element."""

from collections.abc import Sequence

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from tsf.report.page.svg import GRID, INK, MUTED, SERIES, STYLE, figure, inline

# pixels of the page: three narrow charts side by side, or one
NARROW, WIDE = 325, 860
LABELLED_CELLS = 12  # classes; the cells of a larger matrix have no room for a number


def axes_of(width: float, height: float) -> tuple[Figure, Axes]:
    drawn = figure(width, height)
    with matplotlib.rc_context(STYLE):
        return drawn, drawn.subplots()


def plain_log(axis: Axis, *steps: int) -> None:
    """Labels such as 1e-06 and 20 on a log axis, at `steps` of each decade."""
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))


def reliability(name: str, calibration: dict) -> Markup:
    """The share of right videos in each bin of confidence. calibration: of details.json."""
    drawn, axes = axes_of(NARROW, 310)
    with matplotlib.rc_context(STYLE):
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.8, linestyle=(0, (3, 3)))
        for group in calibration["bins"]:
            low, high = 100 * group["low"], 100 * group["high"]
            axes.bar(low, group["accuracy"], high - low, align="edge", color=SERIES[0], alpha=0.35)
            axes.plot(group["confidence"], group["accuracy"], "o", color=SERIES[0], markersize=3.5)
        axes.set(xlim=(0, 100), ylim=(0, 103), xlabel="confidence, %", ylabel="right, %")
        axes.set_aspect("equal")
    return inline(
        drawn,
        f"Reliability of {name}: the share of right videos by confidence",
        "confidence, %",
        "right, %",
    )


def matrix(content: dict) -> Markup:
    """The confusion matrix of details.json, a row a true class, shaded by the row's share."""
    names, counts = content["classes"], content["counts"]
    number = len(names)
    size = min(940, 300 + 25 * number)
    drawn, axes = axes_of(size, size)
    with matplotlib.rc_context(STYLE):
        small = 8 if number <= LABELLED_CELLS else 6
        for i, row in enumerate(counts):
            of_class = sum(row) + content["others"][i]
            for j, videos in enumerate(row):
                if not videos:
                    continue
                shade = 0.12 + 0.88 * videos / of_class
                colour = SERIES[0] if i == j else SERIES[1]
                axes.add_patch(
                    matplotlib.patches.Rectangle((j, i), 1, 1, color=colour, alpha=shade, lw=0)
                )
                if number <= LABELLED_CELLS:
                    axes.text(j + 0.5, i + 0.5, str(videos), ha="center", va="center", color=INK)
        places = [place + 0.5 for place in range(number)]
        axes.set_xticks(places, [short(name) for name in names], rotation=90, fontsize=small)
        axes.set_yticks(places, [short(name) for name in names], fontsize=small)
        axes.set(xlim=(0, number), ylim=(number, 0), xlabel="taken for", ylabel="true class")
        axes.tick_params(length=0)
        axes.set_aspect("equal")
        for spine in axes.spines.values():
            spine.set(visible=True, edgecolor=GRID)
    return inline(
        drawn,
        "Confusion matrix: true classes by row, predicted classes by column",
        "taken for",
        "true class",
    )


def short(name: str, most: int = 26) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def groups(key: str, rows: Sequence[dict]) -> Markup:
    """The accuracy of each group of videos with its interval. rows: of details.json."""
    unit = {"seconds": " s", "short_side": " px", "fps": " fps"}[key]
    drawn, axes = axes_of(NARROW, 62 + 30 * len(rows))
    with matplotlib.rc_context(STYLE):
        for place, row in enumerate(rows):
            axes.plot(row["interval95"], [place, place], color=SERIES[0], linewidth=2.4, alpha=0.4)
            axes.plot(row["percent"], place, "o", color=SERIES[0], markersize=4)
        axes.set_yticks(range(len(rows)), [group_label(row, unit) for row in rows])
        low, high = (
            limit(row["interval95"][i] for row in rows) for i, limit in enumerate((min, max))
        )
        # a margin of 3 points, but no share is below 0 or above 100 %
        span = (max(low - 3, 0), min(high + 3, 100))
        axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=span, xlabel="top-1, %")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
    return inline(drawn, f"Top-1 by {key}", "top-1, %", "not known")


def group_label(row: dict, unit: str) -> str:
    if not row["known"]:
        return "not known"
    low, high = row["low"], row["high"]
    if low is None:
        return f"< {high:g}{unit}"
    return f"≥ {low:g}{unit}" if high is None else f"{low:g}–{high:g}{unit}"


def latency(name: str, histogram: dict) -> Markup:
    """The times of the runs with their percentiles. histogram: of verdict.json."""
    drawn, axes = axes_of(500, 270)
    edges, counts = histogram["edges"], histogram["counts"]
    with matplotlib.rc_context(STYLE):
        axes.stairs(counts, edges, fill=True, color=SERIES[0], alpha=0.55)
        for key in ("p50", "p90", "p99"):
            axes.axvline(histogram[key], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
            axes.annotate(
                key,
                (histogram[key], 1),
                (0, 2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
        axes.set(xlabel="milliseconds a run", ylabel="runs", ylim=(0, None))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return inline(drawn, f"Latency of {name}", "milliseconds a run", "runs")


def setup_label(row: dict) -> str:
    """A measurement's engine, model, precision and batch."""
    parts = [row["engine"], row["model"], row["precision"], f"batch {row['batch']}"]
    return " · ".join(part for part in parts if part)


def throughput(rows: Sequence[dict]) -> Markup:
    """Videos a second of every measured setup. rows: measurements of performance.json."""
    drawn, axes = axes_of(WIDE, 60 + 32 * len(rows))
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    with matplotlib.rc_context(STYLE):
        for place, row in enumerate(rows):
            colour = SERIES[engines.index(row["engine"]) % len(SERIES)]
            speed = row["videos_per_second"]
            axes.barh(place, speed, 0.62, color=colour, alpha=0.75)
            axes.annotate(
                f"{speed:.2f}", (speed, place), (4, 0), textcoords="offset points", va="center"
            )
        labels = [setup_label(row) for row in rows]
        _named_rows(axes, labels)
        axes.set(xlabel="videos a second, the model alone")
        axes.margins(x=0.12)
    return inline(
        drawn, f"Videos a second of {', '.join(labels)}", "videos a second, the model alone"
    )


def _named_rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def stages(rows: Sequence[dict]) -> Markup:
    """Milliseconds a video in each stage. rows: measurements that have them."""
    drawn, axes = axes_of(WIDE, 90 + 34 * len(rows))
    names = list(rows[0]["end_to_end"]["seconds"])
    with matplotlib.rc_context(STYLE):
        for place, row in enumerate(rows):
            left = 0.0
            for number, name in enumerate(names):
                width = 1000 * row["end_to_end"]["seconds"][name]
                axes.barh(
                    place,
                    width,
                    0.62,
                    left,
                    color=SERIES[number % len(SERIES)],
                    alpha=0.75,
                    label=name if place == 0 else None,
                )
                left += width
        _named_rows(axes, [setup_label(row) for row in rows])
        axes.set(xlabel="milliseconds a video")
        drawn.legend(loc="outside upper center", ncols=len(names), fontsize=7, handlelength=1)
    return inline(drawn, "Time of a video by stage", "milliseconds a video", *names)


def roofline(rows: Sequence[dict]) -> Markup:
    """Speed over operations a byte, under the machine's limits.

    rows: measurements with `gflops`, `gemm_gflops`, `operations_per_byte`, `memory_gb_per_second`.
    """
    drawn, axes = axes_of(640, 400)
    with matplotlib.rc_context(STYLE):
        most = 3 * max(row["operations_per_byte"] for row in rows)
        least = 0.3 * min(row["operations_per_byte"] for row in rows)
        limits = {row["precision"]: row for row in rows}
        for number, (precision, row) in enumerate(limits.items()):
            ridge = row["gemm_gflops"] / row["memory_gb_per_second"]
            start = min(least, 0.3 * ridge)
            colour = SERIES[number % len(SERIES)]
            axes.plot(
                [start, ridge, max(most, 3 * ridge)],
                [start * row["memory_gb_per_second"], row["gemm_gflops"], row["gemm_gflops"]],
                color=colour,
                linewidth=1.2,
                label=precision,
            )
            for point in rows:
                if point["precision"] == precision:
                    place = (point["operations_per_byte"], point["gflops"])
                    axes.plot(*place, "o", color=colour, markersize=5)
                    axes.annotate(
                        f"{point['engine']}, batch {point['batch']}",
                        place,
                        (0, -10),
                        textcoords="offset points",
                        ha="center",
                        fontsize=6.5,
                    )
        axes.set(xscale="log", yscale="log", xlabel="operations a byte, at most", ylabel="GFLOP/s")
        plain_log(axes.xaxis, 1, 3)
        plain_log(axes.yaxis, 1, 2, 5)
        axes.grid()
        axes.margins(y=0.12)
        axes.legend(loc="upper left", fontsize=7)
    return inline(
        drawn,
        "Roofline: speed over operations a byte, under the machine's limits",
        "operations a byte, at most",
    )


def parity(boundaries: Sequence[dict]) -> Markup:
    """Every boundary's distance as a bar, its threshold as a line, on a log axis.

    A distance of zero has no place on the axis, so it has no bar but a word.
    """
    drawn, axes = axes_of(WIDE, 66 + 32 * len(boundaries))
    shown = [(b[b["measure"]], b["allowed"]) for b in boundaries]
    positive = [value for pair in shown for value in pair if value > 0] or [1.0]
    left = min(positive) / 10
    with matplotlib.rc_context(STYLE):
        for place, (found, allowed) in enumerate(shown):
            if found > 0:
                axes.barh(place, found - left, 0.6, left, color=SERIES[0], alpha=0.75)
            else:
                axes.text(left * 1.2, place, "equal", va="center", color=MUTED, fontsize=7)
            if allowed > 0:
                axes.plot([allowed] * 2, [place - 0.42, place + 0.42], color=SERIES[1], lw=2)
        axes.set(xscale="log", xlim=(left, max(positive) * 3))
        axes.set(xlabel="distance from PyTorch, and the largest allowed")
        plain_log(axes.xaxis, 1)
        _named_rows(axes, [f"{b['name']} · {b['measure'].replace('_', ' ')}" for b in boundaries])
        axes.grid(axis="x")
    return inline(
        drawn,
        "Distance of every boundary from PyTorch, and what is allowed",
        "distance from PyTorch, and the largest allowed",
        "equal",
    )
