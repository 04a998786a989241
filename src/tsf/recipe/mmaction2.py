"""The recipe that an mmaction2 config states, of release 0.x or 1.x.

What is read is what mmaction2's own test runs: the transforms of the test pipeline, in 1.x the
data_preprocessor, and average_clips. Every transform and argument that is not implemented is
refused by its name, whatever it would do.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from tsf.errors import UserError
from tsf.recipe.fields import Stated

OLD, NEW = "mmaction2-0.x", "mmaction2-1.x"
FUSION_OF = {"prob": "mean_softmax", "score": "mean_logits"}
ANY = ()  # whatever the value: it is read, or the result does not depend on it


class Transform(NamedTuple):
    stage: int  # a pipeline goes through the stages in order, each once
    arguments: dict[str, tuple]  # the values that are implemented; ANY
    release: str | None = None  # the only one that has it; None: both


FILES = {"io_backend": ("disk",)}
TRANSFORMS = {
    "OpenCVInit": Transform(0, FILES),
    "DecordInit": Transform(0, FILES | {"num_threads": ANY}),
    "PyAVInit": Transform(0, FILES),
    "SampleFrames": Transform(
        1,
        {
            "clip_len": ANY,
            "frame_interval": ANY,
            "num_clips": ANY,
            # without it, as in training, the clip starts at a random frame
            "test_mode": (True,),
            "temporal_jitter": (False,),
            "twice_sample": (False,),
            "out_of_bound_opt": ("loop",),
            "keep_tail_frames": (False,),
            "target_fps": (None,),
            "start_index": (None,),
        },
    ),
    "RawFrameDecode": Transform(2, FILES | {"decoding_backend": ("cv2",)}),
    "OpenCVDecode": Transform(2, {}),
    # efficient: the nearest key frames in place of the frames
    "DecordDecode": Transform(2, {"mode": ("accurate",)}),
    "PyAVDecode": Transform(2, {"mode": ("accurate",), "multi_thread": ANY}),
    "Resize": Transform(
        3,
        {
            "scale": ANY,
            "keep_ratio": (True,),
            "interpolation": ("bilinear",),
            "lazy": (False,),
        },
    ),
    "ThreeCrop": Transform(4, {"crop_size": ANY}),
    "CenterCrop": Transform(4, {"crop_size": ANY, "lazy": (False,)}),
    "Normalize": Transform(
        5,
        {"mean": ANY, "std": ANY, "to_bgr": (False, True), "adjust_magnitude": (False,)},
        OLD,
    ),
    "FormatShape": Transform(6, {"input_format": ("NCTHW",), "collapse": (False,)}),
    # these name what goes to the network and what is remembered of the video
    "Collect": Transform(7, {"keys": ANY, "meta_keys": ANY, "meta_name": ANY}, OLD),
    "PackActionInputs": Transform(7, {"meta_keys": ANY, "algorithm_keys": ANY}, NEW),
    "ToTensor": Transform(8, {"keys": ANY}, OLD),
}
NEEDED = {
    OLD: {1: "SampleFrames", 3: "Resize", 5: "Normalize", 6: "FormatShape", 7: "Collect"},
    NEW: {1: "SampleFrames", 3: "Resize", 6: "FormatShape", 7: "PackActionInputs"},
}
CROPS_OF = {"ThreeCrop": "three", "CenterCrop": "centre"}
# mmaction2 1.x's ActionDataPreprocessor; blending is for training alone
PREPROCESSOR = {
    "type": ("ActionDataPreprocessor",),
    "mean": ANY,
    "std": ANY,
    "to_rgb": (False, True),
    "to_float32": (True,),
    "blending": ANY,
    "format_shape": ("NCTHW",),
}
# max_testing_views bounds the memory, and changes no logit
TEST_CFG = {
    OLD: {"average_clips": ANY, "max_testing_views": ANY, "feature_extraction": (False,)},
    NEW: {"max_testing_views": ANY, "fcn_test": (False,)},
}
DATASET = {
    "type": ("RawframeDataset", "VideoDataset"),
    "ann_file": ANY,
    "data_prefix": ANY,
    "pipeline": ANY,
    "test_mode": ANY,
    "num_classes": ANY,
    "start_index": ANY,
    "filename_tmpl": ANY,
    "modality": ("RGB",),
    "with_offset": (False,),
    "multi_class": (False,),
    "dynamic_length": (False,),
    "delimiter": (" ",),
    # of training alone
    "sample_by_class": ANY,
    "power": ANY,
}


def stated(config: dict, where: str) -> Stated:
    """What the config states of the recipe, and of the network that it builds.

    config: as `literal.read_config` gives it. where: the file, for messages. A config without a
    test pipeline states the network alone. Raises UserError.
    """
    found = network(config, where)
    model = _dict(config, "model", where)
    name, pipeline = _pipeline(config, where)
    if pipeline is not None:
        release = _release(config, model, pipeline, where)
        _clip(pipeline, release, f"{name} of {where}", found)
        if release == NEW:
            _preprocessor(_dict(model, "data_preprocessor", where), where, found)
        _fusion(config, model, release, where, found)
        _refuse_shifted(config, where, found)
    return found


def trained(config: dict, where: str) -> Stated:
    """What the config states of tsf.recipe.fields.TRAINED, however else it tests.

    The pipeline's other transforms may be unknown: crops, say, or files on a cluster. A field
    that cannot be told is missing, with the reason. Raises UserError for a config without a test
    pipeline, or for no one release.
    """
    model = _dict(config, "model", where)
    name, pipeline = _pipeline(config, where, may_differ=True)
    if pipeline is None:
        raise UserError(f"{where}: has no test_pipeline")
    release = _release(config, model, pipeline, where)
    steps = {step["type"]: step for step in pipeline}
    found, of_pipeline = Stated(), f"{name} of {where}"

    def step(kind: str) -> dict:
        if kind not in steps:
            raise UserError(f"{of_pipeline}: has no {kind}")
        return steps[kind]

    try:
        _trained_frames(step("SampleFrames"), release, of_pipeline, found)
    except UserError as fault:
        found.missing |= dict.fromkeys(("sampler", "clip_len", "frame_interval"), str(fault))
    try:
        if release == OLD:
            _check_step(step("Normalize"), of_pipeline)
            _normalise(step("Normalize"), of_pipeline, found)
        else:
            _preprocessor(_dict(model, "data_preprocessor", where), where, found)
    except UserError as fault:
        found.missing |= dict.fromkeys(("mean", "std", "channels"), str(fault))
    return found


@dataclass(frozen=True)
class VideoList:
    """The list of videos or raw frames that a config tests on, as the config writes it."""

    type: str  # RawframeDataset or VideoDataset
    ann_file: str
    data_prefix: str
    start_index: int  # the number of a video's first frame
    filename_tmpl: str  # of a raw frame, of its number


def has_video_list(config: dict, where: str) -> bool:
    """Whether the config says what mmaction2 tests on. Raises UserError."""
    return bool(_dataset(config, where)[1])


def start_index(config: dict, where: str) -> Any:
    """The number of a video's first frame, as the config writes it. None: it leaves that out."""
    return _dataset(config, where)[1].get("start_index")


