"""TimeSformer: from a folder of Kinetics videos and a checkpoint to tsf.om and its accuracy."""

import sys
from pathlib import Path

# the folder of this file, which is not workflow.basedir where another workflow takes this as a module
HOME = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))
if not HOME.is_dir():
    sys.exit(f"error: {HOME} is no folder; clone the repository, and name the clone's Snakefile")


configfile: HOME / "config.yaml"


include: "rules/common.smk"
include: "rules/shards.smk"
include: "rules/resources.smk"
include: "rules/start.smk"
include: "rules/sample.smk"
include: "rules/data.smk"
include: "rules/model.smk"
include: "rules/parity.smk"
include: "rules/inference.smk"
include: "rules/ascend.smk"
include: "rules/ascend_studies.smk"
include: "rules/performance.smk"
include: "rules/accuracy.smk"
include: "rules/report.smk"
include: "rules/page.smk"
include: "rules/bundle.smk"
include: "rules/compare.smk"


# The proofs and the account are asked for beside the results: a proof that fails leaves no file, a
# damaged list is deleted, and Snakemake does not miss a file if what follows from it is there.
PROOFS = expand("results/proven/{engine}.json", engine=ENGINES)


rule all:
    input:
        PROOFS,
        "results/verify.json",
        "results/tsf_sim.onnx",
        "results/videos.tsv",
        "results/classes.txt",
        "results/k400.info",
        "results/kinetics400_val_list_rawframes.txt",
        "results/skipped.tsv",
        expand("results/result/{engine}/sumary.json", engine=ENGINES),
        "results/accuracy.json",
        "results/predictions.csv",
        "results/accuracy.md",
        "results/report.html",
        "results/README.md",
        ["results/ascend_performance.md", "results/ascend_table.zh.md"]
        if "ascend" in ENGINES
        else [],
    localrule: True
    message:
        "all of the above"


# measurements that a rule of report.smk also renders as Markdown
RENDERED = [
    "parity.json",
    "rewrites.json",
    "ascend_performance.json",
    "ascend_blocks.json",
    "ascend_variants.json",
]
# made from the results of the inference, before which every engine is proven
OF_RESULTS = ["accuracy.json", "choice.json", "performance.md", "report.html", "bundle"]

# short names, to type as in the guide: `snakemake tsf.onnx` makes results/tsf.onnx
for artifact in [
    "tsf.onnx",
    "tsf_sim.onnx",
    "tsf_opt.onnx",
    "tsf.om",
    "k400.info",
    "recipe.json",
    "accuracy.json",
    "verify.json",
    "parity.json",
    "rewrites.json",
    "performance.json",
    "performance.md",
    "choice.json",
    "ascend_performance.json",
    "ascend_blocks.json",
    "ascend_variants.json",
    "report.html",
    "bundle",
    "compare.html",
]:

    rule:
        name:
            artifact
        input:
            f"results/{artifact}" if artifact != "bundle" else rules.build_bundle.output,
            f"results/{Path(artifact).stem}.md" if artifact in RENDERED else [],
            PROOFS if artifact in OF_RESULTS else [],
        localrule: True
        message:
            f"results/{artifact}"


onstart:
    end_jobs_too()
    refuse_missing_tools(workflow.dag)
    delete_leftover_bins()
    tell_of_idle_devices(workflow.dag)


onsuccess:
    # `make run` prints it itself, as this is not run where there was nothing to do
    made = {file for job in workflow.dag.jobs for file in job.output}
    if "results/report.html" in made and "SUMMARY" not in os.environ:
        from tsf.report.run_summary import of_results

        print(of_results(Path("results")))


onerror:
    print(
        "Stopped; the logs are in results/logs/. Finished jobs are kept when you run it again."
    )
    print("If Snakemake says that the directory is locked, run it once with --unlock.")
    found = plan.error_lines(Path("results/logs"), START)
    print("\n".join(found + plan.refused_submissions(Path(".snakemake/log"), START)))
