"""Another workflow takes this one as a module: the example that docs/as-a-module.md gives."""

import os
import re
import shutil
import subprocess

import pytest
import runs
from runs import ROOT
from snakemake.api import SnakemakeApi
from snakemake.settings.types import DAGSettings, OutputSettings, ResourceSettings, StorageSettings
from snakemake.storage import StorageRegistry

PAGE = ROOT / "docs/as-a-module.md"
CLONE = '"timesformer/Snakefile"'


def blocks(page=PAGE) -> list[str]:
    return re.findall(
        r"^```(?:python|yaml)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE
    )


EXAMPLE, CONFIG, DATASET_RULE = blocks()


def test_both_languages_have_one_example():
    assert blocks(ROOT / "docs/as-a-module.zh-CN.md") == blocks()


class Caller:
    """A workflow that has the checkout of a finished sample run as its module."""

    def __init__(self, run: runs.Run):
        self.folder, self.results, self.repo = run.folder, run.results, run.repo
        clone = os.path.relpath(run.repo, run.folder)
        self.write(EXAMPLE.replace(CLONE, f'"{clone}/Snakefile"'), "tsf: {}\n")

    def write(self, snakefile: str, config: str) -> None:
        (self.folder / "Snakefile").write_text(snakefile)
        (self.folder / "config.yaml").write_text(config)

    def text(self) -> str:
        return (self.folder / "Snakefile").read_text()

    def snakemake(self, *arguments, **options):
        return runs.snakemake(*arguments, directory=None, root=self.folder, **options)

    def dry_run(self, *arguments):
        return runs.jobs(self.snakemake("--dry-run", *arguments))


@pytest.fixture(scope="module")
def caller(sample_run, tmp_path_factory):
    return Caller(sample_run.copy(tmp_path_factory.mktemp("caller")))


def test_the_jobs_are_those_of_the_workflow_itself_with_the_caller_s_behind_them(
    sample_run, caller
):
    # same inputs, params and commands: what the plain workflow has made is not made again
    assert caller.dry_run("tsf_all") == {}
    shutil.rmtree(caller.results / "shards/onnxruntime/000")
    shutil.rmtree(caller.results / "result")
    (caller.results / "accuracy.json").unlink()
    run = caller.snakemake("top1.txt")
    assert run.returncode == 0, run.stdout
    made = {"tsf_infer", "tsf_merge_shards", "tsf_accuracy", "top1"}
    assert set(re.findall(r"Finished jobid: \d+ \(Rule: (\S+)\)", run.stdout)) == made
    accuracy = (caller.results / "accuracy.json").read_bytes()
    assert accuracy == (sample_run.results / "accuracy.json").read_bytes()
    assert (caller.folder / "top1.txt").read_text() == "100.0\n"
    # its own target is the default, and its handler looks for atc before any work
    assert caller.dry_run().keys() >= {"all", "tsf_html_report"}
    refused = caller.snakemake("tsf_tsf.om", "--force")
    assert "error: atc, which compiles" in refused.stdout
    assert "Finished jobid" not in refused.stdout


def test_a_dataset_that_the_caller_s_rule_makes(sample_run, tmp_path):
    caller = Caller(runs.Run(sample_run.repo, tmp_path))
    (tmp_path / "downloads").symlink_to(sample_run.results / "sample_data")
    config = CONFIG.replace("keep: bins", "keep: nothing").replace("shards: 2", "shards: 1")
    config += "  dataset: {root: results/my_videos}\n"
    caller.write(caller.text() + DATASET_RULE, config)
    options = ("--resources", "disk_mb=8000")
    run = caller.snakemake("tsf_k400.info", *options)
    assert run.returncode == 0, run.stdout
    assert "my_videos" in run.stdout and "tsf_count_frames" in run.stdout
    info = (caller.results / "k400.info").read_text()
    assert info == (sample_run.results / "k400.info").read_text()
    assert caller.dry_run("tsf_k400.info", *options) == {}
    # without the profile's cap the run stops
    stopped = caller.snakemake("--dry-run", "tsf_accuracy.json")
    (line, *_) = runs.error_lines(stopped)
    assert line.startswith("error: no disk_mb: ") and "has no profile of it" in line
    # elsewhere it would be counted before it is made
    elsewhere = caller.text().replace("results/my_videos", "my_videos")
    caller.write(elsewhere, config.replace("results/my_videos", "my_videos"))
    stopped = caller.snakemake("--dry-run", "tsf_k400.info", *options)
    (line,) = runs.error_lines(stopped)
    assert "dataset is looked at while the jobs are planned, but a rule makes my_videos/" in line


