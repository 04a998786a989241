"""An mmaction2 config's recipe, of both releases; what is not implemented is refused by name."""

import pytest
from mmaction2_configs import NEW, OLD, OLD_DATA

from tsf.errors import UserError
from tsf.recipe.fields import TRAINED, build
from tsf.recipe.literal import read_config
from tsf.recipe.mmaction2 import VideoList, network, stated, trained, video_list
from tsf.recipe.record import ClipRecipe, Recipe, Sampling

MEAN, STD = (123.5, 116.25, 103.5), (58.5, 57.25, 57.5)


@pytest.fixture
def read(tmp_path):
    """The content of a config's text, in which `old` is replaced by `new`."""

    def read(text, old="", new=""):
        assert text.count(old) == 1 or not old
        path = tmp_path / "my.py"
        path.write_text(text.replace(old, new) if old else text)
        return read_config(path)

    return read


def fault_of(content):
    with pytest.raises(UserError) as fault:
        build(stated(content, "my.py"))
    assert "my.py" in str(fault.value) and "\n" not in str(fault.value)
    return str(fault.value)


def test_release_0(read):
    found = stated(read(OLD), "my.py")
    sampling = Sampling("mmaction2-0.x", 16, 4, 5)
    clip = ClipRecipe(sampling, "rawframes", "mmaction2-0.x", 448, "three", 448, MEAN, STD, "rgb")
    assert build(found) == Recipe(clip, "mean_softmax", 174)
    assert found.origin["frame_interval"] == "test_pipeline of my.py"
    assert found.origin["fusion"] == "model.test_cfg.average_clips of my.py"
    assert found.origin["classes"] == "model.cls_head of my.py"
    assert stated(read(OLD + OLD_DATA), "my.py").fields == found.fields


def test_release_1(read):
    found = stated(read(NEW), "my.py")
    sampling = Sampling("mmaction2-1.x", 16, 4, 5)
    clip = ClipRecipe(sampling, "video", "mmaction2-1.x", 256, "centre", 224, MEAN, STD, "rgb")
    assert build(found) == Recipe(clip, "mean_logits", 174)
    assert found.origin["mean"] == "model.data_preprocessor of my.py"


@pytest.mark.parametrize(
    "text, old, new, field, value",
    [
        (OLD, "frame_interval=4, ", "", "frame_interval", 1),  # mmaction2's default
        (OLD, "num_clips=5, ", "", "num_clips", 1),
        (OLD, "to_bgr=False", "to_bgr=True", "channels", "bgr"),
        (OLD, ", to_bgr=False", "", "channels", "rgb"),
        (OLD, "'prob'", "'score'", "fusion", "mean_logits"),
        (OLD, "scale=(-1, 448)", "scale=(448, -1)", "short_side", 448),
        (OLD, "crop_size=448", "crop_size=(448, 448)", "side", 448),
        (OLD, "ThreeCrop", "CenterCrop", "crops", "centre"),
        (OLD, "    dict(type='ToTensor', keys=['imgs', 'label'])", "", "clip_len", 16),
        (OLD, "average_clips='prob'", "average_clips='prob', max_testing_views=2", "clip_len", 16),
        (NEW, "format_shape='NCTHW'))", "format_shape='NCTHW', to_rgb=True))", "channels", "bgr"),
        (NEW, "CenterCrop', crop_size=224", "CenterCrop', crop_size=192", "side", 192),
    ],
)
def test_a_value_is_the_configs(read, text, old, new, field, value):
    assert stated(read(text, old, new), "my.py").fields[field] == value


@pytest.mark.parametrize("library", ["OpenCV", "Decord", "PyAV"])
@pytest.mark.parametrize("text", [OLD, NEW])
def test_a_video_is_the_source(read, text, library):
    sample = "    dict(type='SampleFrames'"
    if text is OLD:
        text = text.replace(sample, f"    dict(type='{library}Init'),\n{sample}")
        text = text.replace("RawFrameDecode", f"{library}Decode")
    else:
        text = text.replace("DecordInit", f"{library}Init")
        text = text.replace("DecordDecode", f"{library}Decode")
    assert stated(read(text), "my.py").fields["source"] == "video"