def video_list(config: dict, where: str) -> VideoList:
    """The list that mmaction2 tests on: data.test, or test_dataloader.dataset. Raises UserError."""
    name, dataset = _dataset(config, where)
    if not dataset:
        raise UserError(f"{where}: neither data.test nor test_dataloader.dataset is there")
    _check_arguments(dataset, DATASET, f"{where}: {name}")
    rawframes = dataset.get("type") == "RawframeDataset"
    prefix = dataset.get("data_prefix")
    if isinstance(prefix, dict):  # of 1.x
        prefix = prefix.get("img" if rawframes else "video")
    values = {
        "type": dataset.get("type"),
        "ann_file": dataset.get("ann_file"),
        "data_prefix": prefix or "",
        # both releases count raw frames from 1, a video's from 0
        "start_index": dataset.get("start_index", int(rawframes)),
        "filename_tmpl": dataset.get("filename_tmpl", "img_{:05}.jpg"),
    }
    for key, value in values.items():
        kind = int if key == "start_index" else str
        if not isinstance(value, kind) or isinstance(value, bool):
            raise UserError(f"{where}: {name}.{key} is {value!r}, not a {kind.__name__}")
    return VideoList(**values)


def _dict(content: dict, key: str, where: str) -> dict:
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UserError(f"{where}: {key} is {value!r}, not a dict")
    return value


