# results/compare.html, of two finished results folders: nothing of this run is an input.


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
