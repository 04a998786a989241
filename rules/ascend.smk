# The Huawei Ascend side: tsf.om, inference and performance on NPUs, and the doctor.

ASCEND = config["ascend"]
# what a job runs on says nothing of its results: resources, since a changed param redoes the job
NPU_RESOURCES = {
    "npu": 1,
    "npu_ids": " ".join(map(str, ASCEND["devices"])),
    "npu_python": ASCEND["python"],
}
# the devices bound how many jobs use one at a time, unless --resources npu=N says otherwise
if "npu" not in workflow.global_resources:
    workflow.register_resource("npu", len(ASCEND["devices"]))


rule om:
    input:
        code("ascend.atc"),
        onnx=f"results/{ASCEND['onnx'].replace('tsf', 'tsf{bs}', 1)}.onnx",
        keep_dtype=own_file("config/keep_dtype.cfg") if ASCEND["precision"] == "mixed" else [],
    output:
        om="results/tsf{bs}.om",
        status="results/tsf{bs}.om.json",
    log:
        "results/logs/om{bs}.log",
    conda:
        "../envs/ascend.yaml"
    params:
        soc_version=lambda wildcards: npu_smi.soc_version_if_known(ASCEND["soc_version"]),
        batch=batch_of,
        precision=ASCEND["precision"],
        keep_dtype=lambda wildcards, input: (
            f"--keep-dtype {quote(input.keep_dtype)}" if input.keep_dtype else ""
        ),
    message:
        "compile {input.onnx} to {output.om} for {params.soc_version}"
    shell:
        "python -m tsf.ascend.atc --onnx {input.onnx} --soc-version {params.soc_version}"
        " --batch {params.batch} --precision {params.precision} {params.keep_dtype}"
        " --output {output.om} --status {output.status} 2>&1 | tee {log}"


rule infer_ascend:
    input:
        code("ascend.ais_bench"),
        *([] if KEEP_BIN else code("data.temporary_bins")),
        unpack(bins_inputs),
        model=f"results/tsf{batch_suffix(ASCEND['batch'])}.om",
        status=f"results/tsf{batch_suffix(ASCEND['batch'])}.om.json",
    output:
        **({"table": "results/decoded/{engine}.{shard}.tsv"} if STREAMED else {}),
        results=directory(f"{SHARD_RESULTS}/{{engine}}/{{shard}}"),
    log:
        "results/logs/infer/{engine}/{shard}.log",
    wildcard_constraints:
        engine="ascend",
    conda:
        "../envs/ascend.yaml"
    # the .bin files are made within the job, if they are not kept
    threads: 1 if KEEP_BIN else 4
    resources:
        **NPU_RESOURCES,
        disk_mb=lambda wildcards: 0 if KEEP_BIN else bins_disk_mb(wildcards),
    params:
        with_bins=with_bins,
        bins=bins_folder,
        fingerprint=lambda wildcards: None if KEEP_BIN else clip_fingerprint(wildcards),
    message:
        "infer on an NPU, shard {wildcards.shard}"
    shell:
        "threads={threads}; {params.with_bins}"
        "python -m tsf.ascend.ais_bench --model {input.model}"
        " --status {input.status} --input {params.bins} --output {output.results}"
        " --devices {resources.npu_ids} --python {resources.npu_python:q} 2>&1 | tee {log}"


rule measure_npu:
    input:
        code("ascend.performance"),
        model="results/tsf{bs}.om",
        status="results/tsf{bs}.om.json",
    output:
        "results/performance/tsf{bs}.json",
    log:
        "results/logs/performance{bs}.log",
    conda:
        "../envs/ascend.yaml"
    resources:
        **NPU_RESOURCES,
    params:
        loop=ASCEND["performance"]["loop"],
    message:
        "measure {input.model} on an NPU"
    shell:
        "python -m tsf.ascend.performance --model {input.model} --status {input.status}"
        " --loop {params.loop} --devices {resources.npu_ids} --python {resources.npu_python:q}"
        " --output {output} 2>&1 | tee {log}"


rule npu_performance:
    input:
        code("report.ascend_performance"),
        runs=[
            f"results/performance/tsf{batch_suffix(batch)}.json"
            for batch in ASCEND["performance"]["batches"]
        ],
        # tsf computes its shapes as it runs, tsf_sim does the same work
        onnx=f"results/{ASCEND['onnx'] if ASCEND['onnx'] != 'tsf' else 'tsf_sim'}.onnx",
    output:
        json="results/ascend_performance.json",
        markdown=report("results/ascend_performance.md", category="Performance"),
    log:
        "results/logs/npu_performance.log",
    conda:
        "../envs/cpu.yaml"
    params:
        peak=(f"--peak-tflops {ASCEND['peak_tflops']}" if ASCEND["peak_tflops"] is not None else ""),
    message:
        "write {output.markdown}"
    shell:
        "python -m tsf.report.ascend_performance --runs {input.runs} --onnx {input.onnx}"
        " {params.peak} --json {output.json} --markdown {output.markdown} 2>&1 | tee {log}"


rule doctor:
    input:
        code("ascend.doctor"),
    log:
        "results/logs/doctor.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        engines=list(dict.fromkeys(setup.engine for setup in SETUPS.values())),
        devices=ASCEND["devices"],
        python=ASCEND["python"],
        soc_version=f"--soc-version {ASCEND['soc_version']}" if ASCEND["soc_version"] else "",
        bins_mb=lambda wildcards: sum(s.bins_mb(BIN) for s in dataset_shards()) if KEEP_BIN else 0,
    message:
        "what is here, and what is missing"
    shell:
        "python -m tsf.ascend.doctor --engines {params.engines} {params.soc_version}"
        " --bins-mb {params.bins_mb} --devices {params.devices} --python {params.python:q}"
        " 2>&1 | tee {log}"
