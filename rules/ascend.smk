# The Huawei Ascend side: tsf.om, inference and performance on NPUs, and the doctor.

# The devices, the Python and the time limits of a job do not change its results, so they are
# resources: a changed param would redo the job.
TIME_LIMIT = ASCEND["time_limit"]
NPU_RESOURCES = {
    **PARTITION,
    **NPU_GRES,
    "npu": 1,
    "npu_ids": " ".join(map(str, ASCEND["devices"])),
    "npu_python": ASCEND["python"],
    "npu_time": f"{TIME_LIMIT['ais_bench']} {TIME_LIMIT['per_video']}",
}
# How many jobs there are at a time, unless --resources npu=N says otherwise. Where the .bin files are
# kept, all that a job does is done on a device. With keep: nothing it decodes first, without one: so
# there are two jobs to a device, of which one decodes while the other infers.
if "npu" not in workflow.global_resources:
    with one_line():
        NPUS = len(devices_here(ASCEND["devices"]))
    workflow.register_resource("npu", NPUS * (2 if KEEP == "nothing" else 1))


MIXLIST = [home_file(ASCEND["modify_mixlist"])] if ASCEND["modify_mixlist"] else []


OM_PARAMS = {
    "soc_version": lambda wildcards: npu_smi.soc_version_if_known(ASCEND["soc_version"]),
    "recipe": CLIP_RECIPE,
    "precision": ASCEND["precision"],
    "fast_gelu": "--fast-gelu" if ASCEND["fast_gelu"] else "",
    "mixlist": lambda wildcards, input: option("--modify-mixlist", input.mixlist),
    "atc_options": json.dumps(ASCEND["atc_options"]),
    # the content of the files that they name
    "options_digest": lambda wildcards: plan.files_digest(atc.option_files(ASCEND["atc_options"])),
}


rule om:
    input:
        sources_of("ascend.atc"),
        onnx=f"results/{with_batch(ASCEND['onnx'], '{bs}')}.onnx",
        mixlist=from_user("ascend.modify_mixlist", *MIXLIST) if MIXLIST else [],
    output:
        om="results/tsf{bs}.om",
        status="results/tsf{bs}.om.json",
    log:
        "results/logs/om{bs}.log",
    benchmark:
        "results/benchmarks/om{bs}.tsv"
    conda:
        "../envs/ascend.yaml"
    resources:
        **with_atc("om"),
    params:
        **OM_PARAMS,
        batch=lambda wildcards: batch_of(wildcards.bs),
    message:
        "compile {input.onnx} to {output.om} for {params.soc_version}"
    shell:
        "python -m tsf.ascend.atc --onnx {input.onnx} --soc-version={params.soc_version:q}"
        " --recipe {params.recipe:q} --batch {params.batch} --precision {params.precision}"
        " {params.fast_gelu} {params.mixlist} --atc-options {params.atc_options:q}"
        " --time-limit {resources.atc_time} --output {output.om} --status {output.status}"
        " 2>&1 | tee {log}"


OM = f"results/tsf{batch_suffix(ASCEND['batch'])}.om"


rule describe_ascend:
    input:
        sources_of("ascend.ais_bench"),
        *(sources_of("data.temporary_bins") if KEEP == "nothing" else []),
        model=OM,
        status=f"{OM}.json",
    output:
        "results/engines/ascend.json",
    log:
        "results/logs/engines/ascend.log",
    benchmark:
        "results/benchmarks/engines/ascend.tsv"
    localrule: True
    conda:
        "../envs/ascend.yaml"
    params:
        recipe=CLIP_RECIPE,
        dtype=config["bin"],
    message:
        "describe the engine ascend"
    shell:
        "python -m tsf.engines.described --engine ascend --model '' --precision ''"
        " --file {input.model} --recipe {params.recipe:q} --dtype {params.dtype}"
        " --output {output} 2>&1 | tee {log}"


