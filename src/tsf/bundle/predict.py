"""The five best classes of videos: python predict.py video.mp4 [FOLDER ...] [--camera 0] [--json]

A video is decoded, sampled, resized, cropped and normalised as recipe.json beside this file says.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # a bad video gets one line, ours
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
FILES = ["tsf_sim.onnx", "recipe.json", "labels.txt"]  # the model comes first
DTYPE = "float32"  # of the clips that it takes, or uint8
Model = Callable[[np.ndarray], np.ndarray]  # (1, views, 3, T, y, x) -> (views, classes) logits
SUFFIXES = {".avi", ".flv", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"}


def one_line(fault: Exception) -> str:
    return " ".join(str(fault).split())[:300] or type(fault).__name__


def refuse_damaged() -> None:
    """Raises ValueError if a file that the classes depend on is not the one in SHA256SUMS."""
    remedy = "copy the folder again, or delete it and run snakemake bundle, which makes it"
    for name in ["SHA256SUMS", *FILES]:
        if not (HERE / name).is_file():
            raise ValueError(f"{HERE / name} is missing: {remedy}")
    lines = (HERE / "SHA256SUMS").read_text("utf-8", "replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in FILES:
        if hashlib.sha256((HERE / name).read_bytes()).hexdigest() != sums.get(name):
            raise ValueError(f"{HERE / name} is not the file in SHA256SUMS: {remedy}")


def load_onnxruntime(model: Path) -> Model:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it would report its use to its maker
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
    return lambda clips: session.run(["result"], {"imgs": clips})[0]


def load_openvino(model: Path) -> Model:
    import openvino

    core = openvino.Core()
    hint = "f32"
    if hint == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ValueError("this model is to run in bfloat16, which this CPU does not have")
    settings = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(str(model), "CPU", settings)
    return lambda clips: compiled({"imgs": clips})["result"]


def load_ais_bench(model: Path) -> Model:
    from ais_bench.infer.interface import InferSession

    session = InferSession(0, str(model))  # ASCEND_RT_VISIBLE_DEVICES says which NPU is 0
    return lambda clips: session.infer([clips])[0]


def frame_numbers(total: int, sampling: dict) -> list[int]:
    """The frames of all clips, clip after clip, from 0: mmaction2's SampleFrames, test mode."""
    clips, length = sampling["num_clips"], sampling["clip_len"]
    step, is_1x = sampling["frame_interval"], sampling["sampler"] == "mmaction2-1.x"
    if is_1x and length > 1:
        rest = max(total - (length - 1) * step - 1, 0)
        starts = (
            [round(i * (rest / (clips - 1))) for i in range(clips)] if clips > 1 else [rest // 2]
        )
    else:
        share = (total if is_1x else max(total - length * step + 1, 0)) / clips
        starts = [int(i * share + share / 2) for i in range(clips)]
    return [(start + step * k) % total for start in starts for k in range(length)]


def read(capture: cv2.VideoCapture, wanted: set, most: float = float("inf")) -> tuple[int, dict]:
    """How many frames can be read, up to `most`, and the wanted ones by number, from 0."""
    total, frames = 0, {}
    while total < most and capture.grab():
        if total in wanted:
            decoded, frame = capture.retrieve()
            if not decoded:
                break
            frames[total] = frame  # (height, width, 3) uint8 BGR
        total += 1
    return total, frames


def opened(video: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
    return capture


def video_frames(video: Path, sampling: dict) -> list[np.ndarray]:
    """The frames of all clips, (height, width, 3) uint8 BGR. Raises ValueError."""
    if not video.is_file():
        raise ValueError("no video in this folder" if video.is_dir() else "no such file")
    capture = opened(video)
    stated = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    total, frames = read(capture, set(frame_numbers(stated, sampling)) if stated > 0 else set())
    if total == 0:
        raise ValueError("not one frame can be decoded: no video, or a damaged one")
    numbers = frame_numbers(total, sampling)
    if set(numbers) != frames.keys():  # the count in the file's head was wrong
        _, frames = read(opened(video), set(numbers))
    if set(numbers) - frames.keys():
        raise ValueError("frames that could be read before cannot be read again")
    return [frames[number] for number in numbers]


def resized(frame: np.ndarray, recipe: dict) -> np.ndarray:
    """A decoded frame at the model's short side, its channels in the model's order."""
    if recipe["source"] == "rawframes":  # a JPEG of short side 320 lies between, as in the guide
        height, width = frame.shape[:2]
        tall, wide = (320, int((320 / width) * height)), (int((320 / height) * width), 320)
        frame = cv2.resize(frame, tall if width <= height else wide)
        frame = cv2.imdecode(cv2.imencode(".jpg", frame)[1], cv2.IMREAD_COLOR)
    height, width = frame.shape[:2]
    scale = recipe["short_side"] / min(height, width)
    frame = cv2.resize(frame, (int(width * scale + 0.5), int(height * scale + 0.5)))
    return frame[..., ::-1] if recipe["channels"] == "rgb" else frame


def clip_of(frames: list[np.ndarray], recipe: dict, dtype: str) -> np.ndarray:
    """The model's input, (1, views, 3, T, y, x): every crop of every clip, crop by crop."""
    side, length = recipe["side"], recipe["sampling"]["clip_len"]
    clips, crops = len(frames) // length, 3 if recipe["crops"] == "three" else 1
    views = np.empty((crops * clips, 3, length, side, side), np.uint8)
    for place, frame in enumerate(frames):
        picture = resized(frame, recipe)
        y, x = ((n - side) // 2 for n in picture.shape[:2])
        for crop, (top, left) in enumerate([(0, 0), (2 * y, 2 * x), (y, x)][-crops:]):
            cut = picture[top : top + side, left : left + side].transpose(2, 0, 1)  # (3, y, x)
            views[crop * clips + place // length, :, place % length] = cut
    if dtype == "uint8":  # the model normalises
        return views[np.newaxis]
    mean, std = (np.array(recipe[name], np.float32)[:, np.newaxis] for name in ("mean", "std"))
    values = (np.arange(256, dtype=np.float32) - mean) / std  # (3, 256)
    return np.stack([values[c][views[:, c]] for c in range(3)], axis=1)[np.newaxis]


def probabilities(logits: np.ndarray, fusion: str) -> np.ndarray:
    """(views, classes) -> (classes,): the views' softmax, or that of their mean or sum."""
    if not np.isfinite(logits).all():
        raise ValueError("the model gave values that are not finite")
    logits = logits.astype(float).round(6)  # as the results' text files hold them
    if fusion != "mean_softmax":
        mean = fusion == "mean_logits"
        logits = logits.mean(0, keepdims=True) if mean else logits.sum(0, keepdims=True)
    powers = np.exp(logits - logits.max(1, keepdims=True))
    scores: np.ndarray = (powers / powers.sum(1, keepdims=True)).mean(0)
    return scores


def videos_of(paths: list[Path]) -> Iterator[Path]:
    """The files, and the videos below the folders; a folder itself if there are none."""
    for path in paths:
        yield from (sorted(videos_below(path)) if os.path.isdir(path) else []) or [path]


def videos_below(top: Path) -> Iterator[Path]:
    """The files with a video's suffix; links to folders are followed, once each.

    Raises ValueError for a folder that cannot be read, and for a link to nothing, which may have
    been one: their videos would be missing without a word.
    """
    seen = set()
    for folder, subfolders, names in os.walk(top, onerror=refuse_unreadable, followlinks=True):
        if os.path.realpath(folder) in seen:  # by another link, or by a link to a folder above
            subfolders.clear()
            continue
        seen.add(os.path.realpath(folder))
        subfolders.sort()
        for path in (Path(folder, name) for name in names):
            if path.suffix.lower() in SUFFIXES:
                yield path
            elif path.is_symlink() and not os.path.exists(path):
                raise ValueError(f"{path}: a link to nothing; repair it or delete it")


def refuse_unreadable(fault: OSError) -> NoReturn:
    raise ValueError(f"{fault.filename}: {fault.strerror}; make it readable, or name other folders")


def camera_frames(camera: str, sampling: dict) -> Iterator[list[np.ndarray]]:
    """The frames of one span after the other, for ever. camera: a number, or a stream's URL."""
    capture = cv2.VideoCapture(int(camera) if camera.isdigit() else camera)
    span = sampling["num_clips"] * sampling["clip_len"] * sampling["frame_interval"]
    numbers = frame_numbers(span, sampling)
    while True:
        total, frames = read(capture, set(numbers), span)
        if total < span:
            raise ValueError(f"{total} frames, and {span} are needed" if total else "no picture")
        yield [frames[number] for number in numbers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="*", help="files, or folders of videos")
    parser.add_argument("--camera", metavar="N", help="a camera's number, or a stream's URL")
    parser.add_argument("--json", action="store_true", help="a line of JSON a video")
    args = parser.parse_args()
    if not args.videos and args.camera is None:
        parser.error("which videos? Or --camera 0")
    try:
        videos = list(videos_of(args.videos))
        refuse_damaged()
        recipe = json.loads((HERE / "recipe.json").read_text("utf-8"))
        labels = (HERE / "labels.txt").read_text("utf-8").split("\n")[:-1]
        model = load_onnxruntime(HERE / FILES[0])
    except Exception as fault:  # the runtimes' exceptions share no other base
        sys.exit(f"error: {one_line(fault)}")

    def show(name: str, frames: list[np.ndarray]) -> None:
        scores = probabilities(model(clip_of(frames, recipe["clip"], DTYPE)), recipe["fusion"])
        if len(scores) != len(labels):
            raise ValueError(f"the model has {len(scores)} classes, labels.txt {len(labels)}")
        best = np.argsort(scores, kind="stable")[::-1][:5]  # of equal ones the later class first
        rows = [{"class": labels[i], "probability": round(float(scores[i]), 6)} for i in best]
        lines = [f"  {row['probability']:.6f}  {row['class']}" for row in rows]
        whole = json.dumps({"video": name, "classes": rows}, ensure_ascii=False)
        print(whole if args.json else "\n".join([name, *lines]), flush=True)

    status, sampling = 0, recipe["clip"]["sampling"]
    try:
        for video in videos:
            try:
                show(str(video), video_frames(video, sampling))
            except BrokenPipeError:
                raise
            except Exception as fault:
                status = 1
                print(f"error: {video}: {one_line(fault)}", file=sys.stderr)
        if args.camera is not None:
            for frames in camera_frames(args.camera, sampling):
                show(f"camera {args.camera}", frames)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # who read the output has read enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as fault:
        sys.exit(f"error: camera {args.camera}: {one_line(fault)}")
    sys.exit(status)


if __name__ == "__main__":
    main()
