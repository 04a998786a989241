# Put the model, and what it needs to be used elsewhere, into a folder to take along.

# beside the model, whose name is its engine's
BUNDLE_FILES = [
    "SHA256SUMS",
    "README.md",
    "README.zh-CN.md",
    "predict.py",
    "requirements.txt",
    "recipe.json",
    "labels.txt",
    "parity.json",
]


rule build_bundle:
    input:
        sources_of("bundle.build"),
        predict=sources_of("bundle.predict"),
        engines=to_bundle("results/engines/{engine}.json"),
        proofs=to_bundle("results/proven/{engine}.json"),
        models=models_to_bundle,
        choice=[] if config["bundle"]["engine"] or len(ENGINES) == 1 else "results/choice.json",
        accuracy="results/accuracy.json",
        recipe="results/recipe.json",
        classes="results/classes.txt",
        locks=[home_file("envs/cpu.lock"), home_file("envs/openvino.lock")],
        ascend=home_file("envs/ascend.yaml"),
    output:
        # not the folder itself: Snakemake would leave a file of its own in it
        files=expand("results/bundle/{file}", file=[*BUNDLE_FILES, *models_in_bundle()]),
    log:
        "results/logs/bundle.log",
    benchmark:
        "results/benchmarks/bundle.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        choice=lambda wildcards, input: option("--choice", input.choice),
        dataset=config["dataset"]["name"],
        model=Path(MODEL["config"] or CHECKPOINT_FILE).name,
        checkpoint=Path(CHECKPOINT_FILE).name,
        folder=lambda wildcards, output: Path(output.files[0]).parent,
        sha256=lambda wildcards: option("--sha256", checkpoint_digest(wildcards)),
    message:
        "build {params.folder}, to use the model elsewhere"
    shell:
        "python -m tsf.bundle.build --engines {input.engines} --proofs {input.proofs}"
        " {params.choice} --accuracy {input.accuracy} --recipe {input.recipe}"
        " --classes {input.classes} --locks {input.locks:q} --ascend {input.ascend:q}"
        " --dataset={params.dataset:q} --model={params.model:q}"
        " --checkpoint={params.checkpoint:q} {params.sha256} --output {params.folder} 2>&1 | tee {log}"
