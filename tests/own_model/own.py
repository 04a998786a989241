# A model of the user's own, in the form of mmaction2 0.x: nothing in it is as in the guide.
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_bgr=False)

model = dict(
    type="Recognizer3D",
    backbone=dict(
        type="TimeSformer",
        pretrained=None,
        num_frames=16,
        img_size=112,
        patch_size=16,
        embed_dims=96,
        num_heads=4,
        num_transformer_layers=3,
        in_channels=3,
        dropout_ratio=0.0,
        transformer_layers=None,
        attention_type="divided_space_time",
        norm_cfg=dict(type="LN", eps=1e-6),
    ),
    cls_head=dict(type="TimeSformerHead", num_classes=5, in_channels=96),
    train_cfg=None,
    test_cfg=dict(average_clips="prob"),
)

dataset_type = "RawframeDataset"
test_pipeline = [
    dict(type="SampleFrames", clip_len=16, frame_interval=16, num_clips=1, test_mode=True),
    dict(type="RawFrameDecode"),
    dict(type="Resize", scale=(-1, 112)),
    dict(type="CenterCrop", crop_size=112),
    dict(type="Normalize", **img_norm_cfg),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="Collect", keys=["imgs", "label"], meta_keys=[]),
    dict(type="ToTensor", keys=["imgs", "label"]),
]
data = dict(
    videos_per_gpu=4,
    workers_per_gpu=1,
    test=dict(type=dataset_type, ann_file="", data_prefix="", pipeline=test_pipeline),
)
