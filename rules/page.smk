# The page results/report.html, and what it shows beside the other steps' results.

OF_SCORED_VIDEOS = {
    "dataset": dataset_options,
    "fingerprint": fingerprint_of_videos,
}


rule video_heads:
    input:
        sources_of("data.video_heads"),
        generated=GENERATED,
        file_list="results/kinetics400_val_list_rawframes.txt",
        files=ancient(VIDEOS),
    output:
        "results/video_heads.tsv",
    log:
        "results/logs/video_heads.log",
    benchmark:
        "results/benchmarks/video_heads.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("video_heads"),
    params:
        **OF_SCORED_VIDEOS,
    message:
        "read size and frame rate of every scored video"
    shell:
        "python -m tsf.data.video_heads {params.dataset} --file-list {input.file_list}"
        " --processes {threads} --output {output} 2>&1 | tee {log}"


rule details:
    input:
        sources_of("evaluation.details"),
        predictions="results/predictions.csv",
        classes="results/classes.txt",
        heads="results/video_heads.tsv",
    output:
        "results/details.json",
    log:
        "results/logs/details.log",
    benchmark:
        "results/benchmarks/details.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "measure calibration, classes and kinds of video"
    shell:
        "python -m tsf.evaluation.details --predictions {input.predictions}"
        " --classes {input.classes} --heads {input.heads} --output {output} 2>&1 | tee {log}"


rule verdict:
    input:
        sources_of("evaluation.verdict"),
        accuracy="results/accuracy.json",
        summaries=expand("results/result/{engine}_summary.json", engine=ENGINES),
    output:
        "results/verdict.json",
    log:
        "results/logs/verdict.log",
    benchmark:
        "results/benchmarks/verdict.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        dataset=config["dataset"]["name"],
        reference=lambda wildcards: json.dumps(config["reference"]),
    message:
        "hold the accuracy against the published one"
    shell:
        "python -m tsf.evaluation.verdict --accuracy {input.accuracy} --summaries {input.summaries}"
        " --dataset={params.dataset:q} --reference {params.reference:q}"
        " --output {output} 2>&1 | tee {log}"


rule gallery:
    input:
        sources_of("evaluation.gallery"),
        predictions="results/predictions.csv",
    output:
        "results/gallery.json",
    log:
        "results/logs/gallery.log",
    benchmark:
        "results/benchmarks/gallery.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "choose the videos that are worth a look"
    shell:
        "python -m tsf.evaluation.gallery --predictions {input.predictions}"
        " --output {output} 2>&1 | tee {log}"


rule strips:
    input:
        sources_of("data.strips"),
        generated=GENERATED,
        gallery="results/gallery.json",
        files=ancient(VIDEOS),
    output:
        directory("results/strips"),
    log:
        "results/logs/strips.log",
    benchmark:
        "results/benchmarks/strips.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("strips"),
    params:
        **OF_SCORED_VIDEOS,
        recipe=CLIP_RECIPE,
    message:
        "decode the frames of the videos in the gallery"
    shell:
        "python -m tsf.data.strips {params.dataset} --recipe {params.recipe:q}"
        " --gallery {input.gallery} --processes {threads} --output {output} 2>&1 | tee {log}"


# The page shows these if they are there, and does not make them. Were they inputs, `all` would
# measure them anew whenever they are out of date; their digests redo the step when they change.
IF_MADE = ["parity", "performance", "choice", "ascend_performance"]
MADE_APART = [name for name in IF_MADE if name != "ascend_performance" or "ascend" not in ENGINES]


rule measured:
    input:
        sources_of("evaluation.measured"),
        # those that this command makes: the page waits for them. The next command without them
        # renders the page once more, as it has other inputs.
        asked_for=lambda wildcards: asked_for(IF_MADE),
        npu="results/ascend_performance.json" if "ascend" in ENGINES else [],
        verify="results/verify.json",
        engines=expand("results/engines/{engine}.json", engine=ENGINES),
        # what choice.json must be made from
        accuracy="results/accuracy.json",
    output:
        "results/measured.json",
    log:
        "results/logs/measured.log",
    benchmark:
        "results/benchmarks/measured.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        options=[f"--{name.replace('_', '-')} results/{name}.json" for name in IF_MADE],
        # not of `input`: Snakemake compares no param that depends on it
        digests=lambda wildcards: plan.files_digest(
            sorted({f"results/{name}.json" for name in MADE_APART} - set(asked_for(IF_MADE)))
        ),
    message:
        "collect the measurements that were asked for"
    shell:
        "python -m tsf.evaluation.measured --verify {input.verify} --engines {input.engines}"
        " {params.options} --output {output} 2>&1 | tee {log}"


PAGE_INPUT = {
    "accuracy": "results/accuracy.json",
    "details": "results/details.json",
    "verdict": "results/verdict.json",
    "gallery": "results/gallery.json",
    "strips": "results/strips",
    "measured": "results/measured.json",
    "verify": "results/verify.json",
    "skipped": "results/skipped.tsv",
}


# behind all others, to have their times
rule provenance:
    input:
        sources_of("workflow.provenance"),
        **PAGE_INPUT,
        engines=expand("results/engines/{engine}.json", engine=ENGINES),
        predictions="results/predictions.csv",
        heads="results/video_heads.tsv",
        patches=PATCHES,
    output:
        "results/provenance.json",
    log:
        "results/logs/provenance.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    resources:
        # another command line, or a moved checkpoint, does not redo the page
        command=shlex.join(["snakemake", *sys.argv[1:]]),
        config=json.dumps(config),
        checkpoint=CHECKPOINT_FILE,
    params:
        home=os.path.relpath(HOME),
        # sorted: keys of --config come first, whatever their values
        config=lambda wildcards: json.dumps(plan.without_places(config), sort_keys=True),
        checkpoint_digest=checkpoint_digest,
        lists=[path for path in LISTS if path],
    message:
        "note what the run was made of"
    shell:
        "python -m tsf.workflow.provenance --home={params.home:q} --config {resources.config:q}"
        " --command={resources.command:q} --checkpoint={resources.checkpoint:q}"
        " --checkpoint-sha256 {params.checkpoint_digest} --engines {input.engines}"
        " --lists {params.lists:q} --patches {input.patches:q} --results results"
        # of one run, or the comparison refuses the folder
        " --parts {input.accuracy} {input.verdict} {input.measured} {input.verify}"
        " {input.predictions} {input.heads} {input.skipped} {input.engines}"
        " --output {output} 2>&1 | tee {log}"


TEMPLATES = sorted(
    os.path.relpath(path) for path in (HOME / "src/tsf/report/page/templates").iterdir()
)


rule html_report:
    input:
        sources_of("report.page.write"),
        TEMPLATES,
        **PAGE_INPUT,
        provenance="results/provenance.json",
    output:
        report("results/report.html", caption="captions/report.rst", category="Report"),
    log:
        "results/logs/html_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        options=[f"--{name} {path}" for name, path in PAGE_INPUT.items()],
    message:
        "write {output}"
    shell:
        "python -m tsf.report.page.write {params.options} --provenance {input.provenance}"
        " --output {output} 2>&1 | tee {log}"
