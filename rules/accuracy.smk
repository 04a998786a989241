# Compare with the labels, and report.


rule accuracy:
    input:
        code("evaluation.accuracy"),
        info="results/k400.info",
        skipped="results/skipped.tsv",
        list="results/videos.tsv",
        file_list="results/kinetics400_val_list_rawframes.txt",
        classes="results/classes.txt",
        results=expand("results/result/{engine}/sumary.json", engine=ENGINES),
    output:
        accuracy="results/accuracy.json",
        predictions="results/predictions.csv",
    log:
        "results/logs/accuracy.log",
    conda:
        "../envs/cpu.yaml"
    params:
        folders=expand("results/result/{engine}", engine=ENGINES),
    message:
        "compare the results with the labels"
    shell:
        "python -m tsf.evaluation.accuracy --info {input.info} --skipped {input.skipped}"
        " --list {input.list} --file-list {input.file_list} --classes {input.classes}"
        " --results {params.folders} --output {output.accuracy}"
        " --predictions {output.predictions} 2>&1 | tee {log}"


rule report:
    input:
        code("report.accuracy"),
        accuracy="results/accuracy.json",
        skipped="results/skipped.tsv",
        simplified="results/tsf_sim.json",
        verify="results/verify.json",
    output:
        report("results/accuracy.md", category="Accuracy"),
    log:
        "results/logs/report.log",
    conda:
        "../envs/cpu.yaml"
    params:
        dataset=config["dataset"]["name"],
        sampler=config["sampler"],
        reference=lambda wildcards: json.dumps(config["reference"]),
    message:
        "write {output}"
    shell:
        "python -m tsf.report.accuracy --accuracy {input.accuracy} --skipped {input.skipped}"
        " --simplified {input.simplified} --verify {input.verify}"
        " --dataset {params.dataset:q} --reference {params.reference:q}"
        " --sampler {params.sampler} --output {output}"
        " 2>&1 | tee {log}"