def _check_arguments(given: dict, known: dict[str, tuple], where: str) -> None:
    for name, value in given.items():
        if name not in known:
            raise UserError(f"{where}: {name} is not implemented; known are {', '.join(known)}")
        allowed = known[name]
        # 1 == True, but is no boolean
        if allowed and not any(value == a and type(value) is type(a) for a in allowed):
            only = " or ".join(map(repr, allowed))
            raise UserError(f"{where}: {name} {value!r} is not implemented, only {only}")


def network(config: dict, where: str) -> Stated:
    """What the config states of the network that it builds. Raises UserError."""
    found = Stated()
    model = _dict(config, "model", where)
    backbone = _dict(model, "backbone", where)
    head = _dict(model, "cls_head", where)
    if backbone.get("type") != "TimeSformer":
        raise UserError(f"{where}: model.backbone is {backbone.get('type')}, not TimeSformer")
    for key, part, known in (
        ("model", model, "Recognizer3D"),
        ("model.cls_head", head, "TimeSformerHead"),
    ):
        # 1.x may write a scope before it: mmaction.X
        if str(part.get("type", known)).rpartition(".")[2] != known:
            raise UserError(f"{where}: {key} is {part['type']}, not {known}")
    for field, key, value in (
        ("clip_len", "model.backbone.num_frames", backbone.get("num_frames")),
        ("side", "model.backbone.img_size", _square(backbone.get("img_size"))),
        ("classes", "model.cls_head.num_classes", head.get("num_classes")),
    ):
        if type(value) is not int:
            raise UserError(f"{where}: {key} is {value!r}, not a whole number")
        found.network[field] = value, f"{key} of {where}"
    found.add(f"model.cls_head of {where}", classes=head["num_classes"])
    return found


def network_settings(config: dict) -> dict:
    """The config's `model` without what is the recipe's, or training's: the logits' settings."""
    others = {"train_cfg", "test_cfg", "data_preprocessor"}
    settings = {key: value for key, value in config["model"].items() if key not in others}
    if isinstance(head := settings.get("cls_head"), dict):
        settings["cls_head"] = {k: v for k, v in head.items() if k != "average_clips"}
    return settings


def _square(size: Any) -> Any:
    """The side of a size that mmaction2 takes as a number or as a pair."""
    pair = isinstance(size, tuple) and len(size) == 2 and size[0] == size[1]
    return size[0] if pair else size


def _dataset(config: dict, where: str) -> tuple[str, dict]:
    """What mmaction2 tests on, {} if nothing, and its name."""
    old = _dict(_dict(config, "data", where), "test", where)
    new = _dict(_dict(config, "test_dataloader", where), "dataset", where)
    if old and new:
        raise UserError(
            f"{where}: data.test is of mmaction2 0.x, test_dataloader of 1.x: leave one of them"
        )
    return ("data.test", old) if old else ("test_dataloader.dataset", new)


def _pipeline(config: dict, where: str, may_differ: bool = False) -> tuple[str, list[dict] | None]:
    """The test pipeline, None if there is none, and its name.

    may_differ: test_pipeline, which mmaction2 does not test with where the dataset has its own.
    """
    parent, dataset = _dataset(config, where)
    pipelines = {
        "test_pipeline": config.get("test_pipeline"),
        f"{parent}.pipeline": dataset.get("pipeline"),
    }
    present = {name: steps for name, steps in pipelines.items() if steps is not None}
    if not present:
        return "", None
    steps = list(present.values())[-1]
    name = next(name for name, other in present.items() if other == steps)
    if not may_differ and any(other != steps for other in present.values()):
        raise UserError(
            f"{where}: test_pipeline and {parent}.pipeline differ; mmaction2 tests with the "
            "second, so make them the same, or delete test_pipeline"
        )
    if not isinstance(steps, list) or not all(
        isinstance(step, dict) and isinstance(step.get("type"), str) for step in steps
    ):
        raise UserError(f"{where}: {name} is no list of transforms, dict(type='...', ...)")
    return name, [step | {"type": _unscoped(step["type"])} for step in steps]


