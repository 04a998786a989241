"""JSON files of other programs, whole."""

COPIES = {"min": 0.25, "max": 0.5, "mean": 0.3, "median": 0.3, "count": 2}
# ais_bench's summary, with the mark of a stand-in
AIS_BENCH = {
    "filesinfo": {"0": {"infiles": ["a.bin"], "outfiles": ["a_0.txt"]}},
    "args": ["ais_bench"],
    "H2D_latency": COPIES,
    "D2H_latency": COPIES,
    "npu_compute_time_list": [5.0, 6.0],
    "throughput": 181.8,
    "stand_in": "made up",
}
# by the files of a folder, as transformers' save_pretrained writes them
HUGGING_FACE = {
    "config.json": {
        "architectures": ["TimesformerForVideoClassification"],
        "attention_type": "divided_space_time",
        "hidden_act": "gelu",
        "hidden_size": 768,
        "id2label": {"0": "jump", "1": "run"},
        "label2id": {"jump": 0, "run": 1},
        "image_size": 224,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-06,
        "model_type": "timesformer",
        "num_attention_heads": 12,
        "num_channels": 3,
        "num_frames": 8,
        "num_hidden_layers": 12,
        "patch_size": 16,
        "qkv_bias": True,
    },
    "preprocessor_config.json": {
        "crop_size": {"height": 224, "width": 224},
        "do_normalize": True,
        "image_mean": [0.45, 0.45, 0.45],
        "image_processor_type": "VideoMAEImageProcessor",
        "image_std": [0.225, 0.225, 0.225],
        "resample": 2,
        "rescale_factor": 0.00392156862745098,
        "size": {"shortest_edge": 224},
    },
}
