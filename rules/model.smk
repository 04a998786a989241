# From a model's recipe, mmaction2's source and a checkpoint to tsf.onnx, tsf_sim.onnx, tsf_opt.onnx
# and tsf_npu.onnx.

PATCHES = sorted(os.path.relpath(path) for path in (HOME / "patches").glob("*.patch"))

CHECKPOINT_FILE = plan.checkpoint_file(CHECKPOINT.where, HOME)
# the inputs of every export of the model
MODEL_INPUT = {"mmaction2": "results/mmaction2"}
if plan.is_made(CHECKPOINT_FILE):
    MODEL_INPUT |= {"checkpoint": CHECKPOINT_FILE}
# The user's weights are no input: their sha256 identifies them, so that they may be touched or
# moved. Their path is a resource, as a changed input or param would redo the job.
MODEL_RESOURCES = {"checkpoint": CHECKPOINT_FILE}
MODEL_PARAMS = {
    "settings": lambda wildcards: RESOLVED.settings,
    "checkpoint_digest": checkpoint_digest,
    # of a Hugging Face folder's config.json, which stands beside the weights
    "files_digest": RESOLVED.digest,
    "recipe": CLIP_RECIPE,
    # what the user chose himself is not refused for what the checkpoint's own config says
    "origin": json.dumps(RESOLVED.keys),
    "classes": RECIPE.classes,
}
MODEL_OPTIONS = (
    "--mmaction2 {input.mmaction2} --settings {params.settings:q} --checkpoint={resources.checkpoint:q}"
    " --recipe {params.recipe:q} --origin {params.origin:q} --classes {params.classes}"
)


rule recipe:
    input:
        sources_of("recipe.resolve"),
    output:
        "results/recipe.json",
    log:
        "results/logs/recipe.log",
    benchmark:
        "results/benchmarks/recipe.tsv"
    priority: MODEL_FIRST
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        config=option("--config", MODEL["config"]),
        # a file of weights states nothing of a recipe, and may be moved
        folder=option("--checkpoint", CHECKPOINT_FILE if Path(CHECKPOINT_FILE).is_dir() else None),
        run_config="--run-config" if MODEL["run_config"] else "",
        recipe=json.dumps(config["recipe"] or {}),
        # the content, of which the paths above are only the places
        found=to_json(RECIPE),
    message:
        "say how a video becomes the model's input, and where each value is from"
    shell:
        "python -m tsf.recipe.resolve {params.config} {params.folder} {params.run_config}"
        " --recipe {params.recipe:q} --output {output} 2>&1 | tee {log}"


rule mmaction2:
    input:
        sources_of("model.upstream"),
        patches=PATCHES,
    output:
        directory("results/mmaction2"),
    log:
        "results/logs/mmaction2.log",
    benchmark:
        "results/benchmarks/mmaction2.tsv"
    priority: MODEL_FIRST
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
        sources_of("model.download"),
    output:
        "results/checkpoint/{file}",
    log:
        "results/logs/checkpoint/{file}.log",
    benchmark:
        "results/benchmarks/checkpoint/{file}.tsv"
    wildcard_constraints:
        file=re.escape(Path(CHECKPOINT_FILE).name) if "://" in CHECKPOINT.where else "none",
    priority: MODEL_FIRST
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
        "python -m tsf.model.download --url={params.url:q} --sha256 {params.sha256} --output={output:q}"
        " 2>&1 | tee {log:q}"


rule onnx:
    input:
        sources_of("model.export"),
        **MODEL_INPUT,
    output:
        "results/tsf{bs}.onnx",
    log:
        "results/logs/onnx{bs}.log",
    benchmark:
        "results/benchmarks/onnx{bs}.tsv"
    priority: MODEL_FIRST
    conda:
        "../envs/cpu.yaml"
    resources:
        **asks("onnx"),
        **MODEL_RESOURCES,
    params:
        **MODEL_PARAMS,
        batch=lambda wildcards: batch_of(wildcards.bs),
    message:
        "export mmaction2's model to {output}"
    shell:
        f"python -m tsf.model.export {MODEL_OPTIONS}"
        " --batch {params.batch} --output {output}"
        " 2>&1 | tee {log}"


