"""The guide's recipe, from which tests make others with `dataclasses.replace`."""

from tsf.recipe.record import ClipRecipe, Sampling

GUIDE = ClipRecipe(
    sampling=Sampling("mmaction2-0.x", clip_len=8, frame_interval=32, num_clips=1),
    source="rawframes",
    preprocessing="mmaction2-0.x",
    short_side=224,
    crops="three",
    side=224,
    mean=(127.5, 127.5, 127.5),
    std=(127.5, 127.5, 127.5),
    channels="rgb",
)
