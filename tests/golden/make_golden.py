"""Make the reference values, with the code and in the Python 3.7 stack that the guide uses.

    python tests/golden/make_golden.py VIDEO_DIR [--parts videos recipes file_list top_k logits]

VIDEO_DIR holds clips named `<id>_<start>_<end>.mp4` (tests/streams.py makes such a folder). The
answers go to golden.json, recipes.json, file_list.json, top_k.json and logits.json beside this
file. Nothing here computes what it stores: frames, file lists, inputs, accuracies and logits all
come from mmaction2's own scripts and classes, called as the guide calls them. README.md has the
commands.
"""

import argparse
import copy
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import cv2
import mmaction
import mmcv
import numpy as np
import torch
from mmaction.core.evaluation import top_k_accuracy
from mmaction.datasets import build_dataloader, build_dataset
from mmaction.models import build_model
from PIL import Image

HERE = Path(__file__).resolve().parent
# The wheel carries the repository's tools/ and configs/ in this folder.
CHECKOUT = Path(mmaction.__file__).resolve().parent / ".mim"
CONFIG = "configs/recognition/timesformer/timesformer_divST_8x32x1_15e_kinetics400_rgb.py"
FRAMES = "data/kinetics400/rawframes_val/"
RAWFRAMES = (
    "tools/data/build_rawframes.py val data/kinetics400/rawframes_val/ "
    "--level 1 --ext mp4 --task rgb --new-short 320 --use-opencv"
)
# The guide adds --shuffle, which is not seeded; without it the csv's order is kept.
FILE_LIST = (
    "tools/data/build_file_list.py kinetics400 data/kinetics400/rawframes_val/ "
    "--level 1 --format rawframes --num-split 1 --subset val"
)
LIST_NAME = "data/kinetics400/kinetics400_val_list_rawframes.txt"
# The csv header that the annotation files of Kinetics-400 have.
HEADER = "label,youtube_id,time_start,time_end,split\n"
LOGIT_CLIPS = ("bikes", "carphone_pristine", "plain", "portrait")
TINY = {
    "backbone": {
        "pretrained": None,
        "patch_size": 32,
        "embed_dims": 96,
        "num_heads": 4,
        "num_transformer_layers": 3,
    },
    "cls_head": {"num_classes": 8, "in_channels": 96},
}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def versions():
    built = cv2.getBuildInformation()
    ffmpeg = re.findall(r"(avcodec|avformat|avutil|swscale): *YES \(([\d.]+)\)", built)
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "ffmpeg_in_opencv": dict(ffmpeg),
        "mmcv": mmcv.__version__,
        "mmaction2": mmaction.__version__,
    }


def write_json(name, content):
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    # Lists of numbers on one line: easier to read, and a third of the size.
    text = re.sub(r"\[\s+([-\d.e,\s]+?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text)
    (HERE / name).write_text(text, encoding="utf-8")
    print("wrote", name)


def run_tool(command, cwd):
    """Run one of mmaction2's scripts in a folder laid out as the guide's."""
    script, *rest = command.split()
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, str(CHECKOUT / script), *rest],
        cwd=str(cwd),
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )


def write_annotations(root, train, val, test):
    folder = root / "data/kinetics400/annotations"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("train", train), ("val", val), ("test", test)):
        if text is not None:
            (folder / f"kinetics_{name}.csv").write_bytes(text.encode("utf-8"))


# ---- videos: frames and network inputs ----


def annotation_row(path, label):
    video, start, end = path.stem.rsplit("_", 2)
    return f"{label},{video},{int(start)},{int(end)},val\n"


