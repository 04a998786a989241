"""The licence of every locked package, as docs/licences.md lists them: `python envs/licences.py`.

By the metadata of what is installed. A test fails if a package is not in the table, or has a
licence that is neither in PERMISSIVE nor accepted by name in NAMED.
"""

import re
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

ENVS = Path(__file__).parent
TABLE = ENVS.parent / "docs/licences.md"
LOCKS = {
    "cpu.lock": "the run",
    "openvino.lock": "the engine openvino",
    "torch-cpu.lock": "the run",
    "torch-cuda.lock": "torch's build for CUDA",
    "test.lock": "the tests",
    "cluster.lock": "a cluster",
}
PERMISSIVE = {
    *("0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause"),
    *("BSL-1.0", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-CMU", "PSF-2.0", "Unlicense", "Zlib"),
}
# other licences, and why they are accepted: nothing here is changed or passed on by this repository
NAMED = {
    "axe-playwright-python": "MPL-2.0 (axe-core): obliges whoever changes it; for the tests alone",
    "certifi": "MPL-2.0: obliges whoever changes its files",
    "pathspec": "MPL-2.0: obliges whoever changes its files",
    "hypothesis": "MPL-2.0: obliges whoever changes its files; for the tests alone",
    "httpx2-jsfetch": "not known; for Python in a browser alone, no machine here installs it",
    "docutils": "public domain, BSD-2-Clause; the Emacs mode under the GPL is not in its wheel",
    "cuda-bindings": "NVIDIA's own; installed only with torch's build for CUDA",
    "nvidia-": "NVIDIA's own; installed only with torch's build for CUDA",
    "cuda-toolkit": "NVIDIA's own; installed only with torch's build for CUDA",
}
# by the text of the licence in the package, as its metadata do not tell
BY_TEXT = {
    "axe-playwright-python": "MIT AND MPL-2.0",
    "colorama": "BSD-3-Clause",  # on Windows alone
    "conda-inject": "MIT",
    "cuda-pathfinder": "Apache-2.0",
    "docutils": "public domain, BSD-2-Clause",
    "matplotlib": "PSF-2.0",
    "pyreadline3": "BSD-3-Clause",  # on Windows alone
    "snakemake-executor-plugin-slurm": "MIT",
    "snakemake-executor-plugin-slurm-jobstep": "MIT",
    "snakemake-interface-common": "MIT",
    "snakemake-interface-logger-plugins": "MIT",
    "snakemake-interface-report-plugins": "MIT",
    "snakemake-interface-scheduler-plugins": "MIT",
    "snakemake-interface-storage-plugins": "MIT",
    "triton": "MIT",
}
# what metadata say instead of SPDX's names
SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def locked() -> Iterator[tuple[str, str, str]]:
    """(package, version, lock) of every package; one with two versions is told once."""
    seen = set()
    for lock in LOCKS:
        pins = re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (ENVS / lock).read_text(), re.MULTILINE)
        for name, version in pins:
            if name not in seen:
                yield name, version, lock
            seen.add(name)


def licence(name: str) -> str | None:
    """By the installed package; None if it is not installed here, and in no table above."""
    if name in BY_TEXT:
        return BY_TEXT[name]
    try:
        return _stated(metadata(name))
    except PackageNotFoundError:
        return "NVIDIA's own" if accepted(name, "NVIDIA's own") else None


def _stated(told: PackageMetadata) -> str:
    if "License-Expression" in told:
        return told["License-Expression"]
    short = str(told.get("License", "")).strip()
    if short and len(short.splitlines()) == 1 and short != "UNKNOWN":
        return SPELLINGS.get(short.removeprefix("OSI Approved :: "), short)
    classifiers = told.get_all("Classifier") or []
    found = [c.split(" :: ")[-1] for c in classifiers if c.startswith("License :: OSI")]
    if found:
        return " OR ".join(SPELLINGS.get(name, name) for name in found)
    first = (short.splitlines() or ["unknown"])[0].strip()
    return SPELLINGS.get(first, first)


def accepted(name: str, stated: str) -> bool:
    """Whether each licence that applies is in PERMISSIVE, or the package is in NAMED."""
    if any(name == known or (known[-1] == "-" and name.startswith(known)) for known in NAMED):
        return True
    if "(" in stated:  # of a choice within, all must be
        return set(re.split(" AND | OR ", re.sub(r"[()]", "", stated))) <= PERMISSIVE
    return any(set(choice.split(" AND ")) <= PERMISSIVE for choice in stated.split(" OR "))


def table() -> str:
    """The page; a package that is not installed here keeps its row."""
    kept = dict(re.findall(r"^\| (\S+) \| \S+ \| (.+?) \|", _old(), re.MULTILINE))
    lines = [
        "# Licences of the installed packages",
        "",
        "Written by `python envs/licences.py` from the metadata of every locked package.",
        "`make sbom` writes the same as CycloneDX, of what is installed on your machine.",
        "",
        "| package | version | licence | for |",
        "| --- | --- | --- | --- |",
    ]
    for name, version, lock in sorted(locked()):
        stated = licence(name) or kept.get(name, "unknown")
        lines.append(f"| {name} | {version} | {stated} | {LOCKS[lock]} |")
    lines += ["", "## Accepted by name", ""]
    lines += [f"- `{name}{'*' * name.endswith('-')}`: {why}" for name, why in NAMED.items()]
    return "\n".join(lines) + "\n"


def _old() -> str:
    return TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
