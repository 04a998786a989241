"""Make the reference values of recipes that are not mmaction2 0.x's, with their owners' own code.

    python tests/golden/make_recipes.py VIDEO_DIR TIMESFORMER

VIDEO_DIR: as for make_golden.py. TIMESFORMER: a checkout of facebookresearch/TimeSformer. The
answers, for the videos of recipes.json, go to other_recipes.json beside this file. Nothing here
computes what it stores: mmaction2 1.x, Facebook's data sets and Hugging Face's image processor
are called as their users call them. README.md has the versions.
"""

import argparse
import hashlib
import json
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import transformers
from transformers import VideoMAEImageProcessor

# not needed here, and not importable: missing in the wheel, without timm, without torchvision
for absent in ("mmaction.models.localizers", "mmaction.models.multimodal", "torchvision.io"):
    sys.modules[absent] = ModuleType(absent)
sys.modules["torchvision"] = ModuleType("torchvision")
sys.modules["torchvision"].io = sys.modules["torchvision.io"]

import av  # noqa: E402
import cv2  # noqa: E402
import mmaction  # noqa: E402
import mmcv  # noqa: E402
import mmengine  # noqa: E402
import numpy as np  # noqa: E402
import PIL  # noqa: E402
import torch  # noqa: E402
from mmaction.datasets import RawframeDataset, VideoDataset  # noqa: E402
from mmaction.models.data_preprocessors import ActionDataPreprocessor  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402

HERE = Path(__file__).resolve().parent
BUILD_RAWFRAMES = Path(mmaction.__file__).parent / ".mim/tools/data/build_rawframes.py"
SUFFIX = "_000000_000010"
STRIDE = 100_003  # a prime: between the values that are stored of a float input
FACEBOOK = {"mean": [114.75] * 3, "std": [57.375] * 3}  # 0.45 and 0.225 of 255
IMAGENET = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
HALF = {"mean": [127.5] * 3, "std": [127.5] * 3}


def recipe(sampler, clip_len, frame_interval, source, preprocessing, num_clips=1, **others):
    """The workflow's record of a recipe (tsf.recipe.record.ClipRecipe) as it goes to JSON."""
    sampling = {
        "sampler": sampler,
        "clip_len": clip_len,
        "frame_interval": frame_interval,
        "num_clips": num_clips,
    }
    record = {"sampling": sampling, "source": source, "preprocessing": preprocessing}
    common = {"short_side": 224, "crops": "three", "side": 224, "channels": "rgb"}
    return {**record, **common, **others}


ONE = "mmaction2-1.x"
MMACTION2 = {
    "1.x": recipe(ONE, 8, 32, "rawframes", ONE, **HALF),
    "1.x_video": recipe(ONE, 8, 32, "video", ONE, **HALF),
    "1.x_imagenet_bgr": recipe(ONE, 16, 4, "rawframes", ONE, channels="bgr", **IMAGENET),
    "1.x_imagenet": recipe(ONE, 16, 4, "rawframes", ONE, **IMAGENET),
    "1.x_five_clips": recipe(
        ONE, 8, 8, "rawframes", ONE, 5, short_side=256, crops="centre", **HALF
    ),
}
KINETICS = {
    "facebook": recipe("facebook-kinetics", 8, 32, "video", "facebook", **FACEBOOK),
    "facebook_hr": recipe(
        "facebook-kinetics", 16, 16, "video", "facebook", short_side=448, side=448, **FACEBOOK
    ),
    "facebook_one_crop": recipe(
        "facebook-kinetics", 8, 32, "video", "facebook", short_side=256, crops="centre", **FACEBOOK
    ),
}
SSV2 = {
    "facebook_ssv2": recipe(
        "facebook-ssv2", 8, 0, "rawframes", "facebook", channels="bgr", **FACEBOOK
    )
}
HUGGINGFACE = {
    "huggingface": recipe(ONE, 8, 32, "video", "huggingface", crops="centre", **FACEBOOK),
    "huggingface_imagenet": recipe(ONE, 8, 32, "video", "huggingface", crops="centre", **IMAGENET),
    "huggingface_448": recipe(
        ONE, 16, 4, "video", "huggingface", crops="centre", short_side=448, side=448, **FACEBOOK
    ),
}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def versions():
    packages = (torch, np, cv2, mmcv, mmengine, mmaction, transformers, PIL, av)
    found = {package.__name__: package.__version__ for package in packages}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


