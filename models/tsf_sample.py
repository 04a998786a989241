# The embedded sample's recogniser: mmaction2's TimeSformer, small enough to keep its weights here.
# The input is the full-size model's, (views, 3, 8, 224, 224), made as the guide's; the patches are
# coarser, the layers fewer and narrower, the classes eight.
model = dict(
    type="Recognizer3D",
    backbone=dict(
        type="TimeSformer",
        pretrained=None,
        num_frames=8,
        img_size=224,
        patch_size=32,
        embed_dims=96,
        num_heads=4,
        num_transformer_layers=3,
        in_channels=3,
        dropout_ratio=0.0,
        transformer_layers=None,
        attention_type="divided_space_time",
        norm_cfg=dict(type="LN", eps=1e-6),
    ),
    cls_head=dict(type="TimeSformerHead", num_classes=8, in_channels=96),
    train_cfg=None,
    test_cfg=dict(average_clips="prob"),
)

test_pipeline = [
    dict(type="SampleFrames", clip_len=8, frame_interval=32, num_clips=1, test_mode=True),
    dict(type="RawFrameDecode"),
    dict(type="Resize", scale=(-1, 224)),
    dict(type="ThreeCrop", crop_size=224),
    dict(type="Normalize", mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_bgr=False),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="Collect", keys=["imgs", "label"], meta_keys=[]),
    dict(type="ToTensor", keys=["imgs", "label"]),
]