@pytest.mark.parametrize(
    "old, new, named",
    [
        # transforms
        ("ThreeCrop", "TenCrop", "TenCrop is not implemented"),
        ("ThreeCrop", "RandomCrop", "RandomCrop is not implemented"),
        ("    dict(type='Resize'", "    dict(type='Flip'),\n    dict(type='Resize'", "Flip is not"),
        ("RawFrameDecode", "UntrimmedSampleFrames", "UntrimmedSampleFrames is not implemented"),
        ("dict(type='RawFrameDecode')", "dict()", "no list of transforms"),
        ("dict(type='RawFrameDecode')", "3", "no list of transforms"),
        ("dict(type='RawFrameDecode')", "dict(type=3)", "no list of transforms"),
        # their order, and that each is there
        ("ThreeCrop', crop_size", "Resize', scale", "Resize after Resize is not implemented"),
        ("    dict(type='ThreeCrop', crop_size=448),\n", "", "has no ThreeCrop or CenterCrop"),
        ("    dict(type='Resize', scale=(-1, 448)),\n", "", "has no Resize"),
        ("    dict(type='Normalize', **norm),\n", "", "has no Normalize"),
        ("    dict(type='FormatShape', input_format='NCTHW'),\n", "", "has no FormatShape"),
        ("    dict(type='RawFrameDecode'),\n", "", "has no RawFrameDecode, "),
        ("RawFrameDecode", "DecordDecode", "DecordDecode needs DecordInit before SampleFrames"),
        # SampleFrames
        ("clip_len=16, ", "", "SampleFrames: clip_len is missing"),
        (", test_mode=True", "", "test_mode must be True"),
        ("test_mode=True", "test_mode=False", "test_mode False is not implemented, only True"),
        ("test_mode=True", "test_mode=1", "test_mode 1 is not implemented, only True"),
        ("test_mode", "twice_sample=True, test_mode", "twice_sample True is not implemented"),
        ("test_mode", "temporal_jitter=True, test_mode", "temporal_jitter True is not impl"),
        ("test_mode", "keep_tail_frames=True, test_mode", "keep_tail_frames True is not impl"),
        ("test_mode", "out_of_bound_opt='repeat_last', test_mode", "out_of_bound_opt 'repeat_la"),
        ("test_mode", "target_fps=30, test_mode", "target_fps 30 is not implemented, only None"),
        ("test_mode", "start_index=0, test_mode", "start_index 0 is not implemented"),
        ("test_mode", "other=0, test_mode", "SampleFrames: other is not implemented"),
        ("clip_len=16", "clip_len='16'", "clip_len 16 (test_pipeline of my.py): must be a whole"),
        ("clip_len=16", "clip_len=0", "clip_len 0 (test_pipeline of my.py): must be a whole"),
        ("clip_len=16", "clip_len=8", "the network's clip_len is 16 (model.backbone.num_frames"),
        ("frame_interval=4", "frame_interval=0", "every other sampler needs 1 or more"),
        ("frame_interval=4", "frame_interval=4.0", "frame_interval 4.0 (test_pipeline of my.py)"),
        ("num_clips=5", "num_clips=True", "num_clips True (test_pipeline of my.py)"),
        # decoding
        ("RawFrameDecode'", "RawFrameDecode', decoding_backend='turbojpeg'", "'turbojpeg' is not"),
        ("RawFrameDecode'", "RawFrameDecode', io_backend='petrel'", "io_backend 'petrel' is not"),
        # Resize
        ("scale=(-1, 448)", "scale=(448, 448)", "scale (448, 448) is not implemented"),
        ("scale=(-1, 448)", "scale=(340, 256)", "scale (340, 256) is not implemented"),
        ("scale=(-1, 448)", "scale=0.5", "scale 0.5 is not implemented"),
        ("scale=(-1, 448)", "scale=[-1, 448]", "scale [-1, 448] is not implemented"),
        ("scale=(-1, 448)", "scale=(-1, -1)", "short_side -1 (test_pipeline of my.py): must be"),
        ("scale=(-1, 448)", "size=448", "Resize: size is not implemented"),
        ("448)),", "448), keep_ratio=False),", "keep_ratio False is not implemented, only True"),
        ("448)),", "448), interpolation='area'),", "interpolation 'area' is not implemented"),
        ("448)),", "448), lazy=True),", "lazy True is not implemented"),
        # crops
        ("crop_size=448", "crop_size=224", "three crops must be as high as the picture's short"),
        ("crop_size=448", "crop_size=(448, 224)", "crop_size (448, 224) is no square"),
        ("crop_size=448", "crop_size=[448, 448]", "crop_size [448, 448] is no square"),
        ("'ThreeCrop', crop_size=448", "'CenterCrop', crop_size=449", "crop is larger than the"),
        ("'ThreeCrop', crop_size=448", "'CenterCrop', crop_size=224", "network's side is 448"),
        ("crop_size=448", "", "ThreeCrop: crop_size is missing"),
        # Normalize
        ("**norm", "mean=[1.0, 2.0, 3.0]", "Normalize: std is missing"),
        ("to_bgr=False", "adjust_magnitude=True", "adjust_magnitude True is not implemented"),
        ("to_bgr=False", "to_rgb=False", "Normalize: to_rgb is not implemented"),
        ("[58.5, 57.25, 57.5]", "[58.5, 57.25]", "three numbers are needed"),
        ("[58.5, 57.25, 57.5]", "[58.5, 0, 57.5]", "must be above 0"),
        ("[58.5, 57.25, 57.5]", "[58.5, 1e999, 57.5]", "three numbers are needed"),
        ("[58.5, 57.25, 57.5]", "['58.5', 57.25, 57.5]", "three numbers are needed"),
        ("[58.5, 57.25, 57.5]", "58.5", "three numbers are needed"),
        # the layout
        ("'NCTHW'", "'NCHW'", "input_format 'NCHW' is not implemented, only 'NCTHW'"),
        ("'NCTHW'", "'NCTHW', collapse=True", "collapse True is not implemented"),
        ("input_format='NCTHW'", "", "FormatShape: input_format is missing"),
        ("meta_keys=[]", "nested=True", "Collect: nested is not implemented"),
        # the network
        ("'TimeSformer'", "'SwinTransformer3D'", "model.backbone is SwinTransformer3D, not"),
        ("num_classes=174, ", "", "model.cls_head.num_classes is None, not a whole number"),
        ("img_size=448", "img_size=(448, 224)", "img_size is (448, 224), not a whole number"),
        ("model = dict", "other = dict", "model.backbone is None"),
        ("test_cfg=dict(average_clips='prob')", "test_cfg=3", "test_cfg is 3, not a dict"),
        # fusion
        ("'prob'", "'mean'", "average_clips 'mean': known are 'prob' and 'score'"),
        ("'prob'", "'prob', feature_extraction=True", "feature_extraction True is not impl"),
        ("'prob'", "'prob', other=1", "model.test_cfg: other is not implemented"),
        ("norm = ", "test_cfg = dict(average_clips='prob')\nnorm = ", "is there and in model"),
    ],
)
def test_release_0_refuses_by_name(read, old, new, named):
    assert named in fault_of(read(OLD, old, new))