def described(clip, numbers, floats=False):
    """What is stored of an input. floats: its last bits depend on the processor."""
    data = np.ascontiguousarray(clip)  # (views, 3, frames, y, x)
    assert data.dtype == np.float32
    answer = {"sampled": [int(n) for n in numbers], "bin_shape": list(data.shape)}
    if floats:
        return {**answer, "every_100003rd": [float(v) for v in data.ravel()[::STRIDE]]}
    return {**answer, "bin_sha256": sha256(data.tobytes())}


# ---- mmaction2 1.x ----


def sample_and_decode(record):
    sampling = record["sampling"]
    video = record["source"] == "video"
    sample = {key: sampling[key] for key in ("clip_len", "frame_interval", "num_clips")}
    return [
        *([{"type": "OpenCVInit"}] if video else []),
        {"type": "SampleFrames", "test_mode": True, **sample},
        {"type": "OpenCVDecode" if video else "RawFrameDecode"},
    ]


def dataset_of(record, root, pipeline):
    kind = VideoDataset if record["source"] == "video" else RawframeDataset
    folder = root / ("val" if record["source"] == "video" else "rawframes")
    return kind(
        ann_file=str(root / (record["source"] + ".txt")),
        pipeline=pipeline,
        data_prefix={"video" if record["source"] == "video" else "img": str(folder)},
        test_mode=True,
    )


def mmaction2_inputs(record, root, videos):
    """The test pipeline, and what the model's data_preprocessor then does of it."""
    three = record["crops"] == "three"
    crop = {"type": "ThreeCrop" if three else "CenterCrop", "crop_size": record["side"]}
    pipeline = [
        *sample_and_decode(record),
        {"type": "Resize", "scale": (-1, record["short_side"])},
        crop,
        {"type": "FormatShape", "input_format": "NCTHW"},
        {"type": "PackActionInputs", "meta_keys": ("frame_inds", "start_index")},
    ]
    dataset = dataset_of(record, root, pipeline)
    preprocessor = ActionDataPreprocessor(
        mean=record["mean"],
        std=record["std"],
        to_rgb=record["channels"] == "bgr",  # it swaps, whatever the order was
        format_shape="NCTHW",
    )
    answers = {}
    for index, path in enumerate(videos):
        item = dataset[index]
        meta = item["data_samples"].metainfo
        batch = {"inputs": [item["inputs"]], "data_samples": [item["data_samples"]]}
        clip = preprocessor(batch)["inputs"][0].numpy()
        numbers = np.asarray(meta["frame_inds"]) + 1 - meta["start_index"]
        answers[path.stem] = described(clip, numbers)
    return answers


# ---- Hugging Face ----


def huggingface_inputs(record, root, videos):
    """VideoMAEImageProcessor, which the conversion script of TimeSformer's checkpoints uses."""
    dataset = dataset_of(record, root, sample_and_decode(record))
    processor = VideoMAEImageProcessor(
        size={"shortest_edge": record["short_side"]},
        crop_size={"height": record["side"], "width": record["side"]},
        image_mean=[value / 255 for value in record["mean"]],
        image_std=[value / 255 for value in record["std"]],
    )
    answers = {}
    for index, path in enumerate(videos):
        item = dataset[index]
        frames = [np.ascontiguousarray(frame) for frame in item["imgs"]]  # RGB
        clip = processor(frames, return_tensors="np")["pixel_values"]  # (1, T, 3, y, x)
        clip = clip.transpose(0, 2, 1, 3, 4)  # as TimesformerEmbeddings wants it, channels first
        answers[path.stem] = described(clip, np.asarray(item["frame_inds"]) + 1)
    return answers


# ---- Facebook ----


def facebook_config(record):
    from timesformer.config.defaults import get_cfg

    cfg = get_cfg()
    cfg.MODEL.ARCH = "vit"
    cfg.DATA.NUM_FRAMES = record["sampling"]["clip_len"]
    cfg.DATA.SAMPLING_RATE = record["sampling"]["frame_interval"]
    cfg.DATA.TEST_CROP_SIZE = record["side"]
    cfg.DATA.TRAIN_JITTER_SCALES = [record["short_side"], 320]  # the test's, for one crop
    cfg.TEST.NUM_ENSEMBLE_VIEWS = 1
    cfg.TEST.NUM_SPATIAL_CROPS = 3 if record["crops"] == "three" else 1
    return cfg


