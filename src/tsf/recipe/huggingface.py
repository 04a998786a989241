"""The recipe that a Hugging Face folder states: config.json and preprocessor_config.json.

They state the network and the picture. Which frames make a clip they do not say, nor what several
views of a video are made into.
"""

import math
from pathlib import Path
from typing import Any

from tsf.errors import UserError
from tsf.files import read_foreign_json
from tsf.recipe.fields import Stated

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
# of config.json: what the network here is, and transformers' TimesformerConfig by default
NETWORK = {
    "model_type": "timesformer",
    "num_channels": 3,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "qkv_bias": True,
}
ARCHITECTURE = "TimesformerForVideoClassification"
# with the newer TimesformerVideoProcessor pictures are resized as tensors, which rounds otherwise
PROCESSORS = ("VideoMAEImageProcessor", "VideoMAEFeatureExtractor")
# of preprocessor_config.json: what is implemented, and VideoMAEImageProcessor's default
STEPS = {"do_resize": True, "do_center_crop": True, "do_rescale": True, "do_normalize": True}
BILINEAR = 2  # in PIL
READ = {"size", "crop_size", "image_mean", "image_std", "resample", "rescale_factor", *STEPS}
NAMES = {"image_processor_type", "feature_extractor_type", "processor_class"}
BOOKKEEPING = {"_valid_processor_keys"}

NO_FRAMES = (
    "a Hugging Face folder does not say which frames make a clip; write recipe: "
    "{name: huggingface}, which picks them as Facebook's own code, or give each of them"
)
NO_FUSION = "a Hugging Face folder does not say what the views of a video are made into"


def read(folder: Path, picture: bool = True) -> dict[str, dict]:
    """The content of the files, by their names. Raises UserError.

    picture: whether the picture is theirs too, and not another recipe's.
    """
    names = (CONFIG, PREPROCESSOR) if picture else (CONFIG,)
    return {name: _read(folder / name) for name in names}


def _read(path: Path) -> dict:
    if not path.exists():
        raise UserError(f"{path}: no such file, but a Hugging Face folder has one")
    return read_foreign_json(path, "save the model again, with save_pretrained")


def stated(content: dict[str, dict], folder: Path) -> Stated:
    """What the folder states of the recipe and of its network.

    content: as `read` gives it. folder: for messages. Raises UserError for whatever is not
    implemented.
    """
    found = Stated()
    _network(content[CONFIG], str(folder / CONFIG), found)
    if PREPROCESSOR in content:
        _picture(content[PREPROCESSOR], str(folder / PREPROCESSOR), found)
        found.missing = dict.fromkeys(("sampler", "frame_interval", "num_clips"), NO_FRAMES)
        found.missing["fusion"] = NO_FUSION
    return found


def _network(config: dict, where: str, found: Stated) -> None:
    for key, implemented in NETWORK.items():
        _only(config.get(key, implemented), implemented, key, where)
    _only(config.get("architectures"), [ARCHITECTURE], "architectures", where)
    frames, side = config.get("num_frames"), config.get("image_size")
    labels = config.get("id2label")
    # a file without labels has their number, one with both must agree
    classes = config.get("num_labels") if labels is None else _number_of(labels, where)
    _only(config.get("num_labels", classes), classes, "num_labels", where)
    if labels is not None and config.get("label2id") is not None:
        _refuse_other_numbers(labels, config["label2id"], where)
    for field, key, value in (
        ("clip_len", "num_frames", frames),
        ("side", "image_size", side),
        ("classes", "id2label", classes),
    ):
        if type(value) is not int:
            raise UserError(f"{where}: {key} is {value!r}, no whole number")
        found.network[field] = value, f"{key} of {where}"
    found.add(f"num_frames of {where}", clip_len=frames)
    found.add(f"id2label of {where}", classes=classes)


def _number_of(labels: Any, where: str) -> int:
    if not isinstance(labels, dict) or labels.keys() != {str(n) for n in range(len(labels))}:
        raise UserError(f"{where}: id2label does not name the classes 0, 1, 2, ...")
    if others := [label for label in labels.values() if not isinstance(label, str)]:
        raise UserError(f"{where}: id2label: {others[0]!r} is no name of a class")
    return len(labels)


