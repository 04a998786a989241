"""The recipe of a model: whose value a field takes, and that none is taken in silence."""

import json
import subprocess
import sys
import time

import pytest
from mmaction2_configs import NEW, OLD
from runs import ROOT

from tsf.errors import UserError
from tsf.files import write_json
from tsf.recipe import named
from tsf.recipe.fields import FIELDS, TRAINED
from tsf.recipe.record import Recipe, read_part
from tsf.recipe.resolve import describe, refuse_unfit, resolve, to_file

NAMES = "one of mmaction2-0.x, mmaction2-1.x, facebook-kinetics, facebook-ssv2, huggingface"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def from_config(text, recipe=None, old="", new=""):
    with open("my.py", "w") as file:
        file.write(text.replace(old, new) if old else text)
    return resolve({"config": "my.py", "checkpoint": "x.pth", "run_config": False}, recipe)


def unknown(recipe):
    """Of a checkpoint alone."""
    return resolve({"config": None, "checkpoint": "x.pth", "run_config": False}, recipe)


@pytest.fixture
def huggingface(folder):
    def write(frames=8, side=224, labels=400, mean=0.5):
        path = folder / "hf"
        path.mkdir(exist_ok=True)
        config = {
            "architectures": ["TimesformerForVideoClassification"],
            "num_frames": frames,
            "image_size": side,
            "id2label": {str(n): str(n) for n in range(labels)},
        }
        preprocessor = {
            "image_processor_type": "VideoMAEImageProcessor",
            "size": {"shortest_edge": side},
            "crop_size": {"height": side, "width": side},
            "image_mean": [mean, 0.5, 0.5],
            "image_std": [0.25, 0.25, 0.25],
        }
        (path / "config.json").write_text(json.dumps(config))
        (path / "preprocessor_config.json").write_text(json.dumps(preprocessor))
        return {"config": None, "checkpoint": "hf", "run_config": False}

    return write


def fault_of(*arguments, **others):
    with pytest.raises(UserError) as fault:
        (resolve if isinstance(arguments[0], dict) else from_config)(*arguments, **others)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def fault_of_unknown(recipe):
    with pytest.raises(UserError) as fault:
        unknown(recipe)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_the_samples_config_is_the_guides():
    model = {"config": str(ROOT / "models/tsf_sample.py"), "checkpoint": "x", "run_config": False}
    found, guide = resolve(model, None), named.config_stated(named.CONFIGS[0])
    assert found.recipe.clip.shape == (3, 3, 8, 224, 224)
    assert found.recipe.classes == 8
    flat = resolve({"config": named.CONFIGS[0], "checkpoint": None}, {}).recipe
    assert (found.recipe.clip, found.recipe.fusion) == (flat.clip, flat.fusion)
    assert guide.fields["classes"] == flat.classes == 400


def test_each_field_says_where_it_is_from():
    found = from_config(OLD)
    assert set(found.origin) == set(FIELDS)
    lines = describe(found)
    assert [line.split()[0] for line in lines] == list(FIELDS)
    assert "clip_len 16 (test_pipeline of my.py)" in lines
    assert "mean [123.5, 116.25, 103.5] (test_pipeline of my.py)" in lines


def test_a_field_of_the_user_comes_before_the_configs():
    found = from_config(OLD, {"frame_interval": 2, "fusion": "sum_logits"})
    assert found.recipe.clip.sampling.frame_interval == 2 and found.recipe.fusion == "sum_logits"
    assert "frame_interval 2 (recipe.frame_interval, not 4)" in describe(found)
    plain = from_config(OLD)
    assert plain.recipe.clip.sampling.frame_interval == 4
    assert found.recipe.clip.mean == plain.recipe.clip.mean


def test_a_name_takes_the_place_of_the_configs_pipeline():
    found = from_config(NEW, {"name": "facebook-kinetics"})
    assert found.recipe.clip.preprocessing == "facebook"
    assert found.recipe.clip.mean == (114.75,) * 3
    assert found.origin["mean"] == "recipe.name facebook-kinetics, not my.py"
    # what is the network's stays the network's
    assert found.recipe.clip.shape == (3, 3, 16, 224, 224) and found.recipe.classes == 174
    assert found.origin["clip_len"] == "model.backbone.num_frames of my.py"