rule onnx_sim:
    input:
        sources_of("model.simplify"),
        onnx="results/tsf{bs}.onnx",
    output:
        onnx="results/tsf{bs}_sim.onnx",
        status="results/tsf{bs}_sim.json",
    log:
        "results/logs/onnx_sim{bs}.log",
    benchmark:
        "results/benchmarks/onnx_sim{bs}.tsv"
    priority: MODEL_FIRST
    conda:
        "../envs/cpu.yaml"
    resources:
        **asks("onnx_sim"),
    message:
        "simplify {input.onnx} to {output.onnx}"
    shell:
        "python -m tsf.model.simplify --model {input.onnx} --output {output.onnx}"
        " --status {output.status} 2>&1 | tee {log}"


rule onnx_opt:
    input:
        sources_of("model.export_optimised"),
        **MODEL_INPUT,
    output:
        "results/tsf{bs}_opt{u8}.onnx",
    log:
        "results/logs/onnx_opt{bs}{u8}.log",
    benchmark:
        "results/benchmarks/onnx_opt{bs}{u8}.tsv"
    wildcard_constraints:
        u8="(?:_u8)?",
    priority: MODEL_FIRST
    conda:
        "../envs/cpu.yaml"
    resources:
        **asks("onnx_opt"),
        **MODEL_RESOURCES,
    params:
        **MODEL_PARAMS,
        module="model.export_optimised",
        batch=lambda wildcards: batch_of(wildcards.bs),
        uint8=lambda wildcards: "--uint8" if wildcards.u8 else "",
    message:
        "export the optimised model to {output}"
    shell:
        f"python -m tsf.{{params.module}} {MODEL_OPTIONS}"
        " --batch {params.batch} {params.uint8}"
        " --output {output} 2>&1 | tee {log}"


use rule onnx_opt as onnx_npu with:
    input:
        sources_of("model.export_npu"),
        **MODEL_INPUT,
    output:
        "results/tsf{bs}_npu{u8}.onnx",
    log:
        "results/logs/onnx_npu{bs}{u8}.log",
    benchmark:
        "results/benchmarks/onnx_npu{bs}{u8}.tsv"
    params:
        **MODEL_PARAMS,
        module="model.export_npu",
        batch=lambda wildcards: batch_of(wildcards.bs),
        uint8=lambda wildcards: "--uint8" if wildcards.u8 else "",
    message:
        "export the model laid out for an NPU to {output}"


rule torch_program:
    input:
        sources_of("model.export_torch"),
        **MODEL_INPUT,
    output:
        "results/tsf{bs}.pt2",
    log:
        "results/logs/torch_program{bs}.log",
    benchmark:
        "results/benchmarks/torch_program{bs}.tsv"
    priority: MODEL_FIRST
    conda:
        "../envs/cpu.yaml"
    resources:
        **asks("torch_program"),
        **MODEL_RESOURCES,
    params:
        **MODEL_PARAMS,
        batch=lambda wildcards: batch_of(wildcards.bs),
    message:
        "save mmaction2's model for the engine torch to {output}"
    shell:
        f"python -m tsf.model.export_torch {MODEL_OPTIONS}"
        " --batch {params.batch} --output {output}"
        " 2>&1 | tee {log}"


CALIBRATION_ROOT = Path(config["calibration"]["root"])
CALIBRATION_CSV = annotations_of(CALIBRATION_ROOT)
CALIBRATION_VIDEOS = from_user("calibration.root", CALIBRATION_ROOT)
if not plan.is_made(CALIBRATION_ROOT):
    CALIBRATION_VIDEOS = ancient(CALIBRATION_VIDEOS)


