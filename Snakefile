"""TimeSformer: from a folder of Kinetics videos and a checkpoint to tsf.om and its accuracy."""

from pathlib import Path


configfile: Path(workflow.basedir, "config.yaml")


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/model.smk"
include: "rules/inference.smk"
include: "rules/ascend.smk"
include: "rules/performance.smk"
include: "rules/accuracy.smk"


rule all:
    default_target: True
    input:
        "results/tsf_sim.onnx",
        "results/accuracy.json",
        "results/predictions.csv",
        "results/accuracy.md",
        "results/ascend_performance.md" if "ascend" in ENGINES else [],
    localrule: True


# short names, to type as in the guide: `snakemake tsf.onnx` makes results/tsf.onnx
for artifact in [
    "tsf.onnx",
    "tsf_sim.onnx",
    "tsf_opt.onnx",
    "tsf.om",
    "k400.info",
    "accuracy.json",
    "parity.json",
    "rewrites.json",
    "performance.json",
]:

    rule:
        name:
            artifact
        input:
            f"results/{artifact}",
        localrule: True


onstart:
    refuse_missing_tools(workflow.dag)
    delete_leftover_bins()


onsuccess:
    print("done; the report, if it was asked for, is results/accuracy.md")


onerror:
    print("\n".join(errors_since(START)))
    print(
        "Stopped; the logs are in results/logs/. Run the same command again: what is done stays."
    )
    print("If Snakemake says that the directory is locked, run it once with --unlock.")
