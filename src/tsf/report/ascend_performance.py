"""ascend_performance.md: the speeds in the form of the guide's table, beside its figure."""

from tsf import errors
from tsf.markdown import table
from tsf.report.render import render


def precision(run: dict) -> str:
    return f"{run['precision']}{', fast Gelu' if run['fast_gelu'] else ''}"


def commands(runs: list[dict]) -> str:
    return "".join(f"- {run['model']}: `{' '.join(run['command'])}`\n" for run in runs)


def guide_row(guide: dict, macs_per_video: int | None) -> dict:
    """The guide's figure, marked if it is of another model than the measured one."""
    if guide["same_model"]:
        return guide
    work = f"{guide['macs_per_video'] / 1e9:.1f} G multiply-adds a video"
    mark = (
        f"of a model of {work}, those of this one are not known"
        if macs_per_video is None
        else f"another model: {work}, this one {macs_per_video / 1e9:.2f} G"
    )
    return guide | {"device": f"{guide['device']}; {mark}"}


def guide_table(runs: list[dict], guide: dict) -> str:
    """The guide's table: a row a batch size, its own figure below."""
    rows = [
        [entry["device"], str(entry["batch"]), precision(entry), f"{entry[speed]:.2f} fps"]
        for entries, speed in ((runs, "videos_per_second"), ([guide], "fps"))
        for entry in entries
    ]
    return table(["chip", "batch size", "precision", "performance"], rows)


def time_table(runs: list[dict]) -> str:
    names = ("mean", "min", "p50", "p90", "p99", "max")
    rows = [
        [
            str(run["batch"]),
            str(run["runs"]),
            *(f"{run['milliseconds'][name]:.2f}" for name in names),
            *(
                "-" if run[copy] is None else f"{run[copy]:.2f}"
                for copy in ("h2d_milliseconds", "d2h_milliseconds")
            ),
        ]
        for run in runs
    ]
    return table(["batch", "runs", *names, "copy in (H2D)", "copy out (D2H)"], rows)


def peak_text(content: dict) -> str:
    if content["macs_per_video"] is None:
        return "The multiply-adds cannot be counted: the model was not simplified.\n"
    work = f"A video costs {content['macs_per_video'] / 1e9:.2f} G multiply-adds"
    if content["peak_tflops"] is None:
        return f"{work}. Share of the chip's peak: not stated; set ascend.peak_tflops.\n"
    shares = ", ".join(
        f"batch {run['batch']}: {run['share_of_peak']:.1%}" for run in content["runs"]
    )
    return f"{work}. Share of the stated peak of {content['peak_tflops']:g} TFLOPS: {shares}.\n"


def markdown(content: dict) -> str:
    runs = content["runs"]
    meanings = ", ".join(f"{name} = {words}" for name, words in content["precisions"].items())
    return f"""# Performance on the NPU

{guide_table(runs, guide_row(content["guide"], content["macs_per_video"]))}
fps: 1000 * batch / mean, as ais_bench defines it: videos (all views of each) a second of the model
alone, without copies, decoding and file reading. Precision: {meanings}.

Milliseconds a run, after the warm-up, on zeros as input:

{time_table(runs)}
{peak_text(content)}
How each model was compiled:

{commands(runs)}"""


def main() -> None:
    render(__doc__, "--performance", markdown)


if __name__ == "__main__":
    errors.run(main)
