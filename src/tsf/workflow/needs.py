"""What a job needs of a machine, by its rule, the model and the videos: for a cluster's scheduler.

The figures are fitted to the peaks in docs/resources.tsv, which tests/unit/workflow/test_needs.py
holds against them; those of CANN's programs are guesses.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

from tsf.errors import UserError
from tsf.model.weights_file import weights_file

MEGABYTE = 10**6
PUBLISHED_MB = 490  # the weights of every published TimeSformer, in float32
# CPU seconds of a video's run are these times the MB of the weights and of the video's clips, as
# both the multiply-adds and that product grow with the parameters and the pixels
MODEL_SECONDS = 0.008
MAX_MINUTES = 7 * 24 * 60  # clusters seldom take longer jobs; more shards make shorter ones
# of the Snakemake that runs a job on a node, in MB, and for each video of the dataset
SNAKEMAKE, SNAKEMAKE_VIDEO = 300, 0.0008
ON_GPU = 4000  # MB more of the host for CUDA and its libraries; a guess


@dataclass(frozen=True)
class Load:
    """What a job works on."""

    weights: float = 0  # MB of the model's weights in float32
    clip: float = 0  # MB of a video's clips in float32
    batch: int = 1  # videos a run of the model
    videos: int = 0  # that the job goes through
    listed: int = 0  # of the whole dataset
    processes: int = 1
    on_gpu: bool = False

    @property
    def activations(self) -> float:
        """What a run's intermediate results grow with: its clips, and the model's width.

        The weights grow with the width's square, so it is 1 a MB of clips for a published model.
        """
        return self.batch * self.clip * sqrt(self.weights / PUBLISHED_MB)


@dataclass(frozen=True)
class Need:
    """What a rule's jobs take, beside Snakemake itself.

    Memory in MB: base + weights * load.weights + activations * load.activations
    + process * load.processes. Time: `minutes`, and for each video `seconds` of CPU time and `runs`
    runs of the model on it, which the processes share.
    """

    base: int
    weights: float = 0
    activations: float = 0
    process: int = 0
    minutes: int = 60
    seconds: float = 0
    runs: float = 0


# a process decodes one video at a time; a large picture takes more than Kinetics' 340 x 256
DECODE = Need(500, process=150, seconds=10)
EXPORT = Need(600, weights=5)
ATC = Need(3000, weights=10)
AIS_BENCH = Need(1000, weights=3)
NEEDS = {
    # data
    "sample_data": DECODE,
    "calibration_data": DECODE,
    "real_clips": Need(500, process=300, minutes=120),
    "check_videos": DECODE,
    "count_frames": DECODE,
    "rawframes": DECODE,
    "out_bin": DECODE,
    "video_heads": DECODE,
    "strips": Need(500, process=150),
    "calibration": Need(700, minutes=240),
    # the model
    "random_checkpoint": Need(600, weights=3),
    "sample_checkpoint": Need(3000, minutes=240),
    "onnx": EXPORT,
    "onnx_sim": Need(600, weights=10),
    "onnx_opt": EXPORT,
    "onnx_npu": EXPORT,
    "torch_program": Need(800, weights=6),
    "int8": Need(1200, weights=13, minutes=240),
    "int8_checked": Need(1800, weights=15, minutes=720),
    "rewrites": Need(800, weights=8),
    # parity
    "reference": Need(800, weights=3, activations=40),
    "compare_logits": Need(800, weights=2, activations=100),
    # inference and speed
    "infer": Need(500, weights=2, activations=100, process=150, seconds=10, runs=1),
    "measure": Need(2000, weights=2, activations=100, minutes=120),
    # CANN's programs
    "om": ATC,
    "blocks_om": ATC,
    "om_variant": ATC,
    "compare_om": AIS_BENCH,
    "infer_ascend": Need(1000, weights=3, process=150, seconds=10),
    "measure_npu": AIS_BENCH,
    "measure_variant": AIS_BENCH,
    "states": Need(1000, weights=6, activations=150),
    "ascend_blocks": AIS_BENCH,
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
    model = need.weights * load.weights + need.activations * load.activations
    cuda = ON_GPU if load.on_gpu else 0
    snakemake = SNAKEMAKE + SNAKEMAKE_VIDEO * load.listed
    return ceil(snakemake + need.base + model + need.process * load.processes + cuda)


def minutes(rule: str, load: Load) -> int:
    """The minutes to ask for at a job's first attempt, before `MAX_MINUTES`."""
    need = NEEDS[rule]
    run = MODEL_SECONDS * load.weights * load.clip
    seconds = load.videos * (need.seconds + need.runs * run) / load.processes
    return ceil(need.minutes + seconds / 60)
