"""What is damaged, and what must hold then: each is a function of a random generator.

It returns whether the steps accepted the mutant, and raises Fault where they did what none may.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import yaml
from datasets import pack
from runs import ROOT

from fuzz import mutate, seeds
from fuzz.sandbox import Fault, ends_well, step
from tsf.ascend.npu_smi import parse_board, parse_info
from tsf.ascend.summary_file import read_summary
from tsf.data.check_videos import SCORED_ALL_THE_SAME
from tsf.data.decoded import read_decoded
from tsf.data.k400_info import read_info, read_skipped
from tsf.data.listing import read_list
from tsf.digests import SUFFIX
from tsf.model.load import load
from tsf.model.settings import from_hugging_face, from_mmaction2, read_hugging_face
from tsf.recipe.huggingface import labels
from tsf.recipe.literal import read_config
from tsf.recipe.record import ClipRecipe, read_part, to_json
from tsf.recipe.resolve import refuse_unfit, resolve
from tsf.workflow.config import check
from tsf.workflow.dataset import find_dataset, options
from tsf.workflow.plan import beside_snakefile

HERE, OUT = Path("in"), Path("out")


def take(name: str, source: Path) -> Path:
    """A seed as the mutant's own copy."""
    target = HERE / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if (source / name).is_dir():
        shutil.copytree(source / name, target)
    else:
        shutil.copyfile(source / name, target)
    return target


def damage(path: Path, rng: Random, how: Callable[[bytes, Random], bytes]) -> None:
    path.write_bytes(how(path.read_bytes(), rng))


def damage_json(path: Path, rng: Random) -> None:
    """One of its values, or its text."""
    if rng.randrange(3):
        changed = mutate.value(json.loads(path.read_text()), rng)
        path.write_text(json.dumps(changed, indent=2) + "\n")  # as write_json
    else:
        damage(path, rng, mutate.text)


def dataset(*where: object, classes: Path | None = None) -> bool:
    """Every step from a dataset to the account of its videos, which must add up."""
    named = ["--classes", classes] if classes else []
    named += ["--class-count", len(seeds.CLASSES)]
    found = step("data.list_videos", *where, *named, "--output", OUT / "videos.tsv",
                 "--output-classes", OUT / "classes.txt")  # fmt: skip
    checked = step("data.check_videos", *where, *named, "--recipe", to_json(seeds.SAMPLING),
                   "--output", OUT / "check.tsv")  # fmt: skip
    if found != checked:
        raise Fault("the list and the check do not agree on whether the dataset can be read")
    bins = step("data.preprocess", *where, "--recipe", to_json(seeds.CLIP), "--table",
                OUT / "decoded.tsv", "--output", OUT / "bins")  # fmt: skip
    if not found:
        return False
    if not bins:
        raise Fault("listed, but not decoded")
    if not seeds.account(OUT, OUT):  # none of them can be scored
        return False
    listed, scored = read_list(OUT / "videos.tsv"), read_info(OUT / "k400.info")
    skipped = read_skipped(OUT / "skipped.tsv")
    if len(listed) != len(scored) + len(skipped):
        raise Fault(f"{len(listed)} listed, {len(scored)} scored, {len(skipped)} skipped")
    made = {path.stem for path in (OUT / "bins").glob("*.bin")}
    if lost := {video.name for video in scored} - made:
        raise Fault(f"{min(lost)} is scored, but has no .bin file")
    return True


# ---- videos and raw frames ----


def a_video(rng: Random, source: Path) -> bool:
    """Beside a good one, which it must not cost; whether the bad one is scored."""
    clip = rng.choice(sorted((source / "clips").iterdir()))
    take("clips/plain.mp4", source).rename(HERE / "good.mp4")
    bad = HERE / f"bad{clip.suffix}"
    bad.write_bytes(mutate.binary(clip.read_bytes(), rng))
    where = ("--layout", "folder", "--root", HERE)
    if not dataset(*where):
        raise Fault("the good video was lost too")
    good, both = _outcomes("decoded.tsv"), ("data.rawframes", "data.count_frames")
    for module in both:
        table = OUT / f"{module}.tsv"
        folder = ["--rawframes", OUT / "frames"] if module == "data.rawframes" else []
        if not step(module, *where, "--recipe", to_json(seeds.SAMPLING), "--table", table, *folder):
            raise Fault(f"{module} gave up")
        if _outcomes(table.name) != good:
            raise Fault(f"{module} and the .bin files: {_outcomes(table.name)} and {good}")
    _check_agrees(bad.name)
    scored = {video.name for video in read_info(OUT / "k400.info")}
    paths = {video.path: video.name for video in read_list(OUT / "videos.tsv")}
    if paths["good.mp4"] not in scored:
        raise Fault("the good video was not scored")
    _expect_good(OUT / f"bins/{paths['good.mp4']}.bin", source)
    return paths[bad.name] in scored


def _outcomes(table: str) -> dict[str, tuple[int, str]]:
    return {video.name: (video.frames, video.skipped) for video in read_decoded(OUT / table)}


