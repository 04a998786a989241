# Compare the engines' results with the labels.


rule accuracy:
    input:
        sources_of("evaluation.accuracy"),
        info="results/k400.info",
        skipped="results/skipped.tsv",
        list="results/videos.tsv",
        file_list="results/kinetics400_val_list_rawframes.txt",
        classes="results/classes.txt",
        recipe="results/recipe.json",
        results=expand("results/result/{engine}/sumary.json", engine=ENGINES),
    output:
        accuracy="results/accuracy.json",
        predictions=report(
            "results/predictions.csv", caption="captions/predictions.rst", category="Accuracy"
        ),
    log:
        "results/logs/accuracy.log",
    benchmark:
        "results/benchmarks/accuracy.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        folders=expand("results/result/{engine}", engine=ENGINES),
    message:
        "compare the results with the labels"
    shell:
        "python -m tsf.evaluation.accuracy --info {input.info} --skipped {input.skipped}"
        " --recipe {input.recipe} --list {input.list} --file-list {input.file_list}"
        " --classes {input.classes}"
        " --results {params.folders} --output {output.accuracy}"
        " --predictions {output.predictions} 2>&1 | tee {log}"