def _refuse_other_numbers(labels: dict[str, str], numbers: Any, where: str) -> None:
    """Raises UserError if label2id, `numbers`, gives a class of id2label another number.

    A label that only one of them has is no contradiction: LABEL_0 may stay in the other.
    """
    if not isinstance(numbers, dict):
        raise UserError(f"{where}: label2id is {numbers!r}, no object of labels and numbers")
    for number, label in labels.items():
        if str(numbers.get(label, number)) != number:
            raise UserError(
                f"{where}: {label!r} is {number} by id2label, but {numbers[label]!r} by label2id; "
                "correct the one that is wrong"
            )


def labels(config: Path) -> list[str] | None:
    """The classes by a config.json's id2label, in the order of their numbers.

    None where there are none, or only the names that Hugging Face makes up, LABEL_0 and so on.
    Raises UserError for numbers that are not 0, 1, 2, ...
    """
    named = _read(config).get("id2label")
    if named is None:
        return None
    ordered = [str(named[str(n)]) for n in range(_number_of(named, str(config)))]
    made_up = all(label == f"LABEL_{n}" for n, label in enumerate(ordered))
    return None if made_up else ordered


def _picture(preprocessor: dict, where: str, found: Stated) -> None:
    for key, value in preprocessor.items():
        if key in NAMES:
            if key != "processor_class" and value not in PROCESSORS:
                raise UserError(f"{where}: {key} {value!r}: implemented is {PROCESSORS[0]}")
        elif key not in READ | BOOKKEEPING:
            raise UserError(f"{where}: {key} is not implemented")
    if not NAMES & preprocessor.keys() - {"processor_class"}:
        raise UserError(f"{where}: image_processor_type is missing; {PROCESSORS[0]} is implemented")
    for key, implemented in STEPS.items():
        _only(preprocessor.get(key, implemented), implemented, key, where)
    if preprocessor.get("resample", BILINEAR) != BILINEAR:
        raise UserError(f"{where}: resample {preprocessor['resample']!r}: only 2, PIL's bilinear")
    factor = preprocessor.get("rescale_factor", 1 / 255)
    if not isinstance(factor, float) or not math.isclose(factor, 1 / 255, rel_tol=1e-9):
        raise UserError(f"{where}: rescale_factor {factor!r} is not implemented, only 1/255")
    crop = preprocessor.get("crop_size")
    if isinstance(crop, dict) and crop.keys() == {"height", "width"}:
        square = crop["height"] == crop["width"]
        crop = crop["height"] if square else crop
    if type(crop) is not int:
        raise UserError(f"{where}: crop_size {crop!r} is no square")
    found.add(
        where,
        source="video",
        preprocessing="huggingface",
        short_side=_shortest_edge(preprocessor.get("size"), where),
        crops="centre",
        side=crop,
        mean=_of_255(preprocessor.get("image_mean"), "image_mean", where),
        std=_of_255(preprocessor.get("image_std"), "image_std", where),
        channels="rgb",
    )


def _shortest_edge(size: Any, where: str) -> int:
    if isinstance(size, dict) and size.keys() == {"shortest_edge"}:
        size = size["shortest_edge"]
    if type(size) is not int:  # older files have the bare number
        raise UserError(f"{where}: size {size!r} is not implemented, only shortest_edge")
    return size


def _of_255(values: Any, key: str, where: str) -> tuple[float, ...]:
    """Of values from 0 to 1, as the file has them, to values from 0 to 255."""
    numbers = isinstance(values, list) and all(type(v) in (int, float) for v in values)
    if not numbers or len(values) != 3:
        raise UserError(f"{where}: {key} is {values!r}, not three numbers")
    if max(map(abs, values)) > 1:
        raise UserError(f"{where}: {key} {values!r} is not of values from 0 to 1")
    return tuple(value * 255 for value in values)


def _only(value: Any, implemented: Any, key: str, where: str) -> None:
    if value != implemented or type(value) is not type(implemented):
        raise UserError(f"{where}: {key} {value!r} is not implemented, only {implemented!r}")
