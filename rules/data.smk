# From videos to raw frames, .bin files and the account of every listed video.

# the files that list the videos and the classes
LISTS = {
    "kinetics": [ROOT / "annotations/val.csv"],
    "tar": [ROOT / "annotations/val.csv", *([DATASET.index] if DATASET.index else [])],
    "folder": [],
    "list": [DATASET.list],
}[LAYOUT]
with one_line():
    CLASSES = plan.classes_file(config["dataset"]["classes"], MODEL["checkpoint"], HOME)
if CLASSES:
    LISTS += [CLASSES]
elif LAYOUT in ("kinetics", "tar"):
    LISTS += [ROOT / "annotations/train.csv"]
# a message's own braces are doubled
FOUND_BY_IN_MESSAGE = FOUND_BY.replace("{", "{{").replace("}", "}}")


rule videos:
    input:
        sources_of("data.list_videos"),
        generated=GENERATED,
        lists=from_user("dataset", *LISTS),
    output:
        list="results/videos.tsv",
        classes="results/classes.txt",
    log:
        "results/logs/videos.log",
    benchmark:
        "results/benchmarks/videos.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        dataset=dataset_options,
        classes=classes_options,
        listing=listing,
        lists=lists_digest,
    message:
        f"list the videos of the dataset{FOUND_BY_IN_MESSAGE}"
    shell:
        "python -m tsf.data.list_videos {params.dataset} {params.classes}"
        " --output {output.list} --output-classes {output.classes} 2>&1 | tee {log}"


rule check_videos:
    input:
        sources_of("data.check_videos"),
        generated=GENERATED,
        lists=from_user("dataset", *LISTS),
        files=ancient(from_user("dataset.root", VIDEOS)),
    output:
        "results/video_check.tsv",
    log:
        "results/logs/check_videos.log",
    benchmark:
        "results/benchmarks/check_videos.tsv"
    # before other jobs that are ready: it may stop the run
    priority: 100
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("check_videos"),
    params:
        dataset=dataset_options,
        classes=classes_options,
        listing=listing,
        lists=lists_digest,
        on_bad_video=config["on_bad_video"],
        recipe=SAMPLING,
        fingerprint=fingerprint_of_videos,
    message:
        "check every listed video"
    shell:
        "python -m tsf.data.check_videos {params.dataset} {params.classes}"
        " --recipe {params.recipe:q} --on-bad-video {params.on_bad_video}"
        " --processes {threads} --output {output} 2>&1 | tee {log}"


# A shard's job reads the dataset's own list, and is redone by its fingerprint. It must not have
# videos.tsv or video_check.tsv as ancient() inputs: while their jobs are due, Snakemake (9.27)
# looks for no other reason to redo the jobs behind them, and would miss a changed video.
SHARD = {
    "dataset": dataset_options,
    "shard": lambda wildcards: int(wildcards.shard),
    "shards": len(SHARDS),
    "fingerprint": fingerprint,
}
SHARD_OPTIONS = "{params.dataset} --shard {params.shard} --shards {params.shards}"

