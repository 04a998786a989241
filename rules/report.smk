# Render the measurements as Markdown.


rule accuracy_report:
    input:
        sources_of("report.accuracy"),
        accuracy="results/accuracy.json",
        # the speeds, which accuracy.json leaves out so that two runs give the same bytes
        summaries=expand("results/result/{engine}_summary.json", engine=ENGINES),
        skipped="results/skipped.tsv",
        simplified="results/tsf_sim.json",
        verify="results/verify.json",
        om=f"{OM}.json" if "ascend" in ENGINES else [],
    output:
        report("results/accuracy.md", caption="captions/accuracy.rst", category="Accuracy"),
    log:
        "results/logs/accuracy_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        dataset=config["dataset"]["name"],
        reference=lambda wildcards: json.dumps(config["reference"]),
        om=lambda wildcards, input: option("--om", input.om),
    message:
        "write {output}"
    shell:
        "python -m tsf.report.accuracy --accuracy {input.accuracy} --summaries {input.summaries}"
        " --skipped {input.skipped} --simplified {input.simplified} --verify {input.verify}"
        " {params.om} --dataset={params.dataset:q} --reference {params.reference:q}"
        " --output {output} 2>&1 | tee {log}"


rule parity_report:
    input:
        sources_of("report.parity"),
        json="results/parity.json",
    output:
        report("results/parity.md", caption="captions/parity.rst", category="Accuracy"),
    log:
        "results/logs/parity_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output}"
    shell:
        "python -m tsf.report.parity --parity {input.json} --output {output} 2>&1 | tee {log}"


rule rewrites_report:
    input:
        sources_of("report.rewrites"),
        json="results/rewrites.json",
    output:
        report("results/rewrites.md", caption="captions/rewrites.rst", category="Performance"),
    log:
        "results/logs/rewrites_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output}"
    shell:
        "python -m tsf.report.rewrites --rewrites {input.json} --output {output} 2>&1 | tee {log}"


rule performance_report:
    input:
        sources_of("report.performance"),
        json="results/performance.json",
        choice="results/choice.json",
    output:
        report("results/performance.md", caption="captions/performance.rst", category="Performance"),
    log:
        "results/logs/performance_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output}"
    shell:
        "python -m tsf.report.performance --performance {input.json} --choice {input.choice}"
        " --output {output} 2>&1 | tee {log}"


rule ascend_blocks_report:
    input:
        sources_of("report.ascend_blocks"),
        json="results/ascend_blocks.json",
    output:
        report(
            "results/ascend_blocks.md", caption="captions/ascend_blocks.rst", category="Accuracy"
        ),
    log:
        "results/logs/ascend_blocks_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output}"
    shell:
        "python -m tsf.report.ascend_blocks --blocks {input.json} --output {output} 2>&1 | tee {log}"


rule npu_performance_report:
    input:
        sources_of("report.ascend_performance"),
        json="results/ascend_performance.json",
    output:
        report(
            "results/ascend_performance.md",
            caption="captions/ascend_performance.rst",
            category="Performance",
        ),
    log:
        "results/logs/ascend_performance_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output}"
    shell:
        "python -m tsf.report.ascend_performance --performance {input.json} --output {output} 2>&1 | tee {log}"


rule ascend_table_report:
    input:
        sources_of("report.ascend_table"),
        accuracy="results/accuracy.json",
        performance="results/ascend_performance.json",
    output:
        report(
            "results/ascend_table.zh.md", caption="captions/ascend_table.rst", category="Accuracy"
        ),
    log:
        "results/logs/ascend_table_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        dataset=config["dataset"]["name"],
    message:
        "write {output}"
    shell:
        "python -m tsf.report.ascend_table --accuracy {input.accuracy}"
        " --performance {input.performance} --dataset={params.dataset:q} --output {output}"
        " 2>&1 | tee {log}"


rule variants_report:
    input:
        sources_of("report.ascend_variants"),
        json="results/ascend_variants.json",
    output:
        report(
            "results/ascend_variants.md",
            caption="captions/ascend_variants.rst",
            category="Performance",
        ),
    log:
        "results/logs/ascend_variants_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output}"
    shell:
        "python -m tsf.report.ascend_variants --variants {input.json} --output {output} 2>&1 | tee {log}"


rule readme_report:
    input:
        sources_of("report.results_readme"),
        list=os.path.relpath(HOME / "docs/results.md"),
    output:
        "results/README.md",
    log:
        "results/logs/readme_report.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    message:
        "write {output}"
    shell:
        "python -m tsf.report.results_readme --list {input.list:q} --output {output}"
        " 2>&1 | tee {log}"