rule calibration:
    input:
        sources_of("data.calibration"),
        videos=CALIBRATION_VIDEOS,
        generated=GENERATED,
        scored=ancient(VIDEOS),
    output:
        clips=directory("results/calibration"),
        table="results/calibration.tsv",
    log:
        "results/logs/calibration.log",
    benchmark:
        "results/benchmarks/calibration.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        **asks("calibration"),
    params:
        root=CALIBRATION_ROOT,
        videos=config["calibration"]["videos"],
        dataset=dataset_options,
        # a video that arrives later, or elsewhere, may be one of the clips
        fingerprint=fingerprint_of_videos,
        recipe=CLIP_RECIPE,
    message:
        "make {params.videos} clips to calibrate int8 on, from videos in {params.root} that are not"
        " scored"
    shell:
        "python -m tsf.data.calibration {params.dataset}"
        " --take-from={params.root:q} --videos {params.videos} --recipe {params.recipe:q}"
        " --output {output.clips} --table {output.table} 2>&1 | tee {log}"


rule calibration_labels:
    input:
        sources_of("data.calibration_labels"),
        table="results/calibration.tsv",
        classes="results/classes.txt",
        # a made one; a user's may be absent, and redoes the job by its content
        annotations=[CALIBRATION_CSV] if plan.is_made(CALIBRATION_CSV) else [],
    output:
        "results/calibration_labels.tsv",
    log:
        "results/logs/calibration_labels.log",
    benchmark:
        "results/benchmarks/calibration_labels.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        root=CALIBRATION_ROOT,
        digest=lambda wildcards: (
            [] if plan.is_made(CALIBRATION_CSV) else plan.files_digest([CALIBRATION_CSV])
        ),
    message:
        "look up the classes of the calibration videos"
    shell:
        "python -m tsf.data.calibration_labels --table {input.table} --taken-from={params.root:q}"
        " --classes {input.classes} --output {output} 2>&1 | tee {log}"


rule int8:
    input:
        sources_of("model.quantise"),
        onnx="results/{model}.onnx",
        clips="results/calibration",
    output:
        xml="results/{model}_int8.xml",
        weights="results/{model}_int8.bin",
    log:
        "results/logs/{model}_int8.log",
    benchmark:
        "results/benchmarks/{model}_int8.tsv"
    wildcard_constraints:
        model="|".join(ONNX),
    priority: MODEL_FIRST
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("int8"),
    params:
        recipe=CLIP_RECIPE,
    message:
        "quantise {input.onnx} to int8 for OpenVINO"
    shell:
        "python -m tsf.model.quantise --model {input.onnx} --clips {input.clips}"
        " --recipe {params.recipe:q}"
        " --output {output.xml} 2>&1 | tee {log}"


rule int8_checked:
    input:
        sources_of("model.quantise_checked"),
        onnx="results/{model}.onnx",
        clips="results/calibration",
        labels="results/calibration_labels.tsv",
    output:
        xml="results/{model}_int8_checked.xml",
        weights="results/{model}_int8_checked.bin",
    log:
        "results/logs/{model}_int8_checked.log",
    benchmark:
        "results/benchmarks/{model}_int8_checked.tsv"
    wildcard_constraints:
        model="|".join(ONNX),
    priority: MODEL_FIRST
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        **asks("int8_checked"),
    params:
        recipe=to_json(RECIPE),
    message:
        "quantise {input.onnx} to int8, checking its accuracy on labelled videos"
    shell:
        "python -m tsf.model.quantise_checked --model {input.onnx} --clips {input.clips}"
        " --labels {input.labels} --recipe {params.recipe:q}"
        " --output {output.xml} 2>&1 | tee {log}"


rule rewrites:
    input:
        sources_of("model.rewrites"),
        **MODEL_INPUT,
        plain="results/tsf_sim.onnx",
        optimised="results/tsf_opt.onnx",
        npu="results/tsf_npu.onnx",
    output:
        "results/rewrites.json",
    log:
        "results/logs/rewrites.log",
    benchmark:
        "results/benchmarks/rewrites.tsv"
    conda:
        "../envs/cpu.yaml"
    resources:
        **asks("rewrites"),
        **MODEL_RESOURCES,
    params:
        **MODEL_PARAMS,
    message:
        "compute the savings of each exact rewrite, and the costs of the layout for an NPU"
    shell:
        f"python -m tsf.model.rewrites {MODEL_OPTIONS}"
        " --plain {input.plain} --optimised {input.optimised} --npu {input.npu}"
        " --output {output} 2>&1 | tee {log}"