def _unscoped(name: str) -> str:
    """1.x may write a scope before a name: mmaction.X. Another one's X, as mmdet.X, is another."""
    return name.rpartition(".")[2] if name.startswith("mmaction.") else name


def _release(config: dict, model: dict, pipeline: list[dict], where: str) -> str:
    """Which release the config is written for: by what the other does not have."""
    marks: dict[str, list[str]] = {OLD: [], NEW: []}
    for step in pipeline:
        release = TRANSFORMS[step["type"]].release if step["type"] in TRANSFORMS else None
        if release:
            marks[release].append(step["type"])
    if "data" in config:
        marks[OLD].append("data")
    if "test_dataloader" in config:
        marks[NEW].append("test_dataloader")
    if "data_preprocessor" in model:
        marks[NEW].append("model.data_preprocessor")
    if marks[OLD] and marks[NEW]:
        raise UserError(
            f"{where}: {marks[OLD][0]} is of mmaction2 0.x, {marks[NEW][0]} of 1.x: "
            "the two releases pick and round differently, write the config for one"
        )
    if not marks[OLD] and not marks[NEW]:
        raise UserError(
            f"{where}: nothing says which release of mmaction2 it is for: 0.x has Normalize and "
            "Collect in its test_pipeline, 1.x model.data_preprocessor and PackActionInputs"
        )
    return OLD if marks[OLD] else NEW


def _clip(pipeline: list[dict], release: str, where: str, found: Stated) -> None:
    """Take the fields of the clip from the transforms. where: the pipeline's name and file."""
    steps: dict[int, dict] = {}
    before = ""
    for step in pipeline:
        name = step["type"]
        if name not in TRANSFORMS:
            raise UserError(
                f"{where}: the transform {name} is not implemented; known are "
                f"{', '.join(TRANSFORMS)}"
            )
        transform = TRANSFORMS[name]
        _check_step(step, where)
        if steps and transform.stage <= max(steps):
            raise UserError(f"{where}: {name} after {before} is not implemented")
        steps[transform.stage] = step
        before = name
    for stage, name in NEEDED[release].items():
        if stage not in steps:
            raise UserError(f"{where}: has no {name}")
    for stage, names in ((2, "RawFrameDecode, DecordDecode, ..."), (4, "ThreeCrop or CenterCrop")):
        if stage not in steps:
            raise UserError(f"{where}: has no {names}")

    _frames(steps[1], release, where, found)
    found.add(
        where,
        source=_source(steps, where),
        preprocessing=release,
        short_side=_short_side(_needed(steps[3], "scale", where), where),
        crops=CROPS_OF[steps[4]["type"]],
        side=_crop_side(steps[4], where),
    )
    if steps[6].get("input_format") != "NCTHW":
        raise UserError(f"{where}: FormatShape: input_format is missing")
    if release == OLD:
        _normalise(steps[5], where, found)


def _check_step(step: dict, where: str) -> None:
    arguments = {key: value for key, value in step.items() if key != "type"}
    _check_arguments(arguments, TRANSFORMS[step["type"]].arguments, f"{where}: {step['type']}")


def _frames(sample: dict, release: str, where: str, found: Stated) -> None:
    if "test_mode" not in sample:
        raise UserError(f"{where}: SampleFrames: test_mode must be True, else frames are random")
    found.add(
        where,
        sampler=release,
        clip_len=_needed(sample, "clip_len", where),
        frame_interval=sample.get("frame_interval", 1),
        num_clips=sample.get("num_clips", 1),
    )


def _trained_frames(sample: dict, release: str, where: str, found: Stated) -> None:
    """clip_len and frame_interval: the other arguments are a test's, but for target_fps."""
    found.add(where, sampler=release)
    if "clip_len" in sample:
        found.add(where, clip_len=sample["clip_len"])
    else:
        found.missing["clip_len"] = f"{where}: SampleFrames: clip_len is missing"
    if sample.get("target_fps") is None:
        found.add(where, frame_interval=sample.get("frame_interval", 1))
    else:
        found.missing["frame_interval"] = (
            f"{where}: SampleFrames: target_fps {sample['target_fps']!r} makes another "
            "frame_interval of each video"
        )


