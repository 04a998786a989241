"""What the mutants are made of: small whole inputs, and a small finished run."""

import json
from contextlib import chdir
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
from json_examples import AIS_BENCH, HUGGING_FACE
from onnx import TensorProto, helper, numpy_helper
from recipes import GUIDE
from runs import ROOT
from safetensors.torch import save_file
from streams import encode

from fuzz.sandbox import step
from tsf.data.kinetics import clip_name, write_annotations
from tsf.data.rawframe_files import DIGESTS
from tsf.data.rawframes import extract
from tsf.files import write_json
from tsf.model.containers import open_checkpoint
from tsf.recipe.record import Recipe, to_json

SAMPLING = replace(GUIDE.sampling, clip_len=4, frame_interval=2)
# small, so that a mutant takes milliseconds
CLIP = replace(GUIDE, sampling=SAMPLING, short_side=32, side=32)
FROM_VIDEO = replace(CLIP, source="video")
CLASSES = ("high jump", "making tea", "yoga")
VIDEOS = 4
OWN = ROOT / "tests/own_model"
# the files of a finished run, below its folder, that another step reads
TABLES = ("videos.tsv", "classes.txt", "decoded.tsv", "k400.info", "skipped.tsv", "list.txt")
RUN = (*TABLES, "recipe.json", "engine.json", "model.onnx", "bins/*", "shard/*", "result/*")


def make(folder: Path) -> None:
    """Below `folder`, in the place where a mutant has its inputs: a run's paths are relative."""
    with chdir(folder.parent):
        make_here(Path(folder.name))


def make_here(folder: Path) -> None:
    clips = folder / "clips"
    clips.mkdir(parents=True)
    shape = {"width": 64, "height": 48, "count": 12}
    encode(clips / "plain.mp4", **shape)
    encode(clips / "other.mp4", **shape, seed=1, gop=3)
    encode(clips / "matroska.mkv", **shape, container="matroska")
    encode(clips / "mpeg4.avi", **shape, codec="mpeg4", container="avi")
    fragments = {"movflags": "frag_keyframe+empty_moov"}
    encode(clips / "fragments.mp4", **shape, muxer=fragments, gop=4)
    kinetics(folder / "k400", clips / "plain.mp4")
    frames(folder / "frames", clips / "plain.mp4")
    (folder / "one").mkdir()
    (folder / "one/plain.mp4").write_bytes((clips / "plain.mp4").read_bytes())
    lists(folder / "lists")
    checkpoints(folder / "checkpoints")
    (folder / "hugging_face").mkdir()
    for name, content in HUGGING_FACE.items():
        (folder / "hugging_face" / name).write_text(json.dumps(content))
    (folder / "sumary.json").write_text(json.dumps(AIS_BENCH))
    finished_run(folder)


def kinetics(root: Path, clip: Path) -> None:
    """A dataset of four videos."""
    (root / "annotations").mkdir(parents=True)
    (root / "val").mkdir()
    rows = [(CLASSES[n % 3], f"video-{n:05d}", n, n + 10, "val") for n in range(VIDEOS)]
    write_annotations(root / "annotations/val.csv", rows)
    train = [(name, "abcdefghijk", 0, 10, "train") for name in CLASSES]
    write_annotations(root / "annotations/train.csv", train)
    for _, youtube_id, start, end, _ in rows:
        (root / f"val/{clip_name(youtube_id, start, end)}.mp4").write_bytes(clip.read_bytes())


def frames(root: Path, clip: Path) -> None:
    """Raw frames as a user has them, without digests."""
    extract(clip, root / "video", "all", SAMPLING)
    (root / "video" / DIGESTS).unlink()


def lists(folder: Path) -> None:
    """mmaction2's annotation files of both forms, and classes in each form."""
    folder.mkdir()
    (folder / "videos.txt").write_text("plain.mp4 0\nother.mp4 1\nmatroska.mkv 2\nmpeg4.avi\n")
    (folder / "frames.txt").write_text("video 12 1\n")
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    named = {"id2label": dict(enumerate(CLASSES))}
    (folder / "config.json").write_text(json.dumps(named))


def checkpoints(folder: Path) -> None:
    folder.mkdir()
    (folder / "own.pth").write_bytes((OWN / "own.pth").read_bytes())
    save_file(open_checkpoint(OWN / "own.pth").weights, folder / "own.safetensors")


def model(path: Path) -> None:
    """imgs (1, views, 3, frames, y, x) -> result (views, classes): the first pixel @ weights."""
    shape = [1, *CLIP.shape]
    nodes = [
        helper.make_node("Slice", ["imgs", "zeros", "ones", "axes"], ["pixels"]),
        helper.make_node("Reshape", ["pixels", "shape"], ["views"]),
        helper.make_node("MatMul", ["views", "weights"], ["result"]),
    ]
    weights = np.arange(9, dtype=np.float32).reshape(3, 3) - 4
    constants = {
        "zeros": np.array([0, 0, 0]),
        "ones": np.array([1, 1, 1]),
        "axes": np.array([3, 4, 5]),
        "shape": np.array([CLIP.views, 3]),
        "weights": weights,
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("imgs", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, [CLIP.views, len(CLASSES)])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = helper.make_opsetid("", 11)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


def finished_run(folder: Path) -> None:
    """The tables, .bin files, results and predictions of the dataset k400."""
    run, root = folder / "run", folder / "k400"
    run.mkdir()
    assert step("data.list_videos", "--root", root, "--output", run / "videos.tsv",
                "--output-classes", run / "classes.txt")  # fmt: skip
    assert step("data.preprocess", "--root", root, "--table", run / "decoded.tsv",
                "--recipe", to_json(CLIP), "--output", run / "bins")  # fmt: skip
    assert account(run, run)
    recipe = asdict(Recipe(CLIP, "mean_softmax", len(CLASSES)))
    write_json(run / "recipe.json", recipe)
    model(run / "model.onnx")
    assert step("engines.described", "--file", run / "model.onnx", "--recipe", to_json(CLIP),
                "--output", run / "engine.json")  # fmt: skip
    assert infer(run, run / "shard")
    assert merge(run, run / "result")
    assert accuracy(run, run)


def account(run: Path, output: Path) -> bool:
    return step("data.account", "--list", run / "videos.tsv", "--classes", run / "classes.txt",
                "--tables", run / "decoded.tsv", "--file-list", output / "list.txt",
                "--info", output / "k400.info", "--skipped", output / "skipped.tsv")  # fmt: skip


def infer(run: Path, output: Path) -> bool:
    return step("inference.infer", "--engine", run / "engine.json", "--input", run / "bins",
                "--output", output)  # fmt: skip


def merge(run: Path, output: Path) -> bool:
    return step("inference.merge_shards", "--info", run / "k400.info", "--shards", run / "shard",
                "--output", output, "--summary", output.with_name("summary.json"))  # fmt: skip


def accuracy(run: Path, output: Path) -> bool:
    return step("evaluation.accuracy", "--info", run / "k400.info",
                "--skipped", run / "skipped.tsv", "--recipe", run / "recipe.json",
                "--list", run / "videos.tsv", "--file-list", run / "list.txt",
                "--classes", run / "classes.txt", "--results", run / "result",
                "--output", output / "accuracy.json",
                "--predictions", output / "predictions.csv")  # fmt: skip