def video_values(root, video_dir, bins):
    """What the guide's steps make of every clip; the inputs are kept in `bins`."""
    videos = sorted(Path(video_dir).resolve().glob("*.mp4"))
    (root / "val").symlink_to(Path(video_dir).resolve(), target_is_directory=True)
    rows = "".join(annotation_row(path, f"class {i % 8}") for i, path in enumerate(videos))
    train = "".join(f"class {i},unused,0,10,train\n" for i in range(8))
    write_annotations(root, HEADER + train, HEADER + rows, HEADER)
    done = run_tool(RAWFRAMES, root)
    if done.returncode:
        raise RuntimeError(done.stderr)
    reported = {Path(line).stem for line in (root / "build_report.txt").read_text().split()}
    done = run_tool(FILE_LIST, root)
    if done.returncode:
        raise RuntimeError(done.stderr)
    lines = (root / LIST_NAME).read_text().splitlines()

    os.chdir(str(root))
    cfg = mmcv.Config.fromfile(str(CHECKOUT / CONFIG))
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    loader = build_dataloader(
        dataset, videos_per_gpu=1, workers_per_gpu=0, dist=False, shuffle=False
    )
    sampler = dataset.pipeline.transforms[0]
    values = {}
    for path in videos:
        header = cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT)
        values[path.stem] = {
            "video_sha256": sha256(path.read_bytes()),
            "header_frames": int(header),
            "reported_as_done": path.stem in reported,
            "frames": 0,
            "in_file_list": False,
        }
    for line, info, batch in zip(lines, dataset.video_infos, loader):
        folder = Path(info["frame_dir"])
        names = sorted(p.name for p in folder.iterdir())
        everything = hashlib.sha256()
        for name in names:
            everything.update(name.encode() + (folder / name).read_bytes())
        sampled = copy.deepcopy(info)
        sampled["start_index"] = dataset.start_index
        numbers = [int(n) for n in sampler(sampled)["frame_inds"]]
        with Image.open(str(folder / names[0])) as image:
            size = list(image.size)
        imgs = np.asarray(batch["imgs"])
        target = bins / (folder.name + ".bin")
        imgs.tofile(str(target))
        data = target.read_bytes()
        values[folder.name].update(
            frames=len(names),
            in_file_list=True,
            file_list_line=line,
            frame_size=size,
            sampled=[
                [name, sha256((folder / name).read_bytes())]
                for name in (dataset.filename_tmpl.format(n) for n in numbers)
            ],
            all_frames_sha256=everything.hexdigest(),
            bin_shape=list(imgs.shape),
            bin_dtype=str(imgs.dtype),
            bin_bytes=len(data),
            bin_sha256=sha256(data),
        )
    return values


# ---- other recipes: network inputs ----

RECIPE_STREAMS = (
    "bikes",
    "float_trap",
    "odd_420",
    "portrait",
    "rotated",
    "short5",
    "square",
    "t224",
    "t257",
    "truncated",
    "vfr",
    "wide",
)
HALF = [127.5, 127.5, 127.5]
IMAGENET = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}


def recipe(clip_len=8, frame_interval=32, num_clips=1, source="rawframes", **others):
    """The workflow's record of a recipe (tsf.recipe.record.ClipRecipe) as it goes to JSON."""
    record = {
        "sampling": {
            "sampler": "mmaction2-0.x",
            "clip_len": clip_len,
            "frame_interval": frame_interval,
            "num_clips": num_clips,
        },
        "source": source,
        "preprocessing": "mmaction2-0.x",
        "short_side": 224,
        "crops": "three",
        "side": 224,
        "mean": HALF,
        "std": HALF,
        "channels": "rgb",
    }
    record.update(others)
    return record


RECIPES = {
    "16x4": recipe(16, 4),
    "32x2x3": recipe(32, 2, 3),
    "centre_crop": recipe(short_side=256, crops="centre"),
    "centre_crop_two_clips": recipe(8, 8, 2, short_side=256, crops="centre"),
    "imagenet": recipe(**IMAGENET),
    "imagenet_bgr": recipe(channels="bgr", **IMAGENET),
    "448": recipe(short_side=448, side=448),
    "video": recipe(source="video"),
}


