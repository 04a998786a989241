"""Where the listed videos are: the config's key `dataset`, and for a list the mmaction2 config."""

from pathlib import Path
from shlex import quote

from tsf.data.listing import Dataset
from tsf.data.sampling import refuse_lost_fps
from tsf.errors import UserError
from tsf.recipe import mmaction2
from tsf.recipe.literal import read_config
from tsf.recipe.resolve import Resolved
from tsf.workflow import plan
from tsf.workflow.fingerprint import listed_videos

ARCHIVE_CACHE = plan.RESULTS / "archives"  # what is where in the archives, by their headers

# the keys of the layout list: null stands for what model.config says, under mmaction2's names
STATED_AS = {
    "list": "ann_file",
    "root": "data_prefix",
    "filename_tmpl": "filename_tmpl",
    "start_index": "start_index",
}


def find_dataset(keys: dict, model: dict, home: Path) -> tuple[Dataset, str]:
    """The dataset, and in words what of it is by the model's config, "" if nothing.

    keys: the config's `dataset`. model: its `model`. home: the Snakefile's folder. Raises
    UserError.
    """
    layout = keys["layout"]
    if keys["index"] is not None and layout != "tar":
        raise UserError(f"config: dataset.index is for layout: tar, not for {layout}")
    if layout != "list":
        for key in STATED_AS:
            if key != "root" and keys[key] is not None:
                raise UserError(f"config: dataset.{key} is for layout: list, not for {layout}")
        if keys["root"] is None:
            raise UserError(f"config: dataset.root is null; layout {layout} needs the folder")
        _refuse_start_index(model)
        if layout != "tar":
            return Dataset(layout, Path(keys["root"])), ""
        if plan.is_made(keys["root"]):
            raise UserError(
                f"config: dataset.root is {keys['root']}, the workflow's own, whose videos are in "
                "no archive; write layout: kinetics"
            )
        index = None if keys["index"] is None else Path(plan.beside_snakefile(keys["index"], home))
        return Dataset(layout, Path(keys["root"]), index=index, cache=ARCHIVE_CACHE), ""
    stated = _stated(model)
    taken = {key: stated[key] for key in STATED_AS if keys[key] is None and key in stated}
    found = {key: keys[key] for key in STATED_AS if keys[key] is not None} | taken
    for key in ("list", "root"):
        if key not in found:
            raise UserError(
                f"config: dataset.{key} is null, and model.config says no {STATED_AS[key]}; set "
                f"dataset.{key}"
            )
        plan.refuse_braces(f"{model['config']}: {STATED_AS[key]}", found[key])
    if plan.is_made(found["root"]):
        raise UserError(
            f"config: dataset.root is {found['root']}, the workflow's own; with layout: list it is "
            "the folder that the list's paths begin in, null for data_prefix of model.config"
        )
    found["list"] = Path(plan.beside_snakefile(found["list"], home))
    found["root"] = Path(found["root"])
    dataset = Dataset(layout, **found)
    _refuse_no_number(dataset)
    _refuse_other_form(dataset, keys, stated.get("type"), model["config"])
    said = ", ".join(f"{STATED_AS[key]} {value!r}" for key, value in taken.items())
    return dataset, f" ({said}, as in {model['config']})" if taken else ""


def _refuse_start_index(model: dict) -> None:
    """Raises UserError for a config that counts from another frame than raw frames made here do."""
    where = model["config"]
    if where is None or not Path(where).is_file():
        return
    start = mmaction2.start_index(read_config(Path(where), model["run_config"]), where)
    if start not in (None, 0, 1):  # 0, of videos, and 1, of raw frames, are mmaction2's own
        raise UserError(
            f"{where}: start_index {start!r} leaves out a video's first frames, which is "
            "implemented for raw frames of layout: list alone"
        )


def _stated(model: dict) -> dict:
    """What the mmaction2 config says of the list that it tests on, by our keys, and its type."""
    where = model["config"]
    if where is None or not Path(where).is_file():
        return {}
    content = read_config(Path(where), model["run_config"])
    if not mmaction2.has_video_list(content, where):
        return {}
    found = mmaction2.video_list(content, where)
    stated = {key: getattr(found, name) for key, name in STATED_AS.items()} | {"type": found.type}
    if found.type == "VideoDataset":  # which counts from 0, and has no raw frames
        del stated["filename_tmpl"], stated["start_index"]
    return stated


def _refuse_no_number(dataset: Dataset) -> None:
    """Raises UserError for a filename_tmpl that does not give every frame its own name."""
    try:
        alike = dataset.filename_tmpl.format(1) == dataset.filename_tmpl.format(2)
    except (IndexError, KeyError, ValueError, AttributeError):
        alike = True
    if alike:
        raise UserError(
            f"config: dataset.filename_tmpl {dataset.filename_tmpl!r} has no place for the frame's "
            "number, as in img_{:05}.jpg"
        )


def _refuse_other_form(dataset: Dataset, keys: dict, stated: str | None, where: str) -> None:
    """Raises UserError where the list's lines and what is said of them do not agree.

    stated: the type of dataset of the mmaction2 config `where`.
    """
    if dataset.list is None or not dataset.list.is_file():
        return  # the rules refuse it when it is read
    videos = listed_videos(dataset)[0].rawframes is None
    form = "PATH LABEL, of VideoDataset" if videos else "FOLDER FRAMES LABEL, of RawframeDataset"
    if keys["list"] is None and stated != form.split()[-1]:
        raise UserError(f"{dataset.list} has the form {form}, but in {where} it is of {stated}")
    for key in ("filename_tmpl", "start_index"):
        if videos and keys[key] is not None:
            raise UserError(
                f"config: dataset.{key} is for raw frames, but {dataset.list} has the form {form}"
            )


def refuse_unfit_list(dataset: Dataset, resolved: Resolved, keep: str) -> None:
    """Raises UserError if the listed raw frames do not go with the recipe or the key `keep`."""
    if dataset.list is None or not dataset.list.is_file():
        return
    if listed_videos(dataset)[0].rawframes is None:
        return
    clip, origin = resolved.recipe.clip, resolved.origin
    refuse_lost_fps(clip.sampling, f"{dataset.list} lists such; list the videos")
    if clip.source != "rawframes":
        raise UserError(
            f"{dataset.list} lists raw frames, but the recipe's source is {clip.source} "
            f"({origin['source']}); list the videos, or write recipe: {{source: rawframes}}"
        )
    if keep in ("all_frames", "frames"):
        raise UserError(
            f"keep: {keep} makes raw frames, but {dataset.list} lists raw frames that exist; "
            "write keep: bins, or nothing"
        )


def options(dataset: Dataset) -> str:
    """The dataset as the arguments of `tsf.data.listing.add_dataset_arguments`."""
    # with =, as a path may begin with a dash
    text = f"--layout {dataset.layout} --root={quote(str(dataset.root))}"
    if dataset.time_limit is not None:
        text += f" --video-time-limit {dataset.time_limit:g}"
    if dataset.index is not None:
        text += f" --index={quote(str(dataset.index))}"
    if dataset.cache is not None:
        text += f" --archive-cache={quote(str(dataset.cache))}"
    if dataset.layout != "list":
        return text
    return (
        f"{text} --list={quote(str(dataset.list))} --filename-tmpl={quote(dataset.filename_tmpl)}"
        f" --start-index {dataset.start_index}"
    )