def test_with_a_name_a_pipeline_that_is_not_implemented_does_not_matter():
    assert "TenCrop" in fault_of(OLD, None, "ThreeCrop", "TenCrop")
    found = from_config(OLD, {"name": "mmaction2-0.x", "frame_interval": 4}, "ThreeCrop", "TenCrop")
    assert found.recipe.clip.crops == "three"


def test_a_user_may_say_how_views_are_fused_where_the_config_does_not():
    fault = fault_of(OLD, None, "'prob'", "None")
    assert fault.startswith("the recipe has no fusion: model.test_cfg.average_clips of my.py")
    found = from_config(OLD, {"fusion": "mean_logits"}, "'prob'", "None")
    assert found.recipe.fusion == "mean_logits"


def test_mmaction2s_name_alone():
    found = resolve({"config": named.CONFIGS[1], "checkpoint": None}, None)
    assert found.recipe.clip.sampling.sampler == "mmaction2-0.x" and found.recipe.classes == 400
    assert set(found.origin.values()) == {named.CONFIGS[1]}
    newer = resolve({"config": named.CONFIGS[1], "checkpoint": "x"}, {"name": "mmaction2-1.x"})
    assert newer.recipe.clip.source == "video" and newer.recipe.classes == 400


def test_an_unknown_config_is_told_the_names():
    fault = fault_of({"config": "timesformer_divST", "checkpoint": None}, None)
    assert all(name in fault for name in named.CONFIGS)


@pytest.mark.parametrize(
    "text, fault",
    [
        ("", "my.py: model.backbone is None, not TimeSformer"),
        ("model = None", "my.py: model.backbone is None, not TimeSformer"),
        ("model = [1]", "my.py: model is [1], not a dict"),
        ("model = dict(", "my.py, line 1: no Python ('(' was never closed)"),
    ],
)
@pytest.mark.parametrize("recipe", [None, {"name": "facebook-kinetics"}])
def test_a_config_without_a_model_is_one_line(text, fault, recipe):
    assert fault_of(text, recipe) == fault


def test_without_a_pipeline_a_recipe_is_needed():
    fault = fault_of(OLD, None, "test_pipeline", "val_pipeline")
    assert "no recipe: my.py has no test_pipeline" in fault and NAMES in fault
    found = from_config(OLD, {"name": "facebook-kinetics"}, "test_pipeline", "val_pipeline")
    assert found.recipe.clip.shape == (3, 3, 16, 448, 448)
    fault = fault_of(OLD, {"clip_len": 16}, "test_pipeline", "val_pipeline")
    assert fault.startswith("the recipe has no sampler, frame_interval, ") and NAMES in fault


def test_a_checkpoint_of_unknown_origin_needs_a_recipe():
    assert NAMES in fault_of_unknown(None) and NAMES in fault_of_unknown({})
    fault = fault_of_unknown({"name": "facebook-kinetics"})
    assert "no classes: " in fault and "recipe: {classes: ...}" in fault and NAMES not in fault
    found = unknown({"name": "facebook-ssv2", "classes": 174, "clip_len": 64})
    assert found.recipe.clip.shape == (3, 3, 64, 224, 224) and found.recipe.classes == 174
    assert found.origin["channels"] == "recipe.name facebook-ssv2"


def test_a_recipe_may_be_written_out():
    guide = resolve({"config": named.CONFIGS[0], "checkpoint": None}, None)
    stated = named.config_stated(named.CONFIGS[0]).fields
    assert unknown(stated).recipe == guide.recipe
    for field in FIELDS:
        fewer = {name: value for name, value in stated.items() if name != field}
        assert f"the recipe has no {field}: " in fault_of_unknown(fewer)


def test_a_hugging_face_folder_needs_the_frames(huggingface):
    fault = fault_of(huggingface(), None)
    assert "no sampler, frame_interval, num_clips: a Hugging Face folder does not" in fault
    assert "recipe: {name: huggingface}" in fault


def test_a_hugging_face_folder_with_its_name(huggingface):
    found = resolve(huggingface(16, 448, 174), {"name": "huggingface"})
    clip = found.recipe.clip
    assert clip.shape == (1, 3, 16, 448, 448) and clip.preprocessing == "huggingface"
    assert clip.mean == (127.5,) * 3 and clip.std == (63.75,) * 3
    assert (clip.sampling.sampler, clip.sampling.frame_interval) == ("facebook-kinetics", 16)
    assert found.recipe.classes == 174
    assert found.origin["mean"] == "hf/preprocessor_config.json"
    assert found.origin["sampler"] == "recipe.name huggingface"


