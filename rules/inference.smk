# Run the engines over the .bin files; every engine reports in ais_bench's form.


rule infer:
    input:
        code("inference.infer"),
        *([] if KEEP_BIN else code("data.temporary_bins")),
        unpack(bins_inputs),
        model=lambda wildcards: f"results/{SETUPS[wildcards.engine].file}",
    output:
        **({"table": "results/decoded/{engine}.{shard}.tsv"} if STREAMED else {}),
        results=directory(f"{SHARD_RESULTS}/{{engine}}/{{shard}}"),
    log:
        "results/logs/infer/{engine}/{shard}.log",
    wildcard_constraints:
        engine="|".join(OWN_ENGINES) or "none",
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        disk_mb=lambda wildcards: 0 if KEEP_BIN else bins_disk_mb(wildcards),
    params:
        options=lambda wildcards: SETUPS[wildcards.engine].options,
        values=BIN,
        with_bins=with_bins,
        bins=bins_folder,
        fingerprint=lambda wildcards: None if KEEP_BIN else clip_fingerprint(wildcards),
    message:
        "infer with {wildcards.engine}, shard {wildcards.shard}"
    shell:
        "threads={threads}; {params.with_bins}"
        "python -m tsf.inference.infer {params.options} --model {input.model} --bin {params.values}"
        " --input {params.bins} --output {output.results} --threads {threads} 2>&1 | tee {log}"


rule gather:
    input:
        code("inference.merge_shards"),
        info="results/k400.info",
        shards=expand(f"{SHARD_RESULTS}/{{{{engine}}}}/{{shard}}", shard=SHARDS),
    output:
        # the summary stands for its folder: in one declared as a directory Snakemake leaves a file,
        # and the guide's post-processing counts the files
        inside="results/result/{engine}/sumary.json",
        beside="results/result/{engine}_summary.json",
    log:
        "results/logs/gather/{engine}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        folder="results/result/{engine}",
    message:
        "gather the results of {wildcards.engine} in the order of k400.info"
    shell:
        "python -m tsf.inference.merge_shards --info {input.info} --shards {input.shards}"
        " --output {params.folder} --summary {output.beside} 2>&1 | tee {log}"
