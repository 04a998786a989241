"""Config texts of both releases of mmaction2, to be changed by the tests."""

# every value differs from the guide's and from each other, so that none is taken for another
OLD = """
norm = dict(mean=[123.5, 116.25, 103.5], std=[58.5, 57.25, 57.5], to_bgr=False)
model = dict(
    type='Recognizer3D',
    backbone=dict(type='TimeSformer', num_frames=16, img_size=448),
    cls_head=dict(type='TimeSformerHead', num_classes=174, in_channels=768),
    test_cfg=dict(average_clips='prob'))
test_pipeline = [
    dict(type='SampleFrames', clip_len=16, frame_interval=4, num_clips=5, test_mode=True),
    dict(type='RawFrameDecode'),
    dict(type='Resize', scale=(-1, 448)),
    dict(type='ThreeCrop', crop_size=448),
    dict(type='Normalize', **norm),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='Collect', keys=['imgs', 'label'], meta_keys=[]),
    dict(type='ToTensor', keys=['imgs', 'label'])]
"""
OLD_DATA = """
data = dict(workers_per_gpu=2, test=dict(
    type='RawframeDataset', ann_file='list.txt', data_prefix='frames', pipeline=test_pipeline))
"""
NEW = """
model = dict(
    type='Recognizer3D',
    backbone=dict(type='TimeSformer', num_frames=16, img_size=224),
    cls_head=dict(type='TimeSformerHead', num_classes=174, average_clips='score'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', mean=[123.5, 116.25, 103.5], std=[58.5, 57.25, 57.5],
        format_shape='NCTHW'))
file_client_args = dict(io_backend='disk')
test_pipeline = [
    dict(type='DecordInit', **file_client_args),
    dict(type='SampleFrames', clip_len=16, frame_interval=4, num_clips=5, test_mode=True),
    dict(type='DecordDecode'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')]
test_dataloader = dict(batch_size=1, dataset=dict(
    type='VideoDataset', ann_file='list.txt', data_prefix=dict(video='videos'),
    pipeline=test_pipeline, test_mode=True))
test_cfg = dict(type='TestLoop')
"""