@pytest.mark.parametrize(
    "old, new, named",
    [
        ("Decode')", "Decode', mode='efficient')", "mode 'efficient' is not implemented, only 'ac"),
        ("DecordInit', **file_client_args", "DecordInit', width=224", "DecordInit: width is not"),
        ("DecordInit", "PyAVInit", "DecordDecode needs DecordInit before SampleFrames, not PyAVIn"),
        ("io_backend='disk'", "io_backend='s3'", "io_backend 's3' is not implemented"),
        ("num_clips=5", "num_clips=5, target_fps=30", "target_fps 30 is not implemented"),
        ("format_shape='NCTHW'", "format_shape='NCHW'", "format_shape 'NCHW' is not implemented"),
        ("mean=[123.5, 116.25, 103.5], ", "", "model.data_preprocessor of my.py: mean is missing"),
        ("std=[58.5, 57.25, 57.5],", "", "model.data_preprocessor of my.py: std is missing"),
        ("'ActionDataPreprocessor'", "'Other'", "type 'Other' is not implemented"),
        ("format_shape=", "to_float32=False, format_shape=", "to_float32 False is not implemented"),
        ("format_shape=", "pad=1, format_shape=", "data_preprocessor of my.py: pad is not"),
        ("data_preprocessor=dict(", "data_preprocessor=None, other=dict(", "type is missing"),
        ("'PackActionInputs'", "'PackActionInputs', collect_keys=('imgs',)", "collect_keys is not"),
        ("    data_pre", "    test_cfg=dict(average_clips='prob'), data_pre",
         "model.test_cfg.average_clips is not read by mmaction2 1.x"),
        ("average_clips='score'", "average_clips='max'", "model.cls_head.average_clips 'max'"),
        ("'VideoDataset',", "'VideoDataset', start_index=1,", "start_index 1 is not implemented"),
        ("'VideoDataset',", "'VideoDataset', modality='Flow',", "modality 'Flow' is not"),
        ("    pipeline=test_pipeline", "    pipeline=[]", "differ; mmaction2 tests with the sec"),
        ("    dict(type='PackActionInputs')", "    dict(type='Collect', keys=[])",
         "Collect is of mmaction2 0.x, test_dataloader of 1.x"),
        ("test_cfg = dict(", "data = dict(test=dict(x=1))\ntest_cfg = dict(",
         "data.test is of mmaction2 0.x, test_dataloader of 1.x"),
    ],
)  # fmt: skip
def test_release_1_refuses_by_name(read, old, new, named):
    assert named in fault_of(read(NEW, old, new))


