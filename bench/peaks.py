"""The memory that the rules' jobs took, beside what they ask for: docs/resources.*.

    python bench/peaks.py collect FOLDER MODEL >> docs/resources.tsv
    python bench/peaks.py table

collect: of the benchmarks of a run with `--benchmark-extended` in FOLDER, where MODEL, `sample` or
`full`, was run; the largest peak of a rule, batch size and number of threads. table: the rows of
docs/resources.tsv as Markdown, for both documents.
"""

import csv
import json
import re
import sys
from pathlib import Path

from tsf.workflow.needs import NEEDS, SNAKEMAKE, Load, memory

TABLE = Path(__file__).resolve().parents[1] / "docs/resources.tsv"
COLUMNS = ["rule", "model", "batch", "threads", "max_rss_mb", "cpu_s"]
CLIP = 3 * 3 * 8 * 224 * 224 * 4 / 1e6  # MB of three crops of 8 frames in float32
MODELS = {"sample": 3.3, "full": 486.5}  # MB of weights


def load(row: dict[str, str]) -> Load:
    batch, threads = int(row["batch"]), int(row["threads"])
    return Load(weights=MODELS[row["model"]], clip=CLIP, batch=batch, processes=threads)


def read_rows() -> list[dict[str, str]]:
    with open(TABLE, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def line(row: dict[str, str]) -> str:
    """A row of the documents' table."""
    asked = memory(row["rule"], load(row))
    cells = [f"`{row['rule']}`", *(row[name] for name in ("model", "batch", "threads"))]
    cells += [f"{float(row['max_rss_mb']):,.0f}", f"{asked - SNAKEMAKE:,} + {SNAKEMAKE}"]
    return f"| {' | '.join(cells)} |"


def collect(folder: Path, model: str) -> list[list[str]]:
    """The rows of a run's benchmarks that have a peak, by rule, batch size and threads."""
    peaks: dict[tuple[str, str, str], tuple[float, str]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                rule, wildcards = (re.sub(r"[()',]", "", row["rule_name"]), row["wildcards"])
                batch = re.search(r"_bs(\d+)", json.dumps(wildcards))
                key = (rule, batch[1] if batch else "1", row["threads"])
                if rule in NEEDS and row["max_rss"] != "NA":
                    found = (float(row["max_rss"]), row["cpu_time"])
                    peaks[key] = max(peaks.get(key, (0.0, "")), found)
    return [
        [rule, model, batch, threads, f"{peak:.0f}", cpu]
        for (rule, batch, threads), (peak, cpu) in sorted(peaks.items())
    ]


if __name__ == "__main__":
    if sys.argv[1] == "collect":
        csv.writer(sys.stdout, delimiter="\t", lineterminator="\n").writerows(
            collect(Path(sys.argv[2]), sys.argv[3])
        )
    else:
        print("\n".join(map(line, read_rows())))