def _check_agrees(path: str) -> None:
    """What the check calls unscorable is not scored."""
    lines = (OUT / "check.tsv").read_text().split("\n")[1:-1]
    found = dict(line.split("\t") for line in lines).get(path)
    skipped = {name for name, _, _ in read_skipped(OUT / "skipped.tsv")}
    names = {video.path: video.name for video in read_list(OUT / "videos.tsv")}
    if found and found not in SCORED_ALL_THE_SAME and names[path] not in skipped:
        raise Fault(f"the check says {found!r}, but it is scored")


def a_raw_frame(rng: Random, source: Path) -> bool:
    """The user's own, which have no digests; whether the video is scored."""
    folder = take("frames", source) / "video"
    damage(rng.choice(sorted(folder.iterdir())), rng, mutate.binary)
    text = take("lists/frames.txt", source)
    return dataset("--layout", "list", "--root", folder.parent, "--list", text)


def our_raw_frame(rng: Random, source: Path) -> bool:
    """One that the workflow made: refused, or else the .bin files are as if it were whole."""
    frames, table = OUT / "frames", OUT / "frames.tsv"
    step("data.rawframes", "--layout", "folder", "--root", source / "one", "--recipe",
         to_json(seeds.SAMPLING), "--rawframes", frames, "--table", table)  # fmt: skip
    video = next(frames.glob("[!.]*"))
    damage(rng.choice(sorted(video.iterdir())), rng, mutate.binary)
    if not step("data.preprocess", "--rawframes", frames, "--table", table,
                "--recipe", to_json(seeds.CLIP), "--output", OUT / "bins"):  # fmt: skip
        return False
    _expect_good(OUT / f"bins/{video.name}.bin", source)
    return True


def _expect_good(path: Path, source: Path) -> None:
    """Raises Fault unless the .bin file is that of the clip plain."""
    expected = next((source / "run/bins").glob("*.bin"))
    if path.read_bytes() != expected.read_bytes():
        raise Fault(f"{path}: another .bin file of the same video")


# ---- lists ----


def a_kinetics_csv(rng: Random, source: Path) -> bool:
    root = take("k400", source)
    damage(root / f"annotations/{rng.choice(('val', 'val', 'train'))}.csv", rng, mutate.text)
    return dataset("--root", root)


def an_archive(rng: Random, source: Path) -> bool:
    """With every video of a dataset in it, or its index."""
    root, index = take("k400", source), HERE / "index.tsv"
    videos = sorted((root / "val").iterdir())
    archive = pack(root / "part_0.tar", {f"deep/{video.name}": video for video in videos})
    if rng.randrange(3):
        damage(archive, rng, mutate.binary)
        return dataset("--layout", "tar", "--root", root)
    step("data.archive_index", "--root", root, "--output", OUT / "index.tsv")
    index.write_bytes(mutate.text((OUT / "index.tsv").read_bytes(), rng))
    return dataset("--layout", "tar", "--root", root, "--index", index)


def an_annotation_file(rng: Random, source: Path) -> bool:
    root = take("clips", source)
    path = take("lists/videos.txt", source)
    damage(path, rng, mutate.text)
    return dataset("--layout", "list", "--root", root, "--list", path)


def a_classes_file(rng: Random, source: Path) -> bool:
    root = take("k400", source)
    path = take(rng.choice(("lists/classes.txt", "lists/config.json")), source)
    (damage_json if path.suffix == ".json" else _damage_text)(path, rng)
    return dataset("--root", root, classes=path)


def _damage_text(path: Path, rng: Random) -> None:
    damage(path, rng, mutate.text)


# ---- a finished run ----


def a_table(rng: Random, source: Path) -> bool:
    """A list or table with a digest: refused, or else nothing changes by it."""
    run = take("run", source)
    path = run / rng.choice(seeds.TABLES)
    _damage_text(path, rng)
    return _same(run, source) if seeds.account(run, OUT) else False


def a_bin(rng: Random, source: Path) -> bool:
    """A .bin file or its digest: refused, or else nothing changes by it."""
    run = take("run", source)
    path = rng.choice(sorted((run / "bins").iterdir()))
    damage(path, rng, mutate.text if path.suffix == SUFFIX else mutate.binary)
    if not seeds.infer(run, OUT / "shard"):
        return False
    for result in (run / "shard").glob("*_0.txt"):
        if (OUT / "shard" / result.name).read_bytes() != result.read_bytes():
            raise Fault(f"{result.name} is another")
    return True


def a_result(rng: Random, source: Path) -> bool:
    """A result of an engine, which has ais_bench's form and so no digest, or the summary."""
    run = take("run", source)
    folder = run / rng.choice(("shard", "result"))
    path = rng.choice(sorted(folder.iterdir()))

    def read() -> bool:
        if folder.name == "shard":
            return seeds.merge(run, OUT / "result")
        return seeds.accuracy(run, OUT)

    if path.suffix == ".json":
        return _refused_if_changed(path, rng, read)
    _damage_text(path, rng)
    return read()


