"""Engines in the workflow: each by its settings, all compared with PyTorch and each other."""

import json

import pytest
from markdown_rows import rows

pytestmark = pytest.mark.slow  # six engines, int8 and speed on one run: two minutes

ENGINES = [
    "{engine: onnxruntime, model: tsf_opt_u8}",
    "{engine: openvino, model: tsf_opt, batch: 3}",
    "{engine: openvino, model: tsf_opt_u8, precision: int8}",
    "torch",
]
NAMES = [
    "onnxruntime_tsf_opt_u8", "openvino_tsf_opt_bs3", "openvino_tsf_opt_u8_int8", "torch",
]  # fmt: skip

SETTINGS = (
    "--config", f"engines=[{', '.join(ENGINES)}]", "bin=uint8", "keep=nothing",
    "performance={runs: 2}", "shards=1",
)  # fmt: skip


def test_the_optimised_model_is_made_by_name_without_a_video(run_copy):
    assert run_copy.dry_run("tsf_opt.onnx") == {"onnx_opt": 1, "tsf_opt.onnx": 1}


def read(run, name):
    return json.loads((run.results / name).read_text())


@pytest.fixture(scope="module")
def run(sample_run, tmp_path_factory):
    """All of them on the sample, from uint8 .bin files that live only within the job."""
    copy = sample_run.copy(tmp_path_factory.mktemp("engines"))
    arguments = [
        "parity.json", "all", "rewrites.json", *SETTINGS,
    ]  # fmt: skip
    result = copy.snakemake(*arguments)
    assert result.returncode == 0, result.stdout
    assert "Nothing to be done" in copy.snakemake(*arguments, "-n").stdout
    return copy


def test_every_engine_is_scored_on_the_same_videos(run):
    accuracy = read(run, "accuracy.json")
    assert list(accuracy["engines"]) == NAMES
    for name, engine in accuracy["engines"].items():
        assert engine["top1"] == 100 and engine["videos"] == 40, name
    assert [engine["batch"] for engine in accuracy["engines"].values()] == [1, 3, 1, 1]
    assert accuracy["engines"][NAMES[2]]["model"] == "results/tsf_opt_u8_int8.xml"
    assert len(accuracy["paired"]) == 6
    assert all(pair["same_class"] == 40 for pair in accuracy["paired"])


def test_the_logits_are_those_of_the_float32_files(run, sample_run):
    """A file's values differ by their rounding to six decimals alone."""
    for number in range(40):
        plain, pixels = (
            (folder / f"{number}_0.txt").read_text().split()
            for folder in (
                sample_run.results / "result/onnxruntime",
                run.results / "result/torch",
            )
        )
        pairs = zip(map(float, plain), map(float, pixels), strict=True)
        assert max(abs(a - b) for a, b in pairs) <= 2e-5


def test_every_boundary_is_compared_with_pytorch(run):
    boundaries = read(run, "parity.json")["boundaries"]
    assert [b["name"] for b in boundaries] == [
        "uint8 .bin, normalised",
        "tsf.onnx",
        "tsf_sim.onnx",
        "tsf_opt.onnx",
        "tsf_opt_u8.onnx",
        "tsf_bs3_opt.onnx (openvino_tsf_opt_bs3)",
        "tsf_opt_u8_int8.xml (openvino_tsf_opt_u8_int8)",
        "tsf.pt2 (torch)",
    ]
    assert boundaries[0]["max_abs"] == 0
    for boundary in boundaries[1:]:
        exact = "int8" not in boundary["name"]
        assert boundary["max_abs"] <= 1e-4 if exact else boundary["max_abs"] > 1e-3
        assert boundary["top1_agreement"] == 1
    # every engine of the run, each after what its model is made from, and no model beside them
    verified = [b["name"] for b in read(run, "verify.json")["boundaries"]]
    names = [b["name"] for b in boundaries]
    assert verified[:3] == names[:3] and set(verified) == set(names)


def test_a_threshold_ends_the_run_and_names_the_boundary(run):
    result = run.snakemake(
        "parity.json", "--config", f"engines=[{', '.join(ENGINES)}]", "bin=uint8", "keep=nothing",
        "shards=1",
        "parity={relative_l2: {int8: 1.0e-4}}",
    )  # fmt: skip
    assert result.returncode != 0
    (line, *_) = [x for x in result.stdout.splitlines() if x.startswith("error: ")]
    assert "tsf_opt_u8_int8.xml (openvino_tsf_opt_u8_int8) differs" in line
    assert "allowed is 0.0001" in line


def test_every_engine_is_measured(run):
    result = run.snakemake("performance.md", "bundle", "report.html", *SETTINGS)
    assert result.returncode == 0, result.stdout
    measurements = read(run, "performance.json")["measurements"]
    assert [(m["engine"], m["precision"], m["batch"], m["runs"]) for m in measurements] == [
        ("onnxruntime", "f32", 1, 2),
        ("openvino", "f32", 1, 2),
        ("openvino", "f32", 3, 2),
        ("openvino", "int8", 1, 2),
        ("torch", "f32", 1, 2),
    ]
    for found in measurements:
        assert found["videos_per_second"] > found["end_to_end"]["videos_per_second"] > 0
        assert found["gflops"] > 0 and found["gemm_gflops"] > 0 and found["memory_mb"] > 50
    table = rows((run.results / "performance.md").read_text())
    assert len([row for row in table if row[:2] == ["onnxruntime", "tsf_opt_u8.onnx"]]) == 2
    choice = read(run, "choice.json")
    exact = {row["name"] for row in choice["engines"] if row["exact"]}
    assert exact == {NAMES[0], NAMES[1], NAMES[3]} and choice["exact"] in exact
    (int8,) = (row for row in choice["engines"] if not row["exact"])
    # every video is right with both, so nothing is found worse
    assert int8["within_limits"] and int8["comparison"]["against"] == choice["exact"]
    first = (run.results / "performance.md").read_text().splitlines()[2]
    assert first.startswith(f"On this machine the fastest exact engine is {choice['exact']}, ")
    page = (run.results / "report.html").read_text()
    assert f"the fastest exact engine is {choice['exact']}, " in page
    # neither torch nor a batch of three can be taken along
    speeds = {row["name"]: row["videos_per_second"] for row in choice["engines"]}
    taken = max(NAMES[0], NAMES[2], key=speeds.__getitem__)
    model = {NAMES[0]: "tsf_opt_u8.onnx", NAMES[2]: "tsf_opt_u8_int8.xml"}[taken]
    assert (run.results / "bundle" / model).is_file()


def test_what_the_rewrites_save_is_counted(run):
    assert "multiply-adds" in (run.results / "rewrites.md").read_text()