def read(folder, snakefile, config, **settings):
    """Read a caller's Snakefile in this process. Raises SystemExit with what is refused."""
    (folder / "Snakefile").write_text(snakefile.replace(CLONE, repr(f"{ROOT}/Snakefile")))
    (folder / "config.yaml").write_text(config)
    kept, here = dict(os.environ), os.getcwd()
    try:
        with SnakemakeApi(OutputSettings(quiet={"all"})) as api:
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=1),
                snakefile=folder / "Snakefile",
                workdir=folder,
                **settings,
            )._workflow
            return workflow
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(kept)


def test_a_caller_s_config_is_laid_over_the_defaults_and_may_have_any_keys(tmp_path):
    workflow = read(tmp_path, EXAMPLE, f"samples: {{1: a}}\n{CONFIG}")
    names = {rule.name for rule in workflow.rules}
    assert {"all", "tsf_all", "tsf_tsf.om", "tsf_out_bin"} <= names
    assert "tsf_rawframes" not in names  # keep: bins
    assert workflow.default_target == "all"
    (infer,) = (rule for rule in workflow.rules if rule.name == "tsf_merge_shards")
    assert [str(file) for file in infer.input.shards] == [
        "results/shards/{engine}/000",
        "results/shards/{engine}/001",
    ]


def test_the_page_waits_for_what_the_caller_s_default_target_measures(tmp_path):
    text = EXAMPLE.replace('        "top1.txt",\n', '        "results/performance.json",\n', 1)
    workflow = read(tmp_path, text, CONFIG)
    workflow.dag_settings = DAGSettings()
    asked_for = workflow.globals["tsf"].asked_for
    assert asked_for(["parity", "performance"]) == ["results/performance.json"]
    workflow.dag_settings = DAGSettings(targets={"tsf_parity.json"})
    assert asked_for(["parity", "performance"]) == ["results/parity.json"]


def test_one_rule_can_be_changed_after_all_are_taken(tmp_path):
    text = f"{EXAMPLE}\n\nuse rule infer from tsf as tsf_infer with:\n    threads: 7\n"
    workflow = read(tmp_path, text, CONFIG)
    (infer,) = (rule for rule in workflow.rules if rule.name == "tsf_infer")
    assert infer.resources["_cores"].value == 7 and "python -m tsf." in infer.shellcmd


FIRST = EXAMPLE.replace("    default_target: True\n", "")
HEAD, BEHIND = FIRST.split("\n\nmodule tsf:")
MODULE, RULES = BEHIND.split("\n\nrule all:")


def test_a_target_before_the_module_is_the_default(tmp_path):
    text = f"{HEAD}\n\nrule all:{RULES}\n\nmodule tsf:{MODULE}\n".replace("onstart", "onsuccess")
    text = re.sub(r"\n\n\non\w+:\n    tsf\.\w+\(\)", "", text)
    assert read(tmp_path, text, CONFIG).default_target == "all"


@pytest.mark.parametrize(
    "snakefile, config, settings, fault",
    [
        (EXAMPLE.replace("    config:", '    prefix:\n        "sub"\n    config:'), CONFIG, {},
         "module: prefix and replace_prefix move no path"),
        (EXAMPLE.replace(CLONE, 'gitfile("REPOSITORY", "Snakefile", tag="v1")'), CONFIG, {},
         "clone the repository, and name the clone's Snakefile"),
        (EXAMPLE, "tsf: {keeep: bins}\n", {}, "'keeep' is not a key of the top level"),
        (EXAMPLE, "tsf: {3: bins}\n", {}, "'3' is not a key of the top level"),
        (EXAMPLE, "tsf:\n  shards: 2\n  shards: 3\n", {}, ": line 3: shards is there twice"),
        (EXAMPLE, CONFIG, {"storage_settings": StorageSettings(default_storage_provider="s3")},
         "--default-storage-provider: the steps read and write folders"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_in_one_line(
    tmp_path, monkeypatch, snakefile, config, settings, fault
):
    # the plugin s3, which is not installed, is asked for before and after
    monkeypatch.setattr(SnakemakeApi, "_check_default_storage_provider", lambda *_, **__: None)
    monkeypatch.setattr(StorageRegistry, "register_storage", lambda *_, **__: None)
    if "REPOSITORY" in snakefile:
        repository = tmp_path / "REPOSITORY"
        repository.mkdir()
        shutil.copy(ROOT / "Snakefile", repository)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a", "-C", str(repository)]
        for line in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"], ["tag", "v1"]):
            subprocess.run([*git, *line], check=True)
        snakefile = snakefile.replace("REPOSITORY", str(repository))
    with pytest.raises(SystemExit) as stopped:
        read(tmp_path, snakefile, config, **settings)
    message = str(stopped.value)
    assert message.startswith("error: ") and fault in message and "\n" not in message