@pytest.mark.parametrize("text", [OLD, NEW])
@pytest.mark.parametrize("average", ["None", ""])
def test_views_that_are_not_averaged_leave_the_fusion_open(read, text, average):
    written = "average_clips='prob'" if text is OLD else "average_clips='score'"
    found = stated(read(text, written, average and "average_clips=None"), "my.py")
    assert "fusion" not in found.fields
    assert "gives a row of scores for each view" in found.missing["fusion"]


def test_a_config_of_no_release(read):
    text = OLD.replace("Normalize", "X").replace("Collect", "X").replace("ToTensor", "X")
    assert "nothing says which release" in fault_of(read(text))


def test_a_config_without_a_test_pipeline_states_the_network_alone(read):
    found = stated(read(OLD, "test_pipeline", "val_pipeline"), "my.py")
    assert found.fields == {"classes": 174}
    assert {name: number for name, (number, _) in found.network.items()} == {
        "clip_len": 16,
        "side": 448,
        "classes": 174,
    }


def test_an_inherited_pipeline_is_not_mistaken_for_the_own(read):
    """mmaction2 tests with data.test.pipeline, whatever the name test_pipeline is assigned to."""
    text = OLD + OLD_DATA + "test_pipeline = [dict(type='RawFrameDecode')]"
    assert "test_pipeline and data.test.pipeline differ" in fault_of(read(text))
    alone = read(OLD + OLD_DATA)
    del alone["test_pipeline"]
    found = stated(alone, "my.py")
    assert found.origin["clip_len"] == "data.test.pipeline of my.py"


def test_the_list_of_release_0(read):
    expected = VideoList("RawframeDataset", "list.txt", "frames", 1, "img_{:05}.jpg")
    assert video_list(read(OLD + OLD_DATA), "my.py") == expected


def test_the_list_of_release_1(read):
    expected = VideoList("VideoDataset", "list.txt", "videos", 0, "img_{:05}.jpg")
    assert video_list(read(NEW), "my.py") == expected


@pytest.mark.parametrize(
    "old, new, named",
    [
        ("'RawframeDataset'", "'HVUDataset'", "type 'HVUDataset' is not implemented"),
        ("ann_file='list.txt', ", "", "data.test.ann_file is None, not a str"),
        ("data_prefix", "data_root", "data_root is not implemented"),
        ("data_prefix", "multi_class=True, data_prefix", "multi_class True is not implemented"),
        ("data_prefix", "with_offset=True, data_prefix", "with_offset True is not implemented"),
        ("data_prefix", "modality='Flow', data_prefix", "modality 'Flow' is not implemented"),
        ("data_prefix", "start_index='0', data_prefix", "start_index is '0', not a int"),
        ("data_prefix", "filename_tmpl=5, data_prefix", "filename_tmpl is 5, not a str"),
        ("test=dict", "val=dict", "neither data.test nor test_dataloader.dataset is there"),
    ],
)
def test_a_list_that_is_not_implemented(read, old, new, named):
    content = read(OLD + OLD_DATA.replace(old, new))
    with pytest.raises(UserError) as fault:
        video_list(content, "my.py")
    assert named in str(fault.value)


@pytest.mark.parametrize(
    "old, new, named",
    [
        ("Recognizer3D", "Recognizer2D", "model is Recognizer2D, not Recognizer3D"),
        ("TimeSformerHead", "I3DHead", "model.cls_head is I3DHead, not TimeSformerHead"),
    ],
)
def test_another_model_is_refused(old, new, named):
    config = {
        "model": {
            "type": "Recognizer3D",
            "backbone": {"type": "TimeSformer", "num_frames": 8, "img_size": 224},
            "cls_head": {"type": "TimeSformerHead", "num_classes": 4},
        }
    }
    network(config, "my.py")
    part = config["model"] if old == "Recognizer3D" else config["model"]["cls_head"]
    part["type"] = f"mmaction.{old}"
    network(config, "my.py")
    part["type"] = new
    with pytest.raises(UserError, match=named):
        network(config, "my.py")


