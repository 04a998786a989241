"""The workflow's rules as Snakemake reads them, in this process: no job, no dry run."""

import os
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import yaml
from runs import ROOT
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

from tsf.workflow.sources import PACKAGE


@cache
def load(config: str = "") -> dict:
    """The rules by name; the short names of files, which run nothing, are left out.

    config: keys laid over config.yaml, as YAML.
    """
    kept = dict(os.environ)
    try:
        with SnakemakeApi(OutputSettings(quiet={"all"})) as api:
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=1),
                config_settings=ConfigSettings(config=yaml.safe_load(config) or {}),
                snakefile=ROOT / "Snakefile",
                workdir=ROOT,
            )._workflow
    finally:  # the Snakefile sets up the environment of its jobs
        os.environ.clear()
        os.environ.update(kept)
    return {rule.name: rule for rule in workflow.rules if rule.shellcmd}


def modules_run(rule) -> set[str]:
    """The modules that a rule's command runs."""
    command = rule.shellcmd + str(rule.params.get("temporary_bins", ""))
    if module := rule.params.get("module"):
        command = command.replace("{params.module}", module)
    return set(re.findall(r"python -m tsf\.([\w.]+)", command))


def sources(rule, setup: str | None = None) -> set[str]:
    """The package's files among the rule's inputs, as data/decode.py.

    setup: for the rules that run an engine.
    """
    files = set()
    for item in rule.input:
        if callable(item):
            if getattr(rule.input, "sources", None) is not item or setup is None:
                continue
            files |= set(item(SimpleNamespace(setup=setup)))
        else:
            files.add(str(item))
    below = f"{os.path.relpath(PACKAGE, ROOT)}/"
    return {file.removeprefix(below) for file in files if file.startswith(below)}


def file_of(module: str) -> str:
    return str(Path(*module.split(".")).with_suffix(".py"))