# The rule that decodes the videos first also writes the shard's table of what could be decoded.
if KEEP in ("all_frames", "frames"):

    rule rawframes:
        input:
            sources_of("data.rawframes"),
            generated=GENERATED,
            files=ancient(VIDEOS),
        output:
            rawframes=directory("results/rawframes/{shard}"),
            table="results/decoded/{shard}.tsv",
        log:
            "results/logs/rawframes/{shard}.log",
        benchmark:
            "results/benchmarks/rawframes/{shard}.tsv"
        conda:
            "../envs/cpu.yaml"
        resources:
            **asks("rawframes"),
        params:
            **SHARD,
            frames="all" if KEEP == "all_frames" else "needed",
            recipe=SAMPLING,
        message:
            "extract raw frames, shard {wildcards.shard}"
        shell:
            f"python -m tsf.data.rawframes {SHARD_OPTIONS}"
            " --frames {params.frames} --recipe {params.recipe:q} --processes {threads}"
            " --rawframes {output.rawframes} --table {output.table} 2>&1 | tee {log}"

    rule out_bin:
        input:
            sources_of("data.preprocess"),
            rawframes="results/rawframes/{shard}",
            table="results/decoded/{shard}.tsv",
        output:
            bins=directory("results/out_bin/{shard}"),
        log:
            "results/logs/out_bin/{shard}.log",
        benchmark:
            "results/benchmarks/out_bin/{shard}.tsv"
        conda:
            "../envs/cpu.yaml"
        resources:
            **asks("out_bin"),
        params:
            recipe=CLIP_RECIPE,
            dtype=config["bin"],
        message:
            "preprocess, shard {wildcards.shard}"
        shell:
            "python -m tsf.data.preprocess --rawframes {input.rawframes} --table {input.table}"
            " --recipe {params.recipe:q} --dtype {params.dtype}"
            " --processes {threads} --output {output.bins} 2>&1 | tee {log}"

elif KEEP == "bins":

    rule out_bin:
        input:
            sources_of("data.preprocess"),
            generated=GENERATED,
            files=ancient(VIDEOS),
        output:
            table="results/decoded/{shard}.tsv",
            bins=directory("results/out_bin/{shard}"),
        log:
            "results/logs/out_bin/{shard}.log",
        benchmark:
            "results/benchmarks/out_bin/{shard}.tsv"
        conda:
            "../envs/cpu.yaml"
        resources:
            **asks("out_bin"),
        params:
            **SHARD,
            recipe=CLIP_RECIPE,
            dtype=config["bin"],
        message:
            "decode and preprocess, shard {wildcards.shard}"
        shell:
            f"python -m tsf.data.preprocess {SHARD_OPTIONS} --table {{output.table}}"
            " --recipe {params.recipe:q} --dtype {params.dtype}"
            " --processes {threads} --output {output.bins} 2>&1 | tee {log}"

else:

    rule count_frames:
        input:
            sources_of("data.count_frames"),
            generated=GENERATED,
            files=ancient(VIDEOS),
        output:
            table="results/decoded/{shard}.tsv",
        log:
            "results/logs/count_frames/{shard}.log",
        benchmark:
            "results/benchmarks/count_frames/{shard}.tsv"
        conda:
            "../envs/cpu.yaml"
        resources:
            **asks("count_frames"),
        params:
            **SHARD,
            recipe=SAMPLING,
        message:
            "count the frames of every video, shard {wildcards.shard}"
        shell:
            f"python -m tsf.data.count_frames {SHARD_OPTIONS} --recipe {{params.recipe:q}}"
            " --processes {threads} --table {output.table} 2>&1 | tee {log}"


RAWFRAMES = (
    expand("results/rawframes/{shard}", shard=SHARDS) if KEEP in ("all_frames", "frames") else []
)
LINKS = " --rawframes @<(printf '%s\\n' {input.rawframes}) --links {output.links}"


rule account:
    input:
        sources_of("data.account"),
        checked="results/video_check.tsv",
        list="results/videos.tsv",
        classes="results/classes.txt",
        tables=expand("results/decoded/{shard}.tsv", shard=SHARDS),
        rawframes=RAWFRAMES,
    output:
        **({"links": directory("results/rawframes_val")} if RAWFRAMES else {}),
        file_list="results/kinetics400_val_list_rawframes.txt",
        info="results/k400.info",
        skipped="results/skipped.tsv",
    log:
        "results/logs/account.log",
    benchmark:
        "results/benchmarks/account.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        on_bad_video=config["on_bad_video"],
    message:
        "account for every listed video"
    shell:
        "python -m tsf.data.account --list {input.list} --classes {input.classes}"
        " --tables @<(printf '%s\\n' {input.tables})"
        f"{LINKS if RAWFRAMES else ''}"
        " --on-bad-video {params.on_bad_video} --file-list {output.file_list}"
        " --info {output.info} --skipped {output.skipped} 2>&1 | tee {log}"