def pipeline_of(record):
    """The config's test pipeline for a recipe."""
    sampling = record["sampling"]
    three = record["crops"] == "three"
    video = record["source"] == "video"
    sample = {key: sampling[key] for key in ("clip_len", "frame_interval", "num_clips")}
    return [
        *([{"type": "OpenCVInit"}] if video else []),
        {"type": "SampleFrames", "test_mode": True, **sample},
        {"type": "OpenCVDecode" if video else "RawFrameDecode"},
        {"type": "Resize", "scale": (-1, record["short_side"])},
        {"type": "ThreeCrop" if three else "CenterCrop", "crop_size": record["side"]},
        {
            "type": "Normalize",
            "mean": record["mean"],
            "std": record["std"],
            "to_bgr": record["channels"] == "bgr",
        },
        {"type": "FormatShape", "input_format": "NCTHW"},
        {"type": "Collect", "keys": ["imgs"], "meta_keys": ["frame_inds", "total_frames"]},
    ]


def recipe_values(root, video_dir):
    """The input that each recipe's pipeline makes of some of the clips."""
    (root / "val").mkdir()
    videos = sorted(p for p in Path(video_dir).resolve().glob("*.mp4"))
    videos = [p for p in videos if p.stem.rsplit("_", 2)[0] in RECIPE_STREAMS]
    for path in videos:
        (root / "val" / path.name).symlink_to(path)
    done = run_tool(RAWFRAMES, root)
    if done.returncode:
        raise RuntimeError(done.stderr)
    counts = {path.stem: len(list((root / FRAMES / path.stem).iterdir())) for path in videos}
    lists = {
        "rawframes": "".join(f"{path.stem} {counts[path.stem]} 0\n" for path in videos),
        "video": "".join(f"{path.name} 0\n" for path in videos),
    }
    datasets = {
        "rawframes": {"type": "RawframeDataset", "data_prefix": str(root / FRAMES)},
        "video": {"type": "VideoDataset", "data_prefix": str(root / "val")},
    }
    for source, lines in lists.items():
        datasets[source]["ann_file"] = str(root / (source + ".txt"))
        (root / (source + ".txt")).write_text(lines)
    values = {}
    for name, record in RECIPES.items():
        cfg = {**datasets[record["source"]], "pipeline": pipeline_of(record)}
        dataset = build_dataset(cfg, {"test_mode": True})
        inputs = {}
        for path, item in zip(videos, (dataset[i] for i in range(len(videos)))):
            imgs, meta = np.ascontiguousarray(item["imgs"]), item["img_metas"].data
            inputs[path.stem] = {
                "total_frames": int(meta["total_frames"]),
                # from 1, as the raw frames are numbered; a video's are from 0
                "sampled": [int(n) + 1 - dataset.start_index for n in meta["frame_inds"]],
                "bin_shape": list(imgs.shape),
                "bin_sha256": sha256(imgs.tobytes()),
            }
            print(name, path.stem, imgs.dtype, imgs.shape)
        values[name] = {"clip": record, "videos": inputs}
    digests = {path.stem: sha256(path.read_bytes()) for path in videos}
    return {"video_sha256": digests, "recipes": values}


# ---- file lists ----

