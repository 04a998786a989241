# Prove on real clips, before the inference, that each engine gives the same logits as PyTorch.
PARITY = config["parity"]
THRESHOLDS = json.dumps({key: PARITY[key] for key in ("max_abs", "relative_l2")})
# the setups that must agree with PyTorch before an engine starts, and all those in parity.json
PROOF = {
    name: plan.exact_setups(setup, ASCEND["onnx"], ASCEND["batch"])
    for name, setup in SETUPS.items()
}
IN_EVERY_RUN = plan.named(map(plan.on_onnxruntime, plan.DELIVERED if OWN_ENGINES else []))
IN_EVERY_RUN |= {name: setup for proof in PROOF.values() for name, setup in proof.items()}
COMPARED = plan.named(map(plan.on_onnxruntime, PARITY["models"])) | IN_EVERY_RUN
# tsf.om has a rule of its own, compare_om
COMPARED_HERE = {name: setup for name, setup in COMPARED.items() if setup.engine != "ascend"}
BATCHES = config["performance"]["batches"]
# performance.json measures the engines at further batch sizes
MEASURED = plan.at_batch_sizes(OWN_ENGINES.values(), BATCHES)
DESCRIBED = COMPARED_HERE | MEASURED


rule describe_engine:
    input:
        sources_of("engines.described"),
        # the code that runs the engine: a change of it redoes this file and so the inference
        sources_of("inference.infer"),
        *(sources_of("data.temporary_bins") if KEEP == "nothing" else []),
        sources=lambda wildcards: engine_sources(DESCRIBED[wildcards.setup]),
        model=lambda wildcards: f"results/{DESCRIBED[wildcards.setup].file}",
    output:
        "results/engines/{setup}.json",
    log:
        "results/logs/engines/{setup}.log",
    benchmark:
        "results/benchmarks/engines/{setup}.tsv"
    wildcard_constraints:
        setup="|".join(DESCRIBED),
    priority: MODEL_FIRST
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        options=lambda wildcards: DESCRIBED[wildcards.setup].options,
        recipe=CLIP_RECIPE,
        dtype=config["bin"],
    message:
        "describe the engine {wildcards.setup}"
    shell:
        "python -m tsf.engines.described {params.options} --file {input.model}"
        " --recipe {params.recipe:q} --dtype {params.dtype} --output {output} 2>&1 | tee {log}"


rule reference:
    input:
        sources_of("evaluation.reference"),
        **MODEL_INPUT,
        generated=GENERATED,
        files=ancient(from_user("dataset.root", VIDEOS)),
    output:
        "results/parity/reference.npz",
    log:
        "results/logs/parity/reference.log",
    benchmark:
        "results/benchmarks/parity/reference.tsv"
    priority: MODEL_FIRST
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("reference"),
        **PARTITION,
        **MODEL_RESOURCES,
    params:
        **MODEL_PARAMS,
        dataset=dataset_options,
        clips=PARITY["clips"],
    message:
        "compute the reference, mmaction2 in PyTorch, on real clips"
    shell:
        f"python -m tsf.evaluation.reference {MODEL_OPTIONS}"
        " {params.dataset} --clips {params.clips}"
        " --threads {threads} --output {output} 2>&1 | tee {log}"


rule compare_bytes:
    input:
        sources_of("evaluation.parity"),
        reference="results/parity/reference.npz",
    output:
        "results/parity/bytes.json",
    log:
        "results/logs/parity/bytes.log",
    benchmark:
        "results/benchmarks/parity/bytes.tsv"
    priority: MODEL_FIRST
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        recipe=CLIP_RECIPE,
    message:
        "compare the bytes of a uint8 .bin file, normalised, with the float32 file"
    shell:
        "python -m tsf.evaluation.parity --reference {input.reference} --recipe {params.recipe:q}"
        " --output {output} 2>&1 | tee {log}"


rule compare_logits:
    input:
        sources_of("evaluation.parity"),
        sources=lambda wildcards: engine_sources(COMPARED_HERE[wildcards.setup]),
        reference="results/parity/reference.npz",
        engine="results/engines/{setup}.json",
        model=lambda wildcards: f"results/{COMPARED_HERE[wildcards.setup].file}",
    output:
        "results/parity/{setup}.json",
    log:
        "results/logs/parity/{setup}.log",
    benchmark:
        "results/benchmarks/parity/{setup}.tsv"
    wildcard_constraints:
        setup="|".join(COMPARED_HERE),
    priority: MODEL_FIRST
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **with_engine("compare_logits"),
    message:
        "compare every logit of {wildcards.setup} with the reference"
    shell:
        "python -m tsf.evaluation.parity --reference {input.reference} --engine {input.engine}"
        " --threads {threads} --output {output} 2>&1 | tee {log}"


# The inference of an engine waits for this file, as an ancient() input: a new proof, with another
# threshold say, redoes no inference. A proof that fails leaves no file; the Snakefile's targets ask
# for it beside the results, so that the same command fails again.
rule prove:
    input:
        sources_of("evaluation.judge_parity"),
        measured=lambda wildcards: boundaries(PROOF[wildcards.engine]),
    output:
        "results/proven/{engine}.json",
    log:
        "results/logs/proven/{engine}.log",
    benchmark:
        "results/benchmarks/proven/{engine}.tsv"
    priority: MODEL_FIRST
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        thresholds=THRESHOLDS,
    message:
        "prove {wildcards.engine}, whose differences must be within the thresholds"
    shell:
        "python -m tsf.evaluation.judge_parity --measured {input.measured}"
        " --thresholds {params.thresholds:q} --output {output} 2>&1 | tee {log}"


use rule prove as verify with:
    input:
        sources_of("evaluation.judge_parity"),
        measured=boundaries(IN_EVERY_RUN),
    output:
        "results/verify.json",
    log:
        "results/logs/verify.log",
    benchmark:
        "results/benchmarks/verify.tsv"
    priority: 0
    localrule: True
    message:
        "compare the models and engines of this run with the thresholds"


use rule prove as parity with:
    input:
        sources_of("evaluation.judge_parity"),
        measured=boundaries(COMPARED),
    output:
        "results/parity.json",
    log:
        "results/logs/parity.log",
    benchmark:
        "results/benchmarks/parity.tsv"
    priority: 0
    localrule: True
    message:
        "compare every model and engine with the thresholds"
