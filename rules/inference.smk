# Run the engines over the .bin files; every engine writes its results in ais_bench's form.

# An engine starts on the dataset when it is proven and every video is accounted for. Both files are
# ancient() inputs: they order the jobs, but the results of a shard do not depend on their content.
# All that the results depend on must be behind another input (see tsf/engines/described.py).
SHARD_INPUT = {
    "proven": ancient("results/proven/{engine}.json"),
    "info": ancient("results/k400.info"),
    "engine": "results/engines/{engine}.json",
}
if KEEP == "nothing":
    SHARD_INPUT |= {"table": "results/decoded/{shard}.tsv", "files": ancient(VIDEOS)}
else:
    SHARD_INPUT |= {"bins": "results/out_bin/{shard}"}


SHARD_PARAMS = {
    "temporary_bins": temporary_bins,
    "bins": lambda wildcards: (
        f"results/out_bin/{wildcards.engine}.{wildcards.shard}"
        if KEEP == "nothing"
        else f"results/out_bin/{wildcards.shard}"
    ),
}
SHARD_DISK = {"disk_mb": lambda wildcards: bins_disk_mb(wildcards) if KEEP == "nothing" else 0}
ON_SHARD = ""
if KEEP == "nothing":
    # no params: see `temporary_bins`
    SHARD_DISK |= {
        "scratch": SCRATCH,
        "scratch_mb": lambda wildcards: disk_cap() if SCRATCH else 0,
    }
    ON_SHARD = "scratch={resources.scratch:q}; disk_mb={resources.scratch_mb}; "
ON_SHARD += (
    "threads={threads}; {params.temporary_bins}python -m tsf.{params.module} --engine {input.engine}"
    " --input {params.bins} --output {output.results}"
)
# The model is loaded while the first videos are decoded; see `temporary_bins`.
EARLY = " --early" if KEEP == "nothing" else ""


rule infer:
    input:
        **SHARD_INPUT,
        model=lambda wildcards: f"results/{SETUPS[wildcards.engine].file}",
    output:
        results=directory("results/shards/{engine}/{shard}"),
    log:
        "results/logs/infer/{engine}/{shard}.log",
    benchmark:
        "results/benchmarks/infer/{engine}/{shard}.tsv"
    wildcard_constraints:
        engine="|".join(OWN_ENGINES) or "none",
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **with_engine("infer"),
        **SHARD_DISK,
    params:
        **SHARD_PARAMS,
        module="inference.infer",
    message:
        "infer with {wildcards.engine}, shard {wildcards.shard}"
    shell:
        f"{ON_SHARD} --threads {{threads}}{EARLY} 2>&1 | tee {{log}}"


rule merge_shards:
    input:
        sources_of("inference.merge_shards"),
        info="results/k400.info",
        shards=expand("results/shards/{{engine}}/{shard}", shard=SHARDS),
    output:
        # not the folder itself: Snakemake would leave a file of its own in it, and the guide's
        # post-processing counts the files there
        inside="results/result/{engine}/sumary.json",
        beside="results/result/{engine}_summary.json",
    log:
        "results/logs/merge_shards/{engine}.log",
    benchmark:
        "results/benchmarks/merge_shards/{engine}.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        folder="results/result/{engine}",
    message:
        "merge the results of {wildcards.engine} in the order of k400.info"
    shell:
        "python -m tsf.inference.merge_shards --info {input.info}"
        " --shards @<(printf '%s\\n' {input.shards})"
        " --output {params.folder} --summary {output.beside} 2>&1 | tee {log}"
