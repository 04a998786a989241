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
        code("model.upstream"),
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
        "python -m tsf.model.upstream {params.archives} --patches {input.patches:q} --output {output}"
        " 2>&1 | tee {log}"


rule download_checkpoint:
    input:
        code("model.download"),
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
        "python -m tsf.model.download --url {params.url:q} --sha256 {params.sha256} --output {output}"
        " 2>&1 | tee {log}"


rule random_checkpoint:
    input:
        code("sample.random_weights"),
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
        "python -m tsf.sample.random_weights --mmaction2 {input.mmaction2} --config {wildcards.config}"
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
        code("model.export"),
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
        "python -m tsf.model.export --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --checkpoint {input.checkpoint:q} --batch {params.batch} --output {output}"
        " 2>&1 | tee {log}"


rule onnx_sim:
    input:
        code("model.simplify"),
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
        "python -m tsf.model.simplify --model {input.onnx} --output {output.onnx}"
        " --status {output.status} 2>&1 | tee {log}"


rule onnx_opt:
    input:
        code("model.export_optimised"),
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
        "python -m tsf.model.export_optimised --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --checkpoint {input.checkpoint:q} --batch {params.batch} {params.pixels}"
        " --output {output} 2>&1 | tee {log}"


rule torch_program:
    input:
        code("model.export_torch"),
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
        "python -m tsf.model.export_torch --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --checkpoint {input.checkpoint:q} --batch {params.batch} --output {output}"
        " 2>&1 | tee {log}"


CALIBRATION_ROOT = Path(config["calibration"]["root"])
CALIBRATION_VIDEOS = brought("calibration.root", CALIBRATION_ROOT)
if not CALIBRATION_ROOT.is_relative_to("results"):
    CALIBRATION_VIDEOS = ancient(CALIBRATION_VIDEOS)

# what a comparison with PyTorch on real clips reads, next to the models
COMPARED = {
    "mmaction2": "results/mmaction2",
    "checkpoint": WEIGHTS,
    "info": "results/k400.info",
    "list": "results/videos.tsv",
    "files": ancient(VIDEOS),
}


rule calibration:
    input:
        code("data.calibration"),
        videos=CALIBRATION_VIDEOS,
        list="results/videos.tsv",
        scored=ancient(VIDEOS),
    output:
        directory("results/calibration"),
    log:
        "results/logs/calibration.log",
    conda:
        "../envs/cpu.yaml"
    params:
        root=CALIBRATION_ROOT,
        videos=config["calibration"]["videos"],
        dataset=DATASET,
        sampler=config["sampler"],
    message:
        "take {params.videos} clips of {params.root}, none of them scored, to calibrate int8 on"
    shell:
        "python -m tsf.data.calibration --root {params.root:q} --videos {params.videos}"
        " --list {input.list} --dataset {params.dataset:q} --sampler {params.sampler}"
        " --output {output} 2>&1 | tee {log}"


rule int8:
    input:
        code("model.quantise"),
        onnx="results/{model}.onnx",
        clips="results/calibration",
    output:
        xml="results/{model}_int8.xml",
        weights="results/{model}_int8.bin",
    log:
        "results/logs/{model}_int8.log",
    wildcard_constraints:
        model="|".join(engines.ONNX),
    conda:
        "../envs/cpu.yaml"
    threads: 4
    message:
        "quantise {input.onnx} to int8 for OpenVINO"
    shell:
        "python -m tsf.model.quantise --model {input.onnx} --clips {input.clips}"
        " --output {output.xml} 2>&1 | tee {log}"


PARITY = config["parity"]
THRESHOLDS = json.dumps({k: v for k, v in PARITY.items() if k != "models"})


# the exact models that this run uses, in every run; the rest if parity.json is asked for
VERIFIED = list(dict.fromkeys(["tsf", "tsf_sim", *(setup.model for setup in OWN_ENGINES.values())]))


rule verify_onnx:
    input:
        code("evaluation.parity"),
        **COMPARED,
        models=expand("results/{model}.onnx", model=VERIFIED),
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
        thresholds=THRESHOLDS,
        onnx=VERIFIED,
        more="",
    message:
        "compare every logit of the ONNX models with PyTorch on real clips"
    shell:
        "python -m tsf.evaluation.parity --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --checkpoint {input.checkpoint:q} --models results --onnx {params.onnx}"
        " --thresholds {params.thresholds:q} --info {input.info} --list {input.list}"
        " --root {params.root:q} --sampler {params.sampler} --threads {threads}"
        " --output {output.json} {params.more} 2>&1 | tee {log}"


use rule verify_onnx as parity with:
    input:
        code("evaluation.parity"),
        **COMPARED,
        models=expand("results/{model}.onnx", model=PARITY["models"]),
        configured=[f"results/{setup.file}" for setup in OWN_ENGINES.values()],
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
        thresholds=THRESHOLDS,
        onnx=PARITY["models"],
        more=lambda wildcards, output: (
            f"--markdown {output.markdown} --setups"
            f" {quote(json.dumps([asdict(setup) for setup in OWN_ENGINES.values()]))}"
        ),
    message:
        "compare every model, on every engine, with PyTorch on real clips"


rule rewrites:
    input:
        code("model.rewrites"),
        mmaction2="results/mmaction2",
        plain="results/tsf_sim.onnx",
        optimised="results/tsf_opt.onnx",
    output:
        json="results/rewrites.json",
        markdown=report("results/rewrites.md", category="Performance"),
    log:
        "results/logs/rewrites.log",
    conda:
        "../envs/cpu.yaml"
    params:
        config=own_file(config["model"]["config"]),
    message:
        "count what each exact rewrite saves"
    shell:
        "python -m tsf.model.rewrites --mmaction2 {input.mmaction2} --config {params.config:q}"
        " --plain {input.plain} --optimised {input.optimised} --json {output.json}"
        " --markdown {output.markdown} 2>&1 | tee {log}"