rule compare_om:
    input:
        sources_of("ascend.parity"),
        model=OM,
        status=f"{OM}.json",
        reference="results/parity/reference.npz",
    output:
        "results/parity/ascend.json",
    log:
        "results/logs/parity/ascend.log",
    benchmark:
        "results/benchmarks/parity/ascend.tsv"
    conda:
        "../envs/ascend.yaml"
    resources:
        **on_npu("compare_om"),
    params:
        recipe=CLIP_RECIPE,
    message:
        "compare every logit of {input.model} on an NPU with the reference"
    shell:
        "python -m tsf.ascend.parity --model {input.model} --status {input.status}"
        " --reference {input.reference} --recipe {params.recipe:q} --devices {resources.npu_ids}"
        " --python={resources.npu_python:q} --time-limit {resources.npu_time} --output {output}"
        " 2>&1 | tee {log}"


rule infer_ascend:
    input:
        **SHARD_INPUT,
        model=OM,
        status=f"{OM}.json",
    output:
        results=directory("results/shards/{engine}/{shard}"),
    log:
        "results/logs/infer/{engine}/{shard}.log",
    benchmark:
        "results/benchmarks/infer/{engine}/{shard}.tsv"
    wildcard_constraints:
        engine="ascend",
    # before the jobs of the engines on the CPU, which would leave no cores to decode for the devices
    priority: 10
    conda:
        "../envs/ascend.yaml"
    threads: npu_threads
    resources:
        **on_npu("infer_ascend"),
        **SHARD_DISK,
    params:
        **SHARD_PARAMS,
        module="ascend.ais_bench",
    message:
        "infer on an NPU, shard {wildcards.shard}"
    shell:
        f"{ON_SHARD} --status {{input.status}} --devices {{resources.npu_ids}}"
        " --python={resources.npu_python:q} --time-limit {resources.npu_time} 2>&1 | tee {log}"


rule measure_npu:
    input:
        sources_of("ascend.performance"),
        model="results/tsf{bs}.om",
        status="results/tsf{bs}.om.json",
    output:
        "results/performance/tsf{bs}.json",
    log:
        "results/logs/performance{bs}.log",
    benchmark:
        "results/benchmarks/performance{bs}.tsv"
    conda:
        "../envs/ascend.yaml"
    resources:
        **on_npu("measure_npu"),
    params:
        loop=ASCEND["performance"]["loop"],
    message:
        "measure {input.model} on an NPU"
    shell:
        "python -m tsf.ascend.performance --model {input.model} --status {input.status}"
        " --loop {params.loop} --devices {resources.npu_ids} --python={resources.npu_python:q}"
        " --time-limit {resources.npu_time} --output {output} 2>&1 | tee {log}"


NPU_RUNS = [
    f"results/performance/tsf{batch_suffix(batch)}.json"
    for batch in ASCEND["performance"]["batches"]
]


rule npu_performance:
    input:
        sources_of("ascend.performance_summary"),
        runs=NPU_RUNS,
        # to count multiply-adds in; tsf has no fixed shapes, tsf_sim has the same operations
        onnx=f"results/{ASCEND['onnx'] if ASCEND['onnx'] != 'tsf' else 'tsf_sim'}.onnx",
    output:
        "results/ascend_performance.json",
    log:
        "results/logs/npu_performance.log",
    benchmark:
        "results/benchmarks/npu_performance.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        peak=option("--peak-tflops", ASCEND["peak_tflops"]),
    message:
        "collect the speeds on the NPU, beside the guide's"
    shell:
        "python -m tsf.ascend.performance_summary --runs {input.runs} --onnx {input.onnx}"
        " {params.peak} --output {output} 2>&1 | tee {log}"


rule doctor:
    input:
        sources_of("ascend.doctor"),
    log:
        "results/logs/doctor.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        engines=list(dict.fromkeys(setup.engine for setup in SETUPS.values())),
        devices=ASCEND["devices"],
        python=ASCEND["python"],
        soc_version=option("--soc-version", ASCEND["soc_version"]),
        bins_mb=lambda wildcards: (
            0 if KEEP == "nothing" else sum(shard.bins_mb(BIN_BYTES) for shard in dataset_shards())
        ),
    message:
        "check the requirements of the configured engines"
    shell:
        "python -m tsf.ascend.doctor --engines {params.engines} {params.soc_version}"
        " --bins-mb {params.bins_mb} --devices {params.devices} --python={params.python:q}"
        " 2>&1 | tee {log}"