# ---- what a checkpoint's own config was trained for ----


@pytest.mark.parametrize("text", [OLD, NEW])
def test_the_input_is_that_of_the_test(read, text):
    of_test = stated(read(text), "my.py")
    found = trained(read(text), "my.py")
    assert not found.missing
    for field in TRAINED:
        assert found.fields[field] == of_test.fields[field]
        assert found.origin[field] == of_test.origin[field]


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (OLD, "'ThreeCrop', crop_size=448", "'TenCrop', crop_size=256"),
        (OLD, "dict(type='RawFrameDecode')", "dict(type='Mine', io_backend='petrel')"),
        (NEW, "io_backend='disk'", "io_backend='petrel'"),
        (NEW, "dict(type='CenterCrop', crop_size=224),", ""),
        (NEW, "scale=(-1, 256)", "scale=(340, 256), keep_ratio=False"),
        (OLD, "num_clips=5, test_mode=True", "num_clips=5"),
        (NEW, "test_mode=True),", "test_mode=False, keep_tail_frames=True),"),
        (NEW, "test_mode=True),", "test_mode=True, out_of_bound_opt='repeat_last'),"),
        (OLD, "num_clips=5", "num_clips=5, mine=1"),
    ],
)
def test_how_else_it_tests_does_not_matter(read, text, old, new):
    with pytest.raises(UserError):
        stated(read(text, old, new), "my.py")
    assert trained(read(text, old, new), "my.py") == trained(read(text), "my.py")


FRAMES, COLOURS = {"sampler", "clip_len", "frame_interval"}, {"mean", "std", "channels"}


@pytest.mark.parametrize(
    ("text", "old", "new", "fields", "named"),
    [
        (OLD, "SampleFrames", "DenseSampleFrames", FRAMES, "has no SampleFrames"),
        (NEW, "num_clips=5", "target_fps=15", {"frame_interval"}, "target_fps 15 makes"),
        (OLD, "'Normalize', **norm", "'GPUNormalize', **norm", COLOURS, "has no Normalize"),
        (OLD, "std=[58.5, 57.25, 57.5], ", "", COLOURS, "std is missing"),
        (NEW, "clip_len=16, ", "", {"clip_len"}, "clip_len is missing"),
        (NEW, "SampleFrames", "mmdet.SampleFrames", FRAMES, "has no SampleFrames"),
        (NEW, "format_shape='NCTHW'", "format_shape='NCHW'", COLOURS, "format_shape 'NCHW'"),
    ],
)
def test_what_it_does_not_tell_is_left_open_with_the_reason(read, text, old, new, fields, named):
    found = trained(read(text, old, new), "my.py")
    assert found.missing.keys() == fields and not fields & found.fields.keys()
    assert all(named in reason and "my.py" in reason for reason in found.missing.values())
    assert set(TRAINED) - fields <= found.fields.keys()


def test_the_pipeline_of_the_dataset_is_the_one_that_is_tested_with(read):
    """As in a config that inherits one of the two, which `stated` refuses."""
    content = read(OLD + OLD_DATA)
    other = content["test_pipeline"][0] | {"frame_interval": 7}
    content["test_pipeline"] = [other, *content["test_pipeline"][1:]]
    found = trained(content, "my.py")
    assert found.fields == trained(read(OLD), "my.py").fields
    assert found.origin["frame_interval"] == "data.test.pipeline of my.py"


@pytest.mark.parametrize("scope", ["mmaction.", "mmaction.datasets.transforms."])
def test_the_scope_of_release_1_is_no_other_transform(read, scope):
    text = NEW
    for name in ("SampleFrames", "PackActionInputs", "ActionDataPreprocessor", "Resize"):
        text = text.replace(f"'{name}'", f"'{scope}{name}'")
    assert text.count(scope) == 4
    for of in (stated, trained):
        assert of(read(text), "my.py") == of(read(NEW), "my.py")
    with pytest.raises(UserError, match=r"the transform mmdet\.Resize is not implemented"):
        stated(read(NEW, "'Resize'", "'mmdet.Resize'"), "my.py")


def test_without_a_pipeline_or_of_no_release_nothing_is_told(read):
    content = read(OLD)
    del content["test_pipeline"]
    with pytest.raises(UserError, match="has no test_pipeline"):
        trained(content, "my.py")
    content = read(OLD)
    content["test_pipeline"] = content["test_pipeline"][:1]
    with pytest.raises(UserError, match="nothing says which release"):
        trained(content, "my.py")
