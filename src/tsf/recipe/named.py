"""The recipes known by name, and mmaction2's own TimeSformer configs, known without their files."""

from tsf.errors import UserError
from tsf.recipe.fields import Stated

# frames a clip to the interval that the checkpoints of that length were published with
MMACTION2_RATES = {8: 32}  # the 8x32 in the configs' names
# TIMESFORMER.md's model zoo: TimeSformer 8x32, HR 16x16, L 96x4
FACEBOOK_RATES = {8: 32, 16: 16, 96: 4}

# mmaction2 0.x, configs/recognition/timesformer, the test_pipeline of each of the three
MMACTION2_0 = {
    "sampler": "mmaction2-0.x",
    "num_clips": 1,
    "source": "rawframes",  # RawFrameDecode
    "preprocessing": "mmaction2-0.x",
    "crops": "three",
    "mean": (127.5, 127.5, 127.5),  # img_norm_cfg
    "std": (127.5, 127.5, 127.5),
    "channels": "rgb",  # to_bgr=False
    "fusion": "mean_softmax",  # average_clips='prob'
}
# mmaction2 1.x, the same configs: video in place of raw frames, mean and std in data_preprocessor
MMACTION2_1 = MMACTION2_0 | {
    "sampler": "mmaction2-1.x",
    "source": "video",  # DecordDecode
    "preprocessing": "mmaction2-1.x",
}
# facebookresearch/TimeSformer, configs/Kinetics/*.yaml and its defaults
FACEBOOK_KINETICS = {
    "sampler": "facebook-kinetics",
    "num_clips": 1,  # TEST.NUM_ENSEMBLE_VIEWS
    "source": "video",  # PyAV
    "preprocessing": "facebook",
    "crops": "three",  # TEST.NUM_SPATIAL_CROPS
    "mean": (114.75, 114.75, 114.75),  # DATA.MEAN 0.45 of 0 to 1, times 255
    "std": (57.375, 57.375, 57.375),  # DATA.STD 0.225, times 255
    "channels": "rgb",
    "fusion": "sum_logits",  # DATA.ENSEMBLE_METHOD sum, and the model has no softmax
}
# configs/SSv2/*.yaml: frames are read by OpenCV and stay BGR, and are spread over the whole video
FACEBOOK_SSV2 = FACEBOOK_KINETICS | {
    "sampler": "facebook-ssv2",
    "frame_interval": 0,
    "channels": "bgr",
}
# what a Hugging Face folder leaves open, as Facebook samples; one view, so its logits are it all
HUGGINGFACE = {
    "sampler": "facebook-kinetics",
    "num_clips": 1,
    "fusion": "mean_logits",
}
RECIPES = {
    "mmaction2-0.x": (MMACTION2_0, MMACTION2_RATES),
    "mmaction2-1.x": (MMACTION2_1, MMACTION2_RATES),
    "facebook-kinetics": (FACEBOOK_KINETICS, FACEBOOK_RATES),
    "facebook-ssv2": (FACEBOOK_SSV2, {}),
    "huggingface": (HUGGINGFACE, FACEBOOK_RATES),
}
# of the published base models, if neither the network nor the user says another
CLIP_LEN, SIDE = 8, 224

# mmaction2 0.x's configs: 8 frames of 224 pixels, the 400 classes of Kinetics-400
CONFIGS = tuple(
    f"timesformer_{attention}_8x32x1_15e_kinetics400_rgb"
    for attention in ("divST", "jointST", "spaceOnly")
)


def stated(name: str, files: Stated, chosen: dict, instead: str) -> Stated:
    """The named recipe's fields. Raises UserError.

    files: what the config or folder states; clip_len and side are its network's. chosen: the
    user's fields, which come before. instead: what the name takes the place of, for the origin.
    The frame interval goes with the clip's length: of one that was not published it is left open.
    """
    found = Stated()
    fields, rates = RECIPES[name]
    origin = f"recipe.name {name}{instead}"
    found.add(origin, **fields)
    if name == "huggingface":
        if files.fields.get("preprocessing") != "huggingface":
            raise UserError(
                "recipe.name huggingface takes the picture from the Hugging Face folder that "
                "model.checkpoint is, with model.config null; it is none"
            )
        clip_len = files.fields["clip_len"]
    else:
        clip_len, of_clip = files.network.get("clip_len", (CLIP_LEN, origin))
        side, of_side = files.network.get("side", (SIDE, origin))
        found.add(of_clip, clip_len=clip_len)
        # three crops are as high as the picture
        found.add(
            "recipe.side" if "side" in chosen else of_side, short_side=chosen.get("side", side)
        )
        found.add(of_side, side=side)
    clip_len = chosen.get("clip_len", clip_len)
    if clip_len in tuple(rates):  # it may be a list of the user's, not hashable
        found.add(f"{origin}, for {clip_len} frames", frame_interval=rates[clip_len])
    elif "frame_interval" not in fields:
        found.missing["frame_interval"] = (
            f"{name} has one for clips of {', '.join(map(str, rates))} frames, but "
            f"clip_len is {clip_len}; write recipe: {{frame_interval: ...}}"
        )
    return found


def config_stated(config: str) -> Stated:
    """What one of mmaction2's own CONFIGS states."""
    found = Stated()
    found.add(
        config,
        **MMACTION2_0,
        clip_len=CLIP_LEN,
        frame_interval=MMACTION2_RATES[CLIP_LEN],
        short_side=SIDE,
        side=SIDE,
        classes=400,
    )
    found.network = {name: (found.fields[name], config) for name in ("clip_len", "side", "classes")}
    return found
