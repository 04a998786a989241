# From mmaction2's source and a checkpoint to tsf.onnx, tsf_sim.onnx and tsf_opt.onnx.

PATCHES = sorted(
    os.path.relpath(path) for path in Path(workflow.basedir, "patches").glob("*.patch")
)

# the sha256 identifies the user's own file, so that it may be touched or moved; one that a rule
# makes must not be ancient (why: see rule rawframes)
WEIGHTS = brought("model.checkpoint", checkpoint_file())
if not Path(checkpoint_file()).is_relative_to("results"):
    WEIGHTS = ancient(WEIGHTS)


rule mmaction2:
    input:
        code("upstream"),
        patches=PATCHES,
    output:
        directory("results/mmaction2"),
    log:
        "results/logs/mmaction2.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        archives=ARCHIVES,
    message:
        "fetch, check and patch mmaction2 and mmcv"
    shell:
        "python -m tsf.upstream {params.archives} --patches {input.patches:q} --output {output}"
        " 2>&1 | tee {log}"


rule download_checkpoint:
    input:
        code("download"),
    output:
        "results/checkpoint/{name}.pth",
    log:
        "results/logs/checkpoint/{name}.log",
    retries: 3
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        url=CHECKPOINT.where,
        sha256=CHECKPOINT.sha256,
    message:
        "download {params.url}"
    shell:
        "python -m tsf.download --url {params.url:q} --sha256 {params.sha256} --output {output}"
        " 2>&1 | tee {log}"


rule random_checkpoint:
    input:
        code("random_weights"),
        mmaction2="results/mmaction2",
    output:
        "results/checkpoint/{config}.random{seed}.pth",
    log:
        "results/logs/checkpoint/{config}.random{seed}.log",
    wildcard_constraints:
        seed=r"\d+",
    conda:
        "../envs/cpu.yaml"
    message:
        "make random weights for {wildcards.config}, seed {wildcards.seed}"
    shell:
        "python -m tsf.random_weights --mmaction2 {input.mmaction2} --config {wildcards.config}"
        " --seed {wildcards.seed} --output {output} 2>&1 | tee {log}"


ruleorder: random_checkpoint > download_checkpoint


rule sample_checkpoint:
    input:
        code("sample.train"),
        mmaction2="results/mmaction2",
        config=own_file("models/tsf_sample.py"),
    output:
        "results/tsf_sample.pth",
    log:
        "results/logs/sample_checkpoint.log",
    conda:
        "../envs/cpu.yaml"
    threads: 8
    message:
        "train the sample's model anew, some 20 minutes; copy {output} to models/ to use it"
    shell:
        "python -m tsf.sample.train --mmaction2 {input.mmaction2} --config {input.config:q}"
        " --output {output} 2>&1 | tee {log}"


rule onnx:
    input:
        code("export"),
        mmaction2="results/mmaction2",
        checkpoint=WEIGHTS,
    output:
        "results/tsf{bs}.onnx",
    log:
        "results/logs/onnx{bs}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        config=own_file(config["model"]["config"]),
        checkpoint_digest=checkpoint_digest,
        batch=batch_of,
    message:
        "export mmaction2's model to {output}"
    shell:
        "python -m tsf.export --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --checkpoint {input.checkpoint:q} --batch {params.batch} --output {output}"
        " 2>&1 | tee {log}"


rule onnx_sim:
    input:
        code("simplify"),
        onnx="results/tsf{bs}.onnx",
    output:
        onnx="results/tsf{bs}_sim.onnx",
        status="results/tsf{bs}_sim.json",
    log:
        "results/logs/onnx_sim{bs}.log",
    conda:
        "../envs/cpu.yaml"
    message:
        "simplify {input.onnx} to {output.onnx}"
    shell:
        "python -m tsf.simplify --model {input.onnx} --output {output.onnx}"
        " --status {output.status} 2>&1 | tee {log}"


rule onnx_opt:
    input:
        code("export_optimised"),
        mmaction2="results/mmaction2",
        checkpoint=WEIGHTS,
    output:
        "results/tsf{bs}_opt{u8}.onnx",
    log:
        "results/logs/onnx_opt{bs}{u8}.log",
    wildcard_constraints:
        u8="(?:_u8)?",
    conda:
        "../envs/cpu.yaml"
    params:
        config=own_file(config["model"]["config"]),
        checkpoint_digest=checkpoint_digest,
        batch=batch_of,
        pixels=lambda wildcards: "--pixels" if wildcards.u8 else "",
    message:
        "export the optimised model to {output}"
    shell:
        "python -m tsf.export_optimised --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --checkpoint {input.checkpoint:q} --batch {params.batch} {params.pixels}"
        " --output {output} 2>&1 | tee {log}"


rule torch_program:
    input:
        code("export_torch"),
        mmaction2="results/mmaction2",
        checkpoint=WEIGHTS,
    output:
        "results/tsf{bs}.pt2",
    log:
        "results/logs/torch_program{bs}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        config=own_file(config["model"]["config"]),
        checkpoint_digest=checkpoint_digest,
        batch=batch_of,
    message:
        "save mmaction2's model for the engine torch to {output}"
    shell:
        "python -m tsf.export_torch --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --checkpoint {input.checkpoint:q} --batch {params.batch} --output {output}"
        " 2>&1 | tee {log}"


# what a comparison with PyTorch on real clips reads, next to the models
COMPARED = {
    "mmaction2": "results/mmaction2",
    "checkpoint": WEIGHTS,
    "info": "results/k400.info",
    "list": "results/videos.tsv",
    "files": ancient(VIDEOS),
}


rule verify_onnx:
    input:
        code("parity"),
        **COMPARED,
        onnx=[f"results/{name}.onnx" for name in dict.fromkeys(["tsf", "tsf_sim", config["onnx"]])],
    output:
        json="results/verify.json",
    log:
        "results/logs/verify_onnx.log",
    conda:
        "../envs/cpu.yaml"
    threads: 4
    params:
        config=own_file(config["model"]["config"]),
        sampler=config["sampler"],
        root=DATASET,
        checkpoint_digest=checkpoint_digest,
        more="",
    message:
        "compare every logit of the ONNX models with PyTorch on real clips"
    shell:
        "python -m tsf.parity --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --checkpoint {input.checkpoint:q} --onnx {input.onnx} --info {input.info}"
        " --list {input.list} --root {params.root:q} --sampler {params.sampler} --threads {threads}"
        " --output {output.json} {params.more} 2>&1 | tee {log}"


use rule verify_onnx as parity with:
    input:
        code("parity"),
        **COMPARED,
        onnx=[f"results/{name}.onnx" for name in ["tsf", "tsf_sim", "tsf_opt", "tsf_opt_u8"]],
    output:
        json="results/parity.json",
        markdown=report("results/parity.md", category="Accuracy"),
    log:
        "results/logs/parity.log",
    params:
        config=own_file(config["model"]["config"]),
        sampler=config["sampler"],
        root=DATASET,
        checkpoint_digest=checkpoint_digest,
        more=lambda wildcards, output: (
            f"--markdown {output.markdown} --engines"
            f" {' '.join(name for name in engines.ONNX if name in ['onnxruntime', *ENGINES])}"
        ),
    message:
        "compare every model, on every engine, with PyTorch on real clips"
