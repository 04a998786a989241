"""The last lines of a run."""

from copy import deepcopy

from tsf.report.run_summary import summary

SAMPLING = {"sampler": "mmaction2-0.x", "clip_len": 8, "frame_interval": 32, "num_clips": 1}
ACCURACY = {
    "engines": {
        "onnxruntime": {"top1": 75.0, "videos": 40, "top1_detail": {"interval95": [59.81, 85.81]}},
        "openvino": {"videos": 0},
    },
    "skipped_reasons": {"missing file": 9, "empty file": 1},
    "recipe": {
        "clip": {"sampling": SAMPLING, "crops": "three", "side": 224},
        "fusion": "mean_softmax",
    },
}
VERDICT = {
    "model": "tsf_sim.onnx",
    "engine": "onnxruntime",
    "device": "a processor",
    "dataset": "my videos",
    "listed": 50,
    "scored": 40,
    "skipped": 10,
    "reference": {"top1": 77.9, "dataset": "Kinetics-400", "within_noise": True},
    "engines": {
        "onnxruntime": {"videos_per_second": 2.258},
        "openvino": {"videos_per_second": 4.0},
    },
}


def test_the_verdict_at_the_end():
    """An engine on videos without labels has no accuracy to show."""
    assert summary(VERDICT, ACCURACY, "results/report.html").splitlines() == [
        "model    tsf_sim.onnx on onnxruntime, a processor",
        "recipe   mmaction2-0.x, 1 x 8 x 32 frames, three 224 px, mean_softmax",
        "data     my videos: 50 listed = 40 scored + 10 skipped",
        "skipped  9: missing file",
        "skipped  1: empty file",
        "onnxruntime  top-1 75.00 %, 95 % interval 59.81 to 85.81, 2.26 videos a second",
        "openvino  no label, so no accuracy, 4.00 videos a second",
        "published  77.90 % on Kinetics-400, within the interval of onnxruntime",
        "report   results/report.html",
    ]


def test_a_reference_outside_the_interval_or_none():
    verdict = deepcopy(VERDICT)
    verdict["reference"]["within_noise"] = False
    assert "77.90 % on Kinetics-400, outside the interval" in summary(
        verdict, ACCURACY, "report.html"
    )
    assert "published" not in summary(verdict | {"reference": None}, ACCURACY, "report.html")