GOOD = "abseiling,aaa,0,10,train\nyoga,bbb,3,13,train\nzumba,ccc,5,15,train\n"
CASES = [
    {
        "name": "awkward_labels",
        "note": "Quotes vanish, spaces become underscores, everything else stays: capitals sort "
        "before small letters; a comma, '&', an apostrophe and brackets are kept.",
        "train": 'zumba,t1,0,10,train\n"playing ""air"" guitar",t2,0,10,train\n'
        '"rock, paper, scissors",t3,0,10,train\nTai chi,t4,0,10,train\n'
        "r&b dancing,t5,0,10,train\nmassaging person's head,t6,0,10,train\n"
        "shooting goal (soccer),t7,0,10,train\nbaking  cookies,t8,0,10,train\n"
        "crêpe making,t9,0,10,train\nApplauding,t10,0,10,train\n",
        "val": '"playing ""air"" guitar",v2,1,11,val\n"rock, paper, scissors",v3,2,12,val\n'
        "Tai chi,v4,0,10,val\nr&b dancing,v5,0,10,val\nmassaging person's head,v6,0,10,val\n"
        "shooting goal (soccer),v7,0,10,val\nbaking  cookies,v8,0,10,val\n"
        "crêpe making,v9,0,10,val\nApplauding,v10,0,10,val\nzumba,v1,0,10,val\n",
        "frames": {
            "v2_000001_000011": 2,
            "v3_000002_000012": 3,
            **{f"v{i}_000000_000010": i for i in (1, 4, 5, 6, 7, 8, 9, 10)},
        },
    },
    {
        "name": "duplicates_and_missing",
        "note": "A row that is there twice gives two lines; a row without frames gives none.",
        "train": GOOD,
        "val": "yoga,dup,0,10,val\nzumba,gone,0,10,val\nabseiling,one,0,10,val\n"
        "yoga,dup,0,10,val\n",
        "frames": {"dup_000000_000010": 4, "one_000000_000010": 2, "extra_000000_000010": 3},
    },
    {
        "name": "duplicate_with_another_label",
        "note": "Both lines are written, with both classes.",
        "train": GOOD,
        "val": "yoga,dup,0,10,val\nzumba,dup,0,10,val\n",
        "frames": {"dup_000000_000010": 4},
    },
    {
        "name": "label_only_in_val",
        "note": "A label that the train csv does not know ends the run.",
        "train": GOOD,
        "val": "yoga,one,0,10,val\nunheard of,two,0,10,val\n",
        "frames": {"one_000000_000010": 4, "two_000000_000010": 4},
    },
    {
        "name": "label_only_in_val_and_no_video",
        "note": "It does so even where the row has no video.",
        "train": GOOD,
        "val": "yoga,one,0,10,val\nunheard of,two,0,10,val\n",
        "frames": {"one_000000_000010": 4},
    },
    {
        "name": "other_case",
        "note": "Labels are not lower-cased: 'Yoga' is not 'yoga'.",
        "train": GOOD,
        "val": "Yoga,one,0,10,val\n",
        "frames": {"one_000000_000010": 4},
    },
    {
        "name": "space_at_the_end",
        "note": "Labels are not stripped: 'yoga ' becomes 'yoga_'.",
        "train": GOOD,
        "val": "yoga ,one,0,10,val\n",
        "frames": {"one_000000_000010": 4},
    },
    {
        "name": "space_at_the_end_in_train",
        "note": "The same in the train csv makes a class of its own.",
        "train": GOOD + "yoga ,ddd,0,10,train\n",
        "val": "yoga,one,0,10,val\nyoga ,two,0,10,val\nzumba,six,0,10,val\n",
        "frames": {"one_000000_000010": 1, "two_000000_000010": 2, "six_000000_000010": 3},
    },
    {
        "name": "times",
        "note": "Fractions are cut off, exponents are read, long times take more than six digits.",
        "train": GOOD,
        "val": "yoga,one,1.9,11.9,val\nyoga,two,1e2,1.1e2,val\nyoga,six,1234567,1234577,val\n"
        "yoga,ten, 7 ,17,val\nyoga,neg,-5,5,val\n",
        "frames": {
            "one_000001_000011": 1,
            "two_000100_000110": 2,
            "six_1234567_1234577": 6,
            "ten_000007_000017": 7,
            "neg_-00005_000005": 8,
        },
    },
    {
        "name": "empty_time",
        "note": "An empty time ends the run.",
        "train": GOOD,
        "val": "yoga,one,,10,val\n",
        "frames": {"one_000000_000010": 1},
    },
    {
        "name": "blank_line",
        "note": "A blank line ends the run.",
        "train": GOOD,
        "val": "yoga,one,0,10,val\n\nzumba,two,0,10,val\n",
        "frames": {"one_000000_000010": 1},
    },
    {
        "name": "windows_line_ends",
        "note": "CR LF is read as LF.",
        "train": GOOD.replace("\n", "\r\n"),
        "val": "yoga,one,0,10,val\r\nzumba,two,0,10,val\r\n",
        "frames": {"one_000000_000010": 1, "two_000000_000010": 2},
    },
    {
        "name": "more_columns",
        "note": "Columns are read by position; further ones are ignored, absent ones not missed.",
        "train": GOOD,
        "val": "yoga,one,0,10,val,1\nzumba,two,0,10\n",
        "frames": {"one_000000_000010": 1, "two_000000_000010": 2},
    },
    {
        "name": "no_header",
        "note": "The first line is always skipped, even if it is a row.",
        "header": "",
        "train": "abseiling,zzz,0,10,train\n" + GOOD,
        "val": "yoga,one,0,10,val\nzumba,two,0,10,val\n",
        "frames": {"one_000000_000010": 1, "two_000000_000010": 2},
    },
    {
        "name": "empty_folder",
        "note": "A folder without frames gives a line of another form: path and class, no count. "
        "RawframeDataset cannot read it.",
        "train": GOOD,
        "val": "yoga,one,0,10,val\nzumba,two,0,10,val\n",
        "frames": {"one_000000_000010": 1, "two_000000_000010": 0},
    },
    {
        "name": "stray_file",
        "note": "A file among the folders ends the run.",
        "train": GOOD,
        "val": "yoga,one,0,10,val\n",
        "frames": {"one_000000_000010": 1},
        "files": ["notes.txt"],
    },
    {
        "name": "other_entries",
        "note": "Everything whose name starts with img_ counts as a frame, nothing else does.",
        "train": GOOD,
        "val": "yoga,one,0,10,val\n",
        "frames": {"one_000000_000010": 3},
        "files": [
            "one_000000_000010/img_notes.txt",
            "one_000000_000010/thumb.jpg",
            "one_000000_000010/IMG_00009.jpg",
        ],
    },
    {
        "name": "no_test_csv",
        "note": "The test csv is read even for the validation list.",
        "train": GOOD,
        "val": "yoga,one,0,10,val\n",
        "test": None,
        "frames": {"one_000000_000010": 1},
    },
    {
        "name": "no_frames_at_all",
        "note": "Nothing decoded: an empty list, and no error.",
        "train": GOOD,
        "val": "yoga,one,0,10,val\n",
        "frames": {},
    },
]


