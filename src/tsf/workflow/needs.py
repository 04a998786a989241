"""What a job needs of a machine, by its rule, the model and the videos: for a cluster's scheduler.

The figures are fitted to the peaks in docs/resources.tsv, which tests/unit/workflow/test_needs.py
holds against them; those of CANN's programs are guesses.
"""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

from tsf.engines.setup import Setup
from tsf.errors import UserError
from tsf.model.weights_file import weights_file

MEGABYTE = 10**6
PUBLISHED_MB = 490  # the weights of every published TimeSformer, in float32
# CPU seconds of a video's run are these times the MB of the weights and of the video's clips, as
# both the multiply-adds and that product grow with the parameters and the pixels
MODEL_SECONDS = 0.005
MAX_MINUTES = 7 * 24 * 60  # clusters seldom take longer jobs; more shards make shorter ones
SNAKEMAKE = 300  # MB of the Snakemake that runs a job on a node
ON_GPU = 4000  # MB more of the host for CUDA and its libraries; a guess


@dataclass(frozen=True)
class Load:
    """What a job works on."""

    weights: float = 0  # MB of the model's weights in float32
    clip: float = 0  # MB of a video's clips in float32
    batch: int = 1  # videos a run of the model
    videos: int = 0  # that the job goes through
    processes: int = 1
    on_gpu: bool = False


@dataclass(frozen=True)
class Need:
    """What a rule's jobs take, beside Snakemake itself.

    Memory in MB: base + weights * load.weights + clips * load.batch * load.clip
    + process * load.processes. Time: `minutes`, and for each video `seconds` of CPU time and `runs`
    runs of the model on it, which the processes share.
    """

    base: int
    weights: float = 0
    clips: float = 0
    process: int = 0
    minutes: int = 60
    seconds: float = 0
    runs: float = 0


SMALL = Need(1000, minutes=60)
DECODE = Need(600, process=200, seconds=20)
NEEDS: dict[str, Need] = {
    # data
    "sample_data": DECODE,
    "calibration_data": DECODE,
    "real_clips": DECODE,
    "check_videos": DECODE,
    "count_frames": DECODE,
    "rawframes": DECODE,
    "out_bin": DECODE,
    "video_heads": DECODE,
    "strips": DECODE,
    "calibration": DECODE,
    "account": SMALL,
    # the model
    "random_checkpoint": Need(1000, weights=4),
    "sample_checkpoint": Need(3000, minutes=240),
    "onnx": Need(1200, weights=6),
    "onnx_sim": Need(1200, weights=6),
    "onnx_opt": Need(1200, weights=6),
    "onnx_npu": Need(1200, weights=6),
    "torch_program": Need(1200, weights=6),
    "int8": Need(1500, weights=12, clips=20, minutes=240),
    "int8_checked": Need(1500, weights=12, clips=20, minutes=720),
    "rewrites": Need(1200, weights=8),
    # parity
    "reference": Need(1200, weights=5, clips=20),
    "compare_bytes": SMALL,
    "compare_logits": Need(1200, weights=5, clips=20),
    # inference and what follows from it
    "infer": Need(1200, weights=5, clips=20, runs=1),
    "merge_shards": SMALL,
    "accuracy": Need(1500),
    "details": Need(1500),
    "measure": Need(1500, weights=5, clips=20, minutes=120),
    "performance": SMALL,
    # CANN's programs
    "om": Need(3000, weights=10),
    "blocks_om": Need(3000, weights=10),
    "om_variant": Need(3000, weights=10),
    "compare_om": Need(1500, weights=3),
    "infer_ascend": Need(1500, weights=3, process=200, seconds=10),
    "measure_npu": Need(1500, weights=3),
    "measure_variant": Need(1500, weights=3),
    "states": Need(1200, weights=6, clips=40),
    "ascend_blocks": Need(1500, weights=3, clips=40),
    "npu_performance": Need(1000, weights=2),
}


def weights_mb(checkpoint: Path) -> float:
    """MB of a model's weights in float32: of the checkpoint's file, or what is published if absent.

    A file that holds the optimiser's state too is larger than its weights.
    """
    try:
        return weights_file(checkpoint).stat().st_size / MEGABYTE
    except (UserError, OSError):  # still to be downloaded or made, or refused later on
        return PUBLISHED_MB


def memory(rule: str, load: Load) -> int:
    """The MB to ask for at a job's first attempt."""
    need = NEEDS[rule]
    model = need.weights * load.weights + need.clips * load.batch * load.clip
    more = SNAKEMAKE + ON_GPU * load.on_gpu + need.process * load.processes
    return ceil(need.base + model + more)


def minutes(rule: str, load: Load) -> int:
    """The minutes to ask for at a job's first attempt, before `MAX_MINUTES`."""
    need = NEEDS[rule]
    run = MODEL_SECONDS * load.weights * load.clip
    seconds = load.videos * (need.seconds + need.runs * run) / load.processes
    return ceil(need.minutes + seconds / 60)


def accelerator(setup: Setup | None) -> str | None:
    """What the setup's engine opens beside the CPU: a gpu, an npu or nothing."""
    if setup is None or setup.device == "cpu":
        return None
    return "npu" if setup.device == "cann" else "gpu"
