# results/compare.html, of two finished results folders: nothing of this run is an input.


def compared(wildcards):
    """The two folders of the config, refused where it names none."""
    with one_line():
        return plan.compared_folders(config["compare"])


def compared_digests(wildcards):
    """Of the files that are read: not inputs, as this run's own, if named, would be made first."""
    from tsf.evaluation.results_folder import FILES  # with pandas, which no other plan needs

    folders = compared(wildcards)
    return plan.files_digest(Path(folder, name) for folder in folders for name in FILES)


rule compare:
    input:
        sources_of("evaluation.compare"),
    output:
        "results/compare.json",
    log:
        "results/logs/compare.log",
    benchmark:
        "results/benchmarks/compare.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        folders=compared,
        digests=compared_digests,
    message:
        "compare {params.folders}"
    shell:
        "python -m tsf.evaluation.compare --results {params.folders:q} --output {output}"
        " 2>&1 | tee {log}"


rule compare_report:
    input:
        sources_of("report.page.compare"),
        TEMPLATES,
        json="results/compare.json",
    output:
        report("results/compare.html", caption="captions/compare.rst", category="Report"),
    log:
        "results/logs/compare_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output}"
    shell:
        "python -m tsf.report.page.compare --compare {input.json} --output {output} 2>&1 | tee {log}"
