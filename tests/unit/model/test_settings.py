"""Settings of mmaction2 and of Hugging Face: what is known is read, the rest refused."""

import copy

import pytest
from refusals import refusal
from timesformers import SMALL, config_json

from tsf.model.architecture import Architecture
from tsf.model.recogniser import recogniser_settings
from tsf.model.settings import from_hugging_face, from_mmaction2

BASE = Architecture("divided_space_time", 8, 224, 16, 768, 12, 12, 400)
# configs/recognition/timesformer of mmaction2 1.2.0, merged
RELEASE_1 = {
    "type": "Recognizer3D",
    "backbone": {
        "type": "TimeSformer",
        "pretrained": "https://example.org/vit.pth",
        "num_frames": 8,
        "img_size": 224,
        "patch_size": 16,
        "embed_dims": 768,
        "in_channels": 3,
        "dropout_ratio": 0.0,
        "transformer_layers": None,
        "attention_type": "divided_space_time",
        "norm_cfg": {"type": "LN", "eps": 1e-06},
    },
    "cls_head": {
        "type": "TimeSformerHead",
        "num_classes": 400,
        "in_channels": 768,
        "average_clips": "prob",
    },
    "data_preprocessor": {
        "type": "ActionDataPreprocessor",
        "mean": [127.5, 127.5, 127.5],
        "std": [127.5, 127.5, 127.5],
        "format_shape": "NCTHW",
    },
}


def changed(part, **changes):
    settings = copy.deepcopy(RELEASE_1)
    (settings[part] if part else settings).update(changes)
    return settings


def test_what_is_built_says_what_it_was_built_from():
    assert from_mmaction2(recogniser_settings(SMALL), "x") == SMALL


@pytest.mark.parametrize(
    "settings",
    [
        RELEASE_1,
        changed("", type="mmaction.Recognizer3D"),
        changed("backbone", type="mmaction.TimeSformer", img_size=(224, 224), dropout_ratio=0.1),
        changed("cls_head", type="mmaction.TimeSformerHead", average_clips=None),
        changed("", train_cfg=None, test_cfg={"average_clips": "score"}),
        changed("backbone", norm_cfg={"type": "LN", "eps": 1e-6, "requires_grad": True}),
    ],
)
def test_a_release_1_model_is_read(settings):
    assert from_mmaction2(settings, "x") == BASE


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (changed("", type="Recognizer2D"), "'Recognizer2D'"),
        (changed("", neck={"type": "TPN"}), "model has settings that this workflow does not know"),
        (changed("", backbone=None), "model has no backbone"),
        (changed("backbone", type="VisionTransformer"), "'VisionTransformer'"),
        (changed("backbone", num_frame=8), "backbone has settings"),
        (changed("backbone", transformer_layers={"type": "X"}), "transformer_layers"),
        (changed("backbone", in_channels=1), "backbone.in_channels is 1, and has to be 3"),
        (changed("backbone", norm_cfg={"type": "BN"}), "norm_cfg.type is 'BN'"),
        (changed("backbone", norm_cfg={"type": "LN"}), "norm_cfg.eps is 1e-05"),
        (changed("backbone", norm_cfg="LN"), "norm_cfg is 'LN'"),
        (changed("backbone", attention_type="axial"), "'axial'"),
        (changed("backbone", img_size=(224, 256)), "img_size is (224, 256)"),
        (changed("backbone", img_size=[[224], {}]), "img_size is [[224], {}]"),
        (changed("backbone", patch_size=(2, 16, 16)), "patch_size is (2, 16, 16)"),
        (changed("backbone", img_size=225), "225 pixels are no multiple of patches of 16"),
        (changed("backbone", num_frames="8"), "num_frames is '8'"),
        (changed("backbone", num_heads=0), "num_heads is 0"),
        (changed("backbone", num_heads=True), "num_heads is True"),
        (changed("cls_head", in_channels=512), "cls_head.in_channels is 512, and has to be 768"),
        (changed("cls_head", num_classes=None), "num_classes is None"),
        (changed("cls_head", temperature=2), "cls_head has settings"),
    ],
)
def test_what_makes_another_function_is_refused(settings, message):
    found = refusal(from_mmaction2, settings, "where.py")
    assert message in found and found.startswith("where.py: ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "videomae"}, "model_type is 'videomae'"),
        ({"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new'"),
        ({"layer_norm_eps": 1e-12}, "layer_norm_eps is 1e-12"),
        ({"qkv_bias": False}, "qkv_bias is False"),
        ({"num_channels": 4}, "num_channels is 4"),
        ({"intermediate_size": 300}, "intermediate_size is 300, and has to be 256"),
    ],
)
def test_another_hugging_face_model_is_refused(changes, message):
    assert message in refusal(from_hugging_face, config_json(SMALL, **changes), "config.json")


def test_what_hugging_face_leaves_out_has_its_defaults():
    assert from_hugging_face(
        {"model_type": "timesformer", "id2label": dict.fromkeys(map(str, range(400)), "x")}, "x"
    ) == BASE  # fmt: skip
