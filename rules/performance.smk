# How fast the configured engines are, at their own batch size and the others in the config.

SWEPT = {
    setup.name: setup
    for own in OWN_ENGINES.values()
    for batch in sorted({own.batch, *config["performance"]["batches"]})
    for setup in [replace(own, batch=batch)]
}

# the ONNX model with the multiply-adds of each, to count them in
COUNTED = {
    name: replace(
        setup,
        engine="onnxruntime",
        precision="f32",
        model="tsf_sim" if setup.engine == "torch" else setup.model,
    ).file
    for name, setup in SWEPT.items()
}


rule measure:
    input:
        code("evaluation.performance"),
        code("evaluation.gemm"),
        model=lambda wildcards: f"results/{SWEPT[wildcards.setup].file}",
        onnx=lambda wildcards: f"results/{COUNTED[wildcards.setup]}",
        info="results/k400.info",
        list="results/videos.tsv",
        files=ancient(VIDEOS),
    output:
        "results/performance/{setup}.json",
    log:
        "results/logs/performance/{setup}.log",
    wildcard_constraints:
        setup="|".join(SWEPT) or "none",
    conda:
        "../envs/cpu.yaml"
    # all that there are: beside another job it would measure that too
    threads: 1024
    params:
        options=lambda wildcards: SWEPT[wildcards.setup].options,
        runs=config["performance"]["runs"],
        warm_up=config["performance"]["warm_up"],
        root=DATASET,
        sampler=config["sampler"],
        values=BIN,
    message:
        "measure {wildcards.setup}"
    shell:
        "python -m tsf.evaluation.performance {params.options} --model {input.model} --onnx {input.onnx}"
        " --threads {threads} --runs {params.runs} --warm-up {params.warm_up} --info {input.info}"
        " --list {input.list} --root {params.root:q} --sampler {params.sampler}"
        " --bin {params.values} --output {output} 2>&1 | tee {log}"


rule performance:
    input:
        code("report.performance"),
        runs=expand("results/performance/{setup}.json", setup=SWEPT),
        npu_runs=(
            [
                f"results/performance/tsf{batch_suffix(batch)}.json"
                for batch in ASCEND["performance"]["batches"]
            ]
            if "ascend" in ENGINES
            else []
        ),
    output:
        json="results/performance.json",
        markdown=report("results/performance.md", category="Performance"),
    log:
        "results/logs/performance_report.log",
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output.markdown}"
    shell:
        "python -m tsf.report.performance --runs {input.runs} --npu-runs {input.npu_runs}"
        " --json {output.json} --markdown {output.markdown} 2>&1 | tee {log}"
