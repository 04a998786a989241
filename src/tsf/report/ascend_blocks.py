"""ascend_blocks.md: the first block and step that differ on the NPU, and all the distances."""

from tsf import errors
from tsf.markdown import table
from tsf.report.render import render


def cell(value: float | None, form: str) -> str:
    return "not finite" if value is None else format(value, form)


def place(block: int, step: str | None) -> str:
    """block: -1 before the first; step: null for what joins the steps of a block."""
    if step in ("embedding", "head"):
        return step
    return f"block {block}, {'where its steps are joined' if step is None else step}"


def finding(content: dict) -> str:
    limit = f"{content['allowed']:g}, the relative L2 distance that is allowed"
    if content["first"] is None:
        return f"None over the threshold: every state is within {limit}.\n"
    first = place(content["first"]["block"], content["first"]["step"])
    return f"**The first over the threshold: {first}.** All before it is within {limit}.\n"


def state_table(states: list[dict]) -> str:
    rows = [
        [
            "" if state["step"] in ("embedding", "head") else str(state["block"]),
            state["step"],
            cell(state["relative_l2"], ".2g"),
            cell(state["max_abs"], ".2g"),
            cell(state["cosine"], ".9f"),
            "over" if state["over"] else "",
        ]
        for state in states
    ]
    return table(["block", "after", "relative L2", "max abs", "cosine", ""], rows)


def markdown(content: dict) -> str:
    gelu = ", fast Gelu" if content["fast_gelu"] else ""
    return f"""# The states after every block on the NPU

{finding(content)}
{content["device"]}, {content["precision"]}{gelu}, against ONNX Runtime in float32, on one clip:
{content["clip"]}.

{state_table(content["states"])}
The blocks count from 0. "block" is the state behind a block; above it are the outputs of the
block's steps, which in tsf_opt are what a step adds to the state. A step is at fault only in a
block that is over. The head is the logits.
"""


def main() -> None:
    render(__doc__, "--blocks", markdown)


if __name__ == "__main__":
    errors.run(main)