def an_engine(rng: Random, source: Path) -> bool:
    """The model or the engine's description."""
    run = take("run", source)
    if rng.randrange(2):
        damage(run / "model.onnx", rng, mutate.binary)
        return seeds.infer(run, OUT / "shard")
    return _refused_if_changed(run / "engine.json", rng, lambda: seeds.infer(run, OUT / "shard"))


def a_recipe_file(rng: Random, source: Path) -> bool:
    run = take("run", source)
    return _refused_if_changed(run / "recipe.json", rng, lambda: seeds.accuracy(run, OUT))


def _refused_if_changed(path: Path, rng: Random, read: Callable[[], bool]) -> bool:
    """A JSON file of ours, damaged: whether `read`, the step that reads it, accepts it."""
    before = path.read_bytes()
    damage_json(path, rng)
    accepted = read()
    if accepted and path.read_bytes() != before:
        raise Fault(f"{path.name} has changed, and was accepted")
    return accepted


def _same(run: Path, source: Path) -> bool:
    """The account was accepted: so the predictions are the same, or refused."""
    if not (seeds.merge(run, OUT / "result") and seeds.accuracy(run, OUT)):
        return False
    for name in ("predictions.csv", "accuracy.json"):
        if (OUT / name).read_bytes() != (source / "run" / name).read_bytes():
            raise Fault(f"{name} is another")
    return True


# ---- model and configuration ----


def a_checkpoint(rng: Random, source: Path) -> bool:
    path = take(rng.choice(("checkpoints/own.pth", "checkpoints/own.safetensors")), source)
    damage(path, rng, mutate.binary)
    config = str(seeds.OWN / "own.py")
    recipe = resolve({"config": config, "checkpoint": None}, None).recipe
    settings = from_mmaction2(read_config(Path(config))["model"], config)
    return ends_well(lambda: load(path, settings, recipe.clip, recipe.classes))


def a_model_config(rng: Random, source: Path) -> bool:
    path = HERE / "own.py"
    path.write_bytes(mutate.text((seeds.OWN / "own.py").read_bytes(), rng))
    return step("recipe.resolve", "--config", path, "--output", OUT / "recipe.json")


def a_recipe_option(rng: Random, source: Path) -> bool:
    text = json.dumps(mutate.value(json.loads(to_json(seeds.CLIP)), rng))
    if not rng.randrange(3):
        text = mutate.text(text.encode(), rng).decode("utf-8", "replace")
    return ends_well(lambda: read_part(text, ClipRecipe))


def a_hugging_face_folder(rng: Random, source: Path) -> bool:
    folder = take("hugging_face", source)
    damage_json(rng.choice(sorted(folder.iterdir())), rng)
    model = {"config": None, "checkpoint": str(folder), "run_config": False}

    def read() -> None:
        labels(folder / "config.json")
        from_hugging_face(read_hugging_face(folder), "config.json")
        resolve(model, {"name": "huggingface"})

    return ends_well(read)


def a_summary_of_ais_bench(rng: Random, source: Path) -> bool:
    path = take("sumary.json", source)
    damage_json(path, rng)
    return ends_well(lambda: read_summary(path))


def a_config(rng: Random, source: Path) -> bool:
    """config.yaml, as far as it is read before any work; whether YAML reads it is Snakemake's."""
    text = (ROOT / "config.yaml").read_text()
    if rng.randrange(3):
        content = mutate.value(yaml.safe_load(text), rng)
    else:
        content = None
        with suppress(yaml.YAMLError, ValueError):
            content = yaml.safe_load(mutate.text(text.encode(), rng).decode("utf-8", "replace"))
    if not isinstance(content, dict):
        return False
    return ends_well(lambda: _before_any_work(content))


def _before_any_work(config: dict) -> None:
    """As rules/common.smk."""
    check(config, ROOT / "config/schema.json")
    files = {key: config["model"][key] for key in ("config", "checkpoint")}
    found = {key: name and beside_snakefile(name, ROOT) for key, name in files.items()}
    model = config["model"] | found
    resolved = resolve(model, config["recipe"])
    refuse_unfit(resolved, config["keep"], config["bin"])
    options(find_dataset(config["dataset"], model, ROOT)[0])


def an_npu_smi_table(rng: Random, source: Path) -> bool:
    path = rng.choice(sorted((ROOT / "tests/standins/npu_smi").glob("*.txt")))
    text = mutate.text(path.read_bytes(), rng).decode("utf-8", "replace")
    return ends_well(lambda: (parse_info(text), parse_board(text)))


# how often each is taken
SUBJECTS: dict[Callable[[Random, Path], bool], int] = {
    a_video: 6,
    a_raw_frame: 1,
    our_raw_frame: 1,
    a_kinetics_csv: 3,
    an_annotation_file: 2,
    an_archive: 2,
    a_classes_file: 2,
    a_table: 3,
    a_bin: 2,
    a_result: 2,
    an_engine: 2,
    a_recipe_file: 1,
    a_checkpoint: 3,
    a_model_config: 2,
    a_recipe_option: 1,
    a_hugging_face_folder: 1,
    a_summary_of_ais_bench: 1,
    a_config: 3,
    an_npu_smi_table: 1,
}
