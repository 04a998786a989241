"""Which engines and recipes a bundle can have: its predict.py is small and does not know all."""

from tsf.engines.setup import Setup
from tsf.errors import UserError
from tsf.recipe.record import ClipRecipe


def refusal(setup: Setup, batch: int) -> str | None:
    """Why there is no bundle of the engine; None if there is one. batch: of the engine's model."""
    if setup.engine == "torch":
        return (
            "torch runs mmaction2's model as PyTorch's program, which needs PyTorch; onnxruntime "
            "and openvino run the same function"
        )
    if setup.device != "cpu":
        return f"device {setup.device} needs a package that envs/ does not pin"
    if batch != 1:
        return f"its model takes {batch} videos at a time, and predict.py gives it one"
    return None


def refuse_recipe(recipe: ClipRecipe) -> None:
    """Raises UserError for a recipe that predict.py does not have."""
    for field, value in (
        ("preprocessing", recipe.preprocessing),
        ("sampler", recipe.sampling.sampler),
    ):
        if not value.startswith("mmaction2"):
            raise UserError(
                f"no bundle of {field} {value}: predict.py has those of mmaction2-0.x and "
                "mmaction2-1.x alone"
            )


def bundled(named: str | None, setups: dict[str, Setup], ascend_batch: int) -> list[str]:
    """The names of the engines to choose from: `named`, or all that there can be a bundle of.

    named: bundle.engine of the config. Raises UserError if there is none.
    """
    if named is not None and named not in setups:
        raise UserError(f"bundle.engine is {named!r}, but engines has {', '.join(setups)}")
    wanted = setups if named is None else {named: setups[named]}
    refusals = {
        name: refusal(setup, ascend_batch if setup.engine == "ascend" else setup.batch)
        for name, setup in wanted.items()
    }
    found = [name for name, reason in refusals.items() if reason is None]
    if not found:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refusals.items())
        raise UserError(f"no engine to bundle: {reasons}")
    return found
