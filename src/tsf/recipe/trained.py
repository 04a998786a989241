"""The recipe that a checkpoint is run by, against the config that it was trained by and holds."""

import math
from pathlib import Path
from typing import Any

from tsf.errors import UserError
from tsf.recipe.fields import TRAINED, Stated, check, is_of_0_to_1, shown
from tsf.recipe.record import ClipRecipe


def compare(
    recipe: ClipRecipe, keys: dict[str, str], own: Stated, checkpoint: Path | str
) -> list[str]:
    """Notes on what was not compared, or is another value by the user's own choice.

    keys: where each value of the recipe is from, as `origin` in recipe.json or as Resolved.keys; a
    field that is from recipe.<field> is the user's choice. own: what the checkpoint's config
    states of TRAINED. Raises UserError for any other difference: the input would be another one
    than the model was trained for.
    """
    notes = [f"not compared: {reason}" for reason in dict.fromkeys(own.missing.values())]
    sampling = recipe.sampling
    run: dict[str, Any] = {
        "sampler": sampling.sampler,
        "clip_len": sampling.clip_len,
        "frame_interval": sampling.frame_interval,
        "mean": recipe.mean,
        "std": recipe.std,
        "channels": recipe.channels,
    }
    differing = []
    for field in TRAINED:
        if field in own.fields:
            try:
                check(field, own)
            except UserError as fault:
                notes.append(f"not compared: {fault}")
                continue
            if not _same(field, run[field], own.fields[field]):
                differing.append(field)

    def chosen(field: str) -> bool:
        # an interval of 0 goes with one sampler and with no other
        if field == "frame_interval" and "sampler" in differing:
            field = "sampler"
        return keys.get(field, "").startswith(f"recipe.{field}")

    told = {
        field: f"{field} is {shown(run[field])} ({keys.get(field, '--recipe')}), but "
        f"{shown(own.fields[field])} by {own.origin[field]}"
        for field in differing
    }
    refused = [field for field in differing if not chosen(field)]
    if refused:
        theirs = ", ".join(f"{field}: {shown(own.fields[field])}" for field in refused)
        ours = ", ".join(f"{field}: {shown(run[field])}" for field in refused)
        if is_of_0_to_1(run | {field: own.fields[field] for field in refused}):
            as_trained = "as it was trained, for pixels of 0 to 1, it cannot be run; write"
        else:
            as_trained = f"write recipe: {{{theirs}}} to run it as it was trained, or"
        raise UserError(
            f"{checkpoint}: {'; '.join(told[field] for field in refused)}; {as_trained} recipe: "
            f"{{{ours}}} to go on as it is"
        )
    return [*notes, *(told[field] for field in differing)]


def _same(field: str, run: Any, own: Any) -> bool:
    if field == "sampler":  # which of those with an interval is a test's, and the user's to choose
        return bool((run == "facebook-ssv2") == (own == "facebook-ssv2"))
    if field in ("mean", "std"):
        return all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(run, own, strict=True))
    return bool(run == own)