def file_list_case(case, root):
    """Lay one case out, run the guide's command, and return the lines or the exception."""
    header = case.get("header", HEADER)
    test = case.get("test", "")
    csvs = {
        "train": header + case["train"],
        "val": header + case["val"],
        "test": None if test is None else HEADER + test,
    }
    write_annotations(root, csvs["train"], csvs["val"], csvs["test"])
    (root / FRAMES).mkdir(parents=True)
    for name, count in case["frames"].items():
        (root / FRAMES / name).mkdir()
        for number in range(1, count + 1):
            (root / FRAMES / name / f"img_{number:05d}.jpg").touch()
    for name in case.get("files", []):
        (root / FRAMES / name).touch()
    done = run_tool(FILE_LIST, root)
    answer = {
        "name": case["name"],
        "note": case["note"],
        "csv": csvs,
        "frames": case["frames"],
        "files": case.get("files", []),
        "lines": None,
        "error": None,
    }
    if done.returncode:
        answer["error"] = done.stderr.strip().splitlines()[-1]
    else:
        answer["lines"] = (root / LIST_NAME).read_text(encoding="utf-8").splitlines()
    return answer


def file_list_values(scratch):
    cases = []
    for case in CASES:
        root = scratch / "lists" / case["name"]
        root.mkdir(parents=True)
        cases.append(file_list_case(case, root))
    return cases