def test_a_hugging_face_folder_by_facebooks_recipe(huggingface, folder):
    model = huggingface(16, 448, 174)
    found = resolve(model, {"name": "facebook-ssv2"})
    assert found.recipe.clip.shape == (3, 3, 16, 448, 448)
    assert found.recipe.clip.mean == (114.75,) * 3 and found.recipe.classes == 174
    assert found.origin["mean"] == "recipe.name facebook-ssv2, not hf"
    # whose picture it is not
    (folder / "hf/preprocessor_config.json").unlink()
    assert resolve(model, {"name": "facebook-ssv2"}).recipe == found.recipe


def test_a_hugging_face_folder_has_its_own_config(huggingface):
    fault = fault_of(huggingface() | {"config": named.CONFIGS[0]}, None)
    assert "write model: {config: null}" in fault


def test_the_name_huggingface_needs_the_folder():
    assert "Hugging Face folder" in fault_of(OLD, {"name": "huggingface"})
    assert "Hugging Face folder" in fault_of_unknown({"name": "huggingface"})


@pytest.mark.parametrize(
    "recipe, named",
    [
        ({"name": "mmaction"}, "recipe.name 'mmaction': known are mmaction2-0.x, "),
        ({"clip_length": 8}, "recipe.clip_length is not known; known are name, sampler, "),
        ({"sampler": "mmaction2-1"}, "did you mean 'mmaction2-1.x'?"),
        ({"sampler": "facebook-ssv2"}, "has frame_interval 0, every other sampler"),
        ({"sampler": "facebook-ssv2", "frame_interval": 0}, "a clip of facebook-ssv2 is the whole"),
        ({"frame_interval": 0}, "frame_interval 0 (recipe.frame_interval, not 4)"),
        ({"frame_interval": -1}, "must be a whole number from 0 on"),
        ({"num_clips": 0}, "num_clips 0 (recipe.num_clips, not 5): must be a whole number from 1"),
        ({"source": "frames"}, "source frames (recipe.source, not rawframes): known are rawframes"),
        ({"preprocessing": "facebook"}, "raw frames are mmaction2's way; write source: video"),
        ({"preprocessing": "huggingface"}, "huggingface has a centre crop alone"),
        ({"preprocessing": "opencv"}, "known are mmaction2-0.x, mmaction2-1.x, facebook, hugg"),
        ({"crops": "ten"}, "known are three, centre"),
        ({"side": 224}, "three crops must be as high as the picture's short side"),
        ({"short_side": 224}, "a crop is larger than the picture"),
        ({"side": 224, "short_side": 224}, "the network's side is 448 (model.backbone.img_size of"),
        ({"clip_len": 8}, "the network's clip_len is 16 (model.backbone.num_frames of my.py)"),
        ({"classes": 400}, "classes 400 (recipe.classes, not 174): the network's classes is 174"),
        ({"mean": [1, 2]}, "three numbers are needed"),
        ({"mean": [1, 2, float("nan")]}, "three numbers are needed"),
        ({"mean": [1, 2, "3"]}, "three numbers are needed"),
        ({"std": [1, 2, 0]}, "must be above 0"),
        ({"std": [1, 2, float("inf")]}, "three numbers are needed"),
        ({"mean": [0.45] * 3, "std": [0.225] * 3}, "must be for 0 to 255"),
        ({"mean": [0.45] * 3, "std": [1] * 3}, "must be for 0 to 255"),
        ({"mean": [127.5] * 3, "std": [0.5] * 3}, "must be for 0 to 255"),
        ({"mean": [10**400, 1, 1]}, "three numbers are needed"),
        ({"channels": "RGB"}, "known are rgb, bgr"),
        ({"fusion": "mean"}, "known are mean_softmax, mean_logits, sum_logits"),
    ],
)
def test_a_recipe_that_is_none_is_refused(recipe, named):
    assert named in fault_of(OLD, recipe)


@pytest.mark.parametrize("keep", ["all_frames", "frames"])
def test_there_are_no_raw_frames_of_a_video(keep):
    with pytest.raises(
        UserError, match=r"source video \(test_pipeline of my.py\); write keep: bin"
    ):
        refuse_unfit(from_config(NEW), keep, "float32")
    refuse_unfit(from_config(OLD), keep, "uint8")