def _normalise(step: dict, where: str, found: Stated) -> None:
    found.add(
        where,
        mean=_row(_needed(step, "mean", where)),
        std=_row(_needed(step, "std", where)),
        # it is RGB that is decoded to; mean and std are of the order after the change
        channels="bgr" if step.get("to_bgr") else "rgb",
    )


def _needed(step: dict, argument: str, where: str) -> Any:
    if argument not in step:
        raise UserError(f"{where}: {step['type']}: {argument} is missing")
    return step[argument]


def _row(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _source(steps: dict[int, dict], where: str) -> str:
    decode = steps[2]["type"]
    opened = steps[0]["type"] if 0 in steps else "none"
    wanted = "none" if decode == "RawFrameDecode" else decode.replace("Decode", "Init")
    if opened != wanted:
        raise UserError(f"{where}: {decode} needs {wanted} before SampleFrames, not {opened}")
    return "rawframes" if decode == "RawFrameDecode" else "video"


def _short_side(scale: Any, where: str) -> int:
    """The short side that Resize(scale) gives every picture: (-1, N) alone gives all the same."""
    pair = isinstance(scale, tuple) and len(scale) == 2 and all(type(s) is int for s in scale)
    if not pair or min(scale) != -1:
        raise UserError(
            f"{where}: Resize: scale {scale!r} is not implemented, only (-1, N), a short side of N"
        )
    short_side: int = max(scale)
    return short_side


def _crop_side(step: dict, where: str) -> int:
    side = _square(_needed(step, "crop_size", where))
    if type(side) is not int:
        raise UserError(f"{where}: {step['type']}: crop_size {side!r} is no square")
    return side


def _preprocessor(preprocessor: dict, where: str, found: Stated) -> None:
    origin = f"model.data_preprocessor of {where}"
    if isinstance(kind := preprocessor.get("type"), str):
        preprocessor = preprocessor | {"type": _unscoped(kind)}
    _check_arguments(preprocessor, PREPROCESSOR, origin)
    for argument in ("type", "mean", "std", "format_shape"):  # whose defaults are others
        if preprocessor.get(argument) is None:
            raise UserError(f"{origin}: {argument} is missing")
    found.add(
        origin,
        mean=_row(preprocessor["mean"]),
        std=_row(preprocessor["std"]),
        # the order is reversed, and it is RGB that is decoded to
        channels="bgr" if preprocessor.get("to_rgb") else "rgb",
    )


def _fusion(config: dict, model: dict, release: str, where: str, found: Stated) -> None:
    key, test_cfg = "model.test_cfg", _dict(model, "test_cfg", where)
    if release == OLD and config.get("test_cfg") is not None:
        if test_cfg:
            raise UserError(f"{where}: test_cfg is there and in model: mmaction2 refuses that")
        key, test_cfg = "test_cfg", _dict(config, "test_cfg", where)
    if release == NEW and "average_clips" in test_cfg:
        raise UserError(
            f"{where}: model.test_cfg.average_clips is not read by mmaction2 1.x; "
            "write it in model.cls_head"
        )
    _check_arguments(test_cfg, TEST_CFG[release], f"{where}: {key}")
    if release == NEW:
        key, test_cfg = "model.cls_head", _dict(model, "cls_head", where)
    average = test_cfg.get("average_clips")
    if average is None:
        found.missing["fusion"] = (
            f"{key}.average_clips of {where} is not set, and mmaction2 then gives a row of scores "
            "for each view and none for the video; write 'prob' or 'score'"
        )
    elif isinstance(average, str) and average in FUSION_OF:
        found.add(f"{key}.average_clips of {where}", fusion=FUSION_OF[average])
    else:
        raise UserError(f"{where}: {key}.average_clips {average!r}: known are 'prob' and 'score'")


def _refuse_shifted(config: dict, where: str, found: Stated) -> None:
    """Refuse other inputs than RGB, and a video whose first frames are left out."""
    name, dataset = _dataset(config, where)
    modality = dataset.get("modality", "RGB")
    if modality != "RGB":
        raise UserError(f"{where}: {name}.modality {modality!r} is not implemented, only 'RGB'")
    start = dataset.get("start_index", 0)
    if found.fields["source"] == "video" and start != 0:
        raise UserError(
            f"{where}: {name}.start_index {start!r} is not implemented for videos, only 0"
        )
