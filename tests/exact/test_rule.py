"""tsf_opt.onnx in the workflow: by its name, and as what the engines run."""

import json


def test_it_is_made_by_name_without_a_video(run_copy):
    assert run_copy.dry_run("tsf_opt.onnx") == {"onnx_opt": 1, "tsf_opt.onnx": 1}


def test_engines_run_it_and_it_is_compared_with_pytorch(run_copy):
    result = run_copy.snakemake("all", "--config", "onnx=tsf_opt")
    assert result.returncode == 0, result.stdout
    accuracy = json.loads((run_copy.results / "accuracy.json").read_text())
    assert accuracy["engines"]["onnxruntime"]["model"] == "results/tsf_opt.onnx"
    assert accuracy["engines"]["onnxruntime"]["top1"] == 100
    verify = json.loads((run_copy.results / "verify.json").read_text())
    assert set(verify["models"]) == {"tsf.onnx", "tsf_sim.onnx", "tsf_opt.onnx"}
    # the results of the other model are not what is asked for now
    assert run_copy.dry_run("all", "--config", "onnx=tsf_opt") == {}