@pytest.mark.parametrize("keep", ["bins", "nothing"])
def test_a_video_goes_with_no_raw_frames(keep):
    refuse_unfit(from_config(NEW), keep, "uint8")


def test_facebooks_pictures_are_floats():
    found = from_config(NEW, {"name": "facebook-kinetics"})
    refuse_unfit(found, "bins", "float32")
    with pytest.raises(UserError, match="write bin: float32"):
        refuse_unfit(found, "bins", "uint8")


def test_the_file_is_a_recipe_and_its_origin(tmp_path):
    found = from_config(OLD)
    write_json(tmp_path / "recipe.json", to_file(found))
    assert read_part(str(tmp_path / "recipe.json"), Recipe) == found.recipe
    assert to_file(found)["origin"] == found.origin


def test_the_exports_depend_on_the_network_alone(huggingface):
    def network(found):
        return found.digest, found.settings

    for config, average in ((OLD, "'prob'"), (NEW, "'score'")):
        first = network(from_config(config))
        assert network(from_config(config + "\n# a comment\noptimizer = dict(lr=1)")) == first
        assert network(from_config(config, {"frame_interval": 2})) == first
        other = "'score'" if average == "'prob'" else "'prob'"
        for old, new in (
            ("clip_len=16, frame_interval=4", "clip_len=16, frame_interval=8"),
            ("123.5", "123"),
            (f"average_clips={average}", f"average_clips={other}"),
        ):
            assert network(from_config(config, None, old, new)) == first  # fmt: skip
        other = from_config(config, None, "num_frames=16", "num_frames=16, num_heads=6")
        assert network(other) != first
    hf = network(resolve(huggingface(), {"name": "huggingface"}))
    assert network(resolve(huggingface(labels=174), {"name": "huggingface"})) != hf
    assert network(resolve(huggingface(mean=0.4), {"name": "huggingface"})) == hf
    by_name = [resolve({"config": name, "checkpoint": None}, None) for name in named.CONFIGS]
    assert len({hf, *map(network, by_name)}) == 4


def test_the_exports_depend_on_what_the_user_chose(huggingface, folder):
    """And not on the place of a file."""
    assert set(from_config(OLD).keys.values()) == {"model.config"}
    moved = folder / "elsewhere, by the way"
    moved.mkdir()
    (moved / "my.py").write_text(OLD)
    model = {"config": str(moved / "my.py"), "checkpoint": "y.pth", "run_config": False}
    for recipe in (None, {"mean": [1, 2, 3]}, {"name": "mmaction2-1.x", "frame_interval": 9}):
        assert resolve(model, recipe).keys == from_config(OLD, recipe).keys
    found = from_config(OLD, {"name": "mmaction2-1.x", "frame_interval": 9, "num_clips": 2}).keys
    assert found == dict.fromkeys(TRAINED, "recipe.name mmaction2-1.x") | {
        "clip_len": "model.config",
        "frame_interval": "recipe.frame_interval",
    }
    found = resolve(huggingface(), {"name": "huggingface"}).keys
    assert found["mean"] == "model.checkpoint" and found["sampler"] == "recipe.name huggingface"


def test_a_config_is_run_when_that_is_allowed():
    text = "from math import sqrt\n" + OLD.replace("num_clips=5", "num_clips=int(sqrt(25))")
    assert "model.run_config: true" in fault_of(text)
    found = resolve({"config": "my.py", "checkpoint": "x.pth", "run_config": True}, None)
    assert found.recipe == from_config(OLD).recipe


def test_the_command_line(folder):
    from_config(OLD)
    command = [sys.executable, "-m", "tsf.recipe.resolve", "--config", "my.py"]
    command += ["--recipe", '{"frame_interval": 2}', "--output", "recipe.json"]
    environment = {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "frame_interval 2 (recipe.frame_interval, not 4)" in done.stdout.splitlines()
    assert read_part("recipe.json", Recipe).clip.sampling.frame_interval == 2
    failed = subprocess.run(
        [*command, "--recipe", '{"crops": "ten"}'], env=environment, capture_output=True, text=True
    )
    assert failed.returncode == 1 and failed.stderr.startswith("error: crops ten ")


def test_it_takes_milliseconds():
    start = time.perf_counter()
    for _ in range(10):
        from_config(OLD)
    assert time.perf_counter() - start < 1
