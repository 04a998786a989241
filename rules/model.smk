# From mmaction2's source and a checkpoint to tsf.onnx, tsf_sim.onnx and tsf.om.

PATCHES = sorted(
    os.path.relpath(path) for path in Path(workflow.basedir, "patches").glob("*.patch")
)


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
        archives=(
            f"--archives {config['upstream']['archives']}"
            if config["upstream"]["archives"]
            else ""
        ),
    message:
        "fetch, check and patch mmaction2 and mmcv"
    shell:
        "python -m tsf.upstream {params.archives} --patches {input.patches} --output {output}"
        " 2>&1 | tee {log}"


rule download_checkpoint:
    input:
        code("download"),
    output:
        "results/checkpoint/{name}.pth",
    log:
        "results/logs/checkpoint/{name}.log",
    wildcard_constraints:
        name=r"(?!.*\.random\d+$).*",
    retries: 3
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        url=config["model"]["checkpoint"],
        sha256=config["model"]["sha256"],
    message:
        "download {params.url}"
    shell:
        "python -m tsf.download --url {params.url} --sha256 {params.sha256} --output {output}"
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


rule onnx:
    input:
        code("export"),
        mmaction2="results/mmaction2",
        checkpoint=ancient(checkpoint_file()),
    output:
        "results/tsf.onnx",
    log:
        "results/logs/onnx.log",
    conda:
        "../envs/cpu.yaml"
    params:
        config=own_file(config["model"]["config"]),
        checkpoint_digest=checkpoint_digest,
    message:
        "export mmaction2's model to {output}"
    shell:
        "python -m tsf.export --mmaction2 {input.mmaction2} --config {params.config}"
        " --checkpoint {input.checkpoint} --output {output} 2>&1 | tee {log}"


rule onnx_sim:
    input:
        code("simplify"),
        onnx="results/tsf.onnx",
    output:
        onnx="results/tsf_sim.onnx",
        status="results/tsf_sim.json",
    log:
        "results/logs/onnx_sim.log",
    conda:
        "../envs/cpu.yaml"
    message:
        "simplify {input.onnx} to {output.onnx}"
    shell:
        "python -m tsf.simplify --model {input.onnx} --output {output.onnx}"
        " --status {output.status} 2>&1 | tee {log}"


rule verify_onnx:
    input:
        code("verify"),
        mmaction2="results/mmaction2",
        checkpoint=ancient(checkpoint_file()),
        onnx=["results/tsf.onnx", "results/tsf_sim.onnx"],
        info="results/k400.info",
        videos=ancient(DATASET / "val"),
    output:
        "results/verify.json",
    log:
        "results/logs/verify_onnx.log",
    conda:
        "../envs/cpu.yaml"
    threads: 4
    params:
        config=own_file(config["model"]["config"]),
        sampler=config["sampler"],
        checkpoint_digest=checkpoint_digest,
    message:
        "compare every logit of the ONNX models with PyTorch on real clips"
    shell:
        "python -m tsf.verify --mmaction2 {input.mmaction2} --config {params.config}"
        " --checkpoint {input.checkpoint} --onnx {input.onnx} --info {input.info}"
        " --videos {input.videos} --sampler {params.sampler} --threads {threads}"
        " --output {output} 2>&1 | tee {log}"


rule om:
    input:
        onnx="results/tsf_sim.onnx",
    output:
        "results/tsf.om",
    log:
        "results/logs/om.log",
    # atc drops fusion_result.json and kernel_meta/ into its working directory
    shadow:
        "minimal"
    conda:
        "../envs/ascend.yaml"
    params:
        soc_version=config["ascend"]["soc_version"],
    message:
        "compile {input.onnx} to {output} for {params.soc_version}"
    shell:
        "atc --framework=5 --model={input.onnx} --output=results/tsf --input_format=ND"
        ' --input_shape="imgs:1,3,3,8,224,224" --log=error --soc_version={params.soc_version}'
        ' --op_select_implmode=high_performance --optypelist_for_implmode="Gelu"'
        " 2>&1 | tee {log}"