def test_set(kind, cfg, entry):
    """A data set of one video's views, without the list file that its __init__ reads."""
    crops = cfg.TEST.NUM_SPATIAL_CROPS
    dataset = kind.__new__(kind)
    dataset.mode, dataset.cfg, dataset._num_retries = "test", cfg, 1
    dataset._path_to_videos = [entry] * crops
    dataset._labels, dataset._video_meta = [0] * crops, [{}] * crops
    dataset._spatial_temporal_idx = list(range(crops))
    return dataset


def facebook_kinetics_inputs(record, root, videos):
    from timesformer.datasets import decoder
    from timesformer.datasets.kinetics import Kinetics

    cfg = facebook_config(record)
    sampling = record["sampling"]
    answers = {}
    for path in videos:
        pictures = decoder.decode(
            av.open(str(path)), sampling["frame_interval"], sampling["clip_len"], 0, 1
        )
        if pictures is None:  # it printed why
            answers[path.stem] = {"sampled": None}
            continue
        every = {}  # the frame of each picture
        with av.open(str(path)) as container:
            rate = str(container.streams.video[0].average_rate)
            for number, frame in enumerate(container.decode(video=0), 1):
                every.setdefault(sha256(frame.to_rgb().to_ndarray().tobytes()), number)
        numbers = [every[sha256(picture.numpy().tobytes())] for picture in pictures]
        views = test_set(Kinetics, cfg, str(path))
        clip = np.stack([views[crop][0].numpy() for crop in range(len(views))])
        answers[path.stem] = {"average_rate": rate, **described(clip, numbers, floats=True)}
    return answers


def facebook_ssv2_inputs(record, root, videos):
    from timesformer.datasets import utils
    from timesformer.datasets.ssv2 import Ssv2

    cfg = facebook_config(record)
    load, read = utils.retry_load_images, []
    utils.retry_load_images = lambda paths, retry: read.append(paths) or load(paths, retry)
    answers = {}
    for path in videos:
        images = [str(p) for p in sorted((root / "rawframes" / path.stem).iterdir())]
        views = test_set(Ssv2, cfg, images)
        clip = np.stack([views[crop][0].numpy() for crop in range(len(views))])
        numbers = [int(Path(name).stem[4:]) for name in read[-1]]
        answers[path.stem] = described(clip, numbers, floats=True)
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video_dir", type=Path)
    parser.add_argument("timesformer", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    sys.path.insert(0, str(args.timesformer))
    init_default_scope("mmaction")
    revision = subprocess.run(
        ["git", "-C", str(args.timesformer), "rev-parse", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    names = json.loads((HERE / "recipes.json").read_text(encoding="utf-8"))["video_sha256"]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        (root / "val").mkdir()
        videos = [root / "val" / (name + ".mp4") for name in names]
        for path in videos:
            path.symlink_to((args.video_dir / path.name).resolve())
        options = ["--level=1", "--ext=mp4", "--task=rgb", "--new-short=320", "--use-opencv"]
        command = [sys.executable, BUILD_RAWFRAMES, root / "val", root / "rawframes", *options]
        subprocess.run(command, check=True, capture_output=True, cwd=root)
        counts = {p.stem: len(list((root / "rawframes" / p.stem).iterdir())) for p in videos}
        lines = "".join(f"{p.stem} {counts[p.stem]} 0\n" for p in videos)
        (root / "rawframes.txt").write_text(lines)
        (root / "video.txt").write_text("".join(f"{p.name} 0\n" for p in videos))
        values = {}
        for recipes, make in (
            (MMACTION2, mmaction2_inputs),
            (HUGGINGFACE, huggingface_inputs),
            (KINETICS, facebook_kinetics_inputs),
            (SSV2, facebook_ssv2_inputs),
        ):
            for name, record in recipes.items():
                values[name] = {"clip": record, "videos": make(record, root, videos)}
                print(name, len(values[name]["videos"]))
    content = {
        "versions": {**versions(), "TimeSformer": revision},
        "video_sha256": names,
        "recipes": values,
    }
    text = json.dumps(content, indent=1) + "\n"
    text = re.sub(r"\[\s+([-\d.e,\s]+?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text)
    (HERE / "other_recipes.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
