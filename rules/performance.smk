# Measure the speed of the configured engines, at their own and further batch sizes.


rule measure:
    input:
        sources_of("evaluation.performance"),
        sources_of("evaluation.gemm"),
        sources_of("evaluation.bandwidth"),
        sources=lambda wildcards: engine_sources(MEASURED[wildcards.setup]),
        engine="results/engines/{setup}.json",
        model=lambda wildcards: f"results/{MEASURED[wildcards.setup].file}",
        onnx=lambda wildcards: f"results/{plan.macs_model(MEASURED[wildcards.setup])}",
        generated=GENERATED,
        files=ancient(from_user("dataset.root", VIDEOS)),
    output:
        "results/performance/{setup}.json",
    log:
        "results/logs/performance/{setup}.log",
    benchmark:
        "results/benchmarks/performance/{setup}.tsv"
    wildcard_constraints:
        setup="|".join(MEASURED) or "none",
    conda:
        "../envs/cpu.yaml"
    threads: all_cores
    resources:
        **with_engine("measure"),
    params:
        dataset=dataset_options,
        runs=config["performance"]["runs"],
        warm_up=config["performance"]["warm_up"],
    message:
        "measure the speed of {wildcards.setup}"
    shell:
        "python -m tsf.evaluation.performance --engine {input.engine} --onnx {input.onnx}"
        " --threads {threads} --runs {params.runs} --warm-up {params.warm_up} {params.dataset}"
        " --output {output} 2>&1 | tee {log}"


rule performance:
    input:
        sources_of("evaluation.collect_performance"),
        runs=expand("results/performance/{setup}.json", setup=MEASURED),
        npu_runs=NPU_RUNS if "ascend" in ENGINES else [],
    output:
        "results/performance.json",
    log:
        "results/logs/performance.log",
    benchmark:
        "results/benchmarks/performance.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "collect the measurements"
    shell:
        "python -m tsf.evaluation.collect_performance --runs {input.runs} {input.npu_runs}"
        " --output {output} 2>&1 | tee {log}"


rule choice:
    input:
        sources_of("evaluation.choose"),
        accuracy="results/accuracy.json",
        engines=expand("results/engines/{engine}.json", engine=ENGINES),
        proofs=expand("results/proven/{engine}.json", engine=ENGINES),
        speeds=[
            f"results/performance/{engine if engine in OWN_ENGINES else Path(OM).stem}.json"
            for engine in ENGINES
        ],
    output:
        "results/choice.json",
    log:
        "results/logs/choice.log",
    benchmark:
        "results/benchmarks/choice.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "choose the fastest engine within the limits of parity and accuracy"
    shell:
        "python -m tsf.evaluation.choose --accuracy {input.accuracy} --engines {input.engines}"
        " --proofs {input.proofs} --speeds {input.speeds} --output {output} 2>&1 | tee {log}"
