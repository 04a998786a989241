# Studies of the NPU: the first block that differs, and other ways to compile the model.


# ascend_blocks.json: the model with the state after every block as further outputs, at batch 1
rule states:
    input:
        sources_of("ascend.states"),
        onnx=f"results/{ASCEND['onnx']}.onnx",
        reference="results/parity/reference.npz",
    output:
        onnx="results/blocks/tsf.onnx",
        states="results/blocks/states.npz",
    log:
        "results/logs/blocks/states.log",
    benchmark:
        "results/benchmarks/blocks/states.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("states"),
        **PARTITION,
    message:
        "compute the state after every block of {input.onnx}"
    shell:
        "python -m tsf.ascend.states --onnx {input.onnx} --reference {input.reference}"
        " --threads {threads} --output {output.onnx} --states {output.states} 2>&1 | tee {log}"


use rule om as blocks_om with:
    input:
        sources_of("ascend.atc"),
        onnx="results/blocks/tsf.onnx",
        mixlist=from_user("ascend.modify_mixlist", *MIXLIST) if MIXLIST else [],
    output:
        om="results/blocks/tsf.om",
        status="results/blocks/tsf.om.json",
    log:
        "results/logs/blocks/om.log",
    benchmark:
        "results/benchmarks/blocks/om.tsv"
    params:
        **OM_PARAMS,
        batch=1,


rule ascend_blocks:
    input:
        sources_of("ascend.blocks"),
        model="results/blocks/tsf.om",
        status="results/blocks/tsf.om.json",
        states="results/blocks/states.npz",
    output:
        "results/ascend_blocks.json",
    log:
        "results/logs/blocks/ascend_blocks.log",
    benchmark:
        "results/benchmarks/blocks/ascend_blocks.tsv"
    conda:
        "../envs/ascend.yaml"
    resources:
        **on_npu("ascend_blocks"),
    params:
        allowed=PARITY["relative_l2"][ASCEND["precision"]],
    message:
        "find the first block of {input.model} that differs on an NPU"
    shell:
        "python -m tsf.ascend.blocks --model {input.model} --status {input.status}"
        " --states {input.states} --allowed {params.allowed} --devices {resources.npu_ids}"
        " --python={resources.npu_python:q} --time-limit {resources.npu_time} --output {output}"
        " 2>&1 | tee {log}"


VARIANTS = plan.variants(**ASCEND["variants"])


# tsf.om is left alone; a refusal of atc's is a result too, and leaves a folder without a model
rule om_variant:
    input:
        sources_of("ascend.atc"),
        onnx=lambda wildcards: VARIANTS[wildcards.variant].onnx,
        # the changes of CANN's lists, which one precision alone takes
        mixlist=lambda wildcards: (
            MIXLIST if VARIANTS[wildcards.variant].precision == "allow_mix_precision" else []
        ),
    output:
        directory("results/variants/{variant}"),
    log:
        "results/logs/variants/{variant}.om.log",
    benchmark:
        "results/benchmarks/variants/{variant}.om.tsv"
    wildcard_constraints:
        variant="|".join(VARIANTS),
    conda:
        "../envs/ascend.yaml"
    resources:
        **with_atc("om_variant"),
    params:
        **OM_PARAMS
        | {"precision": lambda wildcards: VARIANTS[wildcards.variant].precision}
        | {"batch": lambda wildcards: VARIANTS[wildcards.variant].batch},
    message:
        "compile {input.onnx} in {params.precision}"
    shell:
        "mkdir -p {output} && python -m tsf.ascend.atc --may-be-refused --onnx {input.onnx}"
        " --soc-version={params.soc_version:q} --recipe {params.recipe:q} --batch {params.batch}"
        " --precision {params.precision} {params.fast_gelu} {params.mixlist}"
        " --atc-options {params.atc_options:q} --time-limit {resources.atc_time}"
        " --output {output}/tsf.om --status {output}/status.json 2>&1 | tee {log}"


rule measure_variant:
    input:
        sources_of("ascend.variant"),
        folder="results/variants/{variant}",
        reference="results/parity/reference.npz",
    output:
        "results/variants/{variant}.json",
    log:
        "results/logs/variants/{variant}.log",
    benchmark:
        "results/benchmarks/variants/{variant}.tsv"
    wildcard_constraints:
        variant="|".join(VARIANTS),
    conda:
        "../envs/ascend.yaml"
    resources:
        **on_npu("measure_variant"),
    params:
        recipe=CLIP_RECIPE,
        loop=ASCEND["performance"]["loop"],
    message:
        "measure {wildcards.variant} on an NPU"
    shell:
        "python -m tsf.ascend.variant --folder {input.folder} --reference {input.reference}"
        " --recipe {params.recipe:q} --loop {params.loop} --devices {resources.npu_ids}"
        " --python={resources.npu_python:q} --time-limit {resources.npu_time} --output {output}"
        " 2>&1 | tee {log}"


rule ascend_variants:
    input:
        sources_of("ascend.variants"),
        variants=expand("results/variants/{variant}.json", variant=VARIANTS),
    output:
        "results/ascend_variants.json",
    log:
        "results/logs/ascend_variants.log",
    benchmark:
        "results/benchmarks/ascend_variants.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "collect the variants of the compiled model"
    shell:
        "python -m tsf.ascend.variants --variants {input.variants} --output {output} 2>&1 | tee {log}"