# ---- accuracy ----


def top_k_values():
    random = np.random.RandomState(400)
    plain = random.rand(20, 8).astype(np.float32)
    # Quarters only, so that most rows have ties, at the top and at the fifth place.
    tied = (random.randint(0, 4, (20, 8)) / 4).astype(np.float32)
    flat = np.zeros((8, 8), np.float32)
    answers = []
    for name, scores in (("plain", plain), ("tied", tied), ("flat", flat)):
        labels = random.randint(0, 8, len(scores)) if name != "flat" else np.arange(8)
        labels = [int(label) for label in labels]
        top1, top5 = top_k_accuracy(list(scores), labels, (1, 5))
        order = np.argsort(list(scores), axis=1)[:, ::-1]
        answers.append(
            {
                "name": name,
                "scores": scores.tolist(),
                "labels": labels,
                "top1": float(top1),
                "top5": float(top5),
                "order": order.tolist(),
            }
        )
    return answers


# ---- logits ----

FORMULA = (
    "numpy.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape) * 0.1, plus 1 "
    "where the name ends in 'weight' and the parameter has one axis (layer norms), as float32"
)


def formula(name, shape):
    values = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(tuple(shape)) * 0.1
    if name.endswith("weight") and len(shape) == 1:
        values += 1
    return values.astype(np.float32)


def logit_values(bins):
    cfg = mmcv.Config.fromfile(str(CHECKOUT / CONFIG))
    cfg.merge_from_dict({"model": TINY})
    model = build_model(cfg.model).eval()
    shapes = {}
    filled = hashlib.sha256()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = formula(name, parameter.shape)
            filled.update(values.tobytes())
            parameter.copy_(torch.from_numpy(values))
            shapes[name] = list(parameter.shape)
        clips = {}
        for clip in LOGIT_CLIPS:
            found = sorted(bins.glob(clip + "_??????_??????.bin"))
            if not found:
                continue
            data = np.fromfile(str(found[0]), "<f4").reshape(1, 3, 3, 8, 224, 224)
            imgs = torch.from_numpy(data)
            clips[found[0].stem] = {
                "bin_sha256": sha256(data.tobytes()),
                "logits": model.float().forward_dummy(imgs)[0].tolist(),
                "logits_float64": model.double().forward_dummy(imgs.double())[0].tolist(),
            }
    return {
        "model": TINY,
        "formula": FORMULA,
        "parameters": shapes,
        "parameters_sha256": filled.hexdigest(),
        "clips": clips,
    }


def main():
    parts = ("videos", "recipes", "file_list", "top_k", "logits")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video_dir", type=Path)
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--bins", type=Path, help="keep the network inputs in this folder")
    args = parser.parse_args()
    torch.set_num_threads(1)
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        bins = (args.bins or scratch / "bins").resolve()
        bins.mkdir(parents=True, exist_ok=True)
        if "videos" in args.parts:
            root = scratch / "videos"
            root.mkdir()
            values = video_values(root, args.video_dir, bins)
            os.chdir(home)
            commands = ["python " + RAWFRAMES, "python " + FILE_LIST]
            content = {"versions": versions(), "commands": commands, "config": CONFIG}
            write_json("golden.json", {**content, "videos": values})
        if "recipes" in args.parts:
            root = scratch / "recipes"
            root.mkdir()
            content = {"versions": versions(), **recipe_values(root, args.video_dir)}
            write_json("recipes.json", content)
        if "file_list" in args.parts:
            content = {"versions": versions(), "command": "python " + FILE_LIST}
            write_json("file_list.json", {**content, "cases": file_list_values(scratch)})
        if "top_k" in args.parts:
            write_json("top_k.json", {"versions": versions(), "cases": top_k_values()})
        if "logits" in args.parts:
            write_json("logits.json", {"versions": versions(), **logit_values(bins)})


if __name__ == "__main__":
    main()
