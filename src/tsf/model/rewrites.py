"""The savings of each rewrite of the optimised model, by formula and counted in the ONNX models,
and the multiply-adds that the layout for an NPU adds.

The rewrites are those of model.optimised, by the same numbers and letters: T frames, P patches a
frame, D width, H heads; here also N blocks and M hidden units of the MLP. Each saving is what the
rewrite saves where those before it are made, so that the savings add up. The choices of the layout
are those of model.npu, by the same letters: S rows a frame, L rows of a temporal attention.
"""

import argparse
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from tsf import errors
from tsf.errors import UserError
from tsf.files import write_json
from tsf.model import macs
from tsf.model.architecture import Architecture
from tsf.model.load import add_model_arguments, load_model
from tsf.model.npu import items_at_a_time, padded
from tsf.model.onnx_file import read_onnx
from tsf.model.optimised import require_divided
from tsf.recipe.record import ClipRecipe, add_recipe_argument


@dataclass(frozen=True)
class Saving:
    """The savings of one rewrite."""

    number: int
    rewrite: str
    also: str
    macs: int = 0  # multiply-adds a view
    parameters: int = 0
    # a view, that an Add or a Mul no longer reads and writes; None where it depends on the engine
    values: int | None = None
    bin_bytes: int = 0  # of a video's .bin file


@dataclass(frozen=True)
class Cost:
    """The cost of one choice of the layout for an NPU."""

    letter: str
    choice: str
    macs: int = 0  # multiply-adds a view


def plain_macs(shape: Architecture) -> int:
    """Multiply-adds of a view in mmaction2's model.

    The patches, TP rows of channels * patch ** 2 values to D; in every block

    - temporal attention: query, key, value, out_proj and temporal_fc of TP rows, 5 TP D^2, scores
      and weighted means of T rows each, 2 TP T D
    - spatial attention: the same without temporal_fc of T (1 + P) rows, 4 T (1 + P) D^2, scores and
      weighted means of 1 + P rows each, 2 T (1 + P)^2 D
    - MLP: 2 (1 + TP) D M

    and the head, D values to the classes.
    """
    s = shape
    patches, copies = s.frames * s.patches, s.frames * (1 + s.patches)
    temporal = 5 * patches * s.width**2 + 2 * patches * s.frames * s.width
    spatial = 4 * copies * s.width**2 + 2 * copies * (1 + s.patches) * s.width
    mlp = 2 * s.tokens * s.width * s.hidden
    embedding = patches * s.channels * s.patch**2 * s.width
    return embedding + s.blocks * (temporal + spatial + mlp) + s.width * s.classes


def savings(shape: Architecture, views: int) -> list[Saving]:
    """The saving of each rewrite, 1 to 8. views: of a video.

    Multiply-adds a view:

    1. a Linear of TP rows in every block, N TP D^2
    2. in the last block, all rows but the class token's. Query: of T (1 + P) rows one is left, as
       the copies in the frames are the same. Scores, weighted means and out_proj: of 1 + P rows a
       frame one. MLP: of 1 + TP rows one. (T (1 + P) - 1) D^2 + 2 TP (1 + P) D + TP D^2 + 2 TP D M
    3. there, the key and value projections, 2 T (1 + P) D^2, less what replaces them: one row
       through either's weights, 2 D^2, and every head's scores and means at full width, H times
       the 2 T (1 + P) D from before. The mean over frames goes before out_proj: of T rows one.
       (2 T (1 + P) - 2) D^2 - 2 (H - 1) T (1 + P) D + (T - 1) D^2

    Parameters: 1 saves a Linear in every block, 4 the biases of key and value of 2 N attentions, 6
    gamma and beta of 3 N + 1 LayerNorms. 8 turns class token, position, time and bias, 1 + (1 + P)
    + T + 1 rows of D, into one constant of 1 + TP rows, which is more.

    Values: 4 saves two Adds and 5 a Mul of every attention's rows, 6 a Mul and an Add of every
    LayerNorm's. The further savings of 1, 2, 3 and 8 are told in words: how often their values are
    read and written depends on which operations an engine fuses.
    """
    s = shape
    patches, copies = s.frames * s.patches, s.frames * (1 + s.patches)
    square = s.width**2
    token_only = (
        (copies - 1) * square
        + 2 * patches * (1 + s.patches) * s.width
        + patches * square
        + 2 * patches * s.width * s.hidden
    )
    unprojected = (
        (2 * copies - 2) * square - 2 * (s.heads - 1) * copies * s.width + (s.frames - 1) * square
    )
    # rows that the rewrites 2 and 3 leave: the last spatial attention projects no key and value
    projected = s.blocks * patches + (s.blocks - 1) * copies
    queries = projected + 1
    normalised = s.blocks * (patches + copies) + (s.blocks - 1) * s.tokens + 2  # that MLP, the head
    separate, constant = 1 + (1 + s.patches) + s.frames + 1, s.tokens  # rows
    inputs = views * s.channels * s.frames * s.side**2  # values of a video
    return [
        Saving(
            1,
            "temporal attention's out_proj and temporal_fc are one Linear",
            f"{s.blocks} results of {patches:,} rows, written by one and read by the other",
            macs=s.blocks * patches * square,
            parameters=s.blocks * (square + s.width),
        ),
        Saving(
            2,
            "last block: spatial attention and MLP for the class token alone",
            f"its softmax has 1 row a frame and head, not {1 + s.patches}; its Gelu and the "
            f"two LayerNorms around the MLP have 1 row, not {s.tokens:,}",
            macs=token_only,
        ),
        Saving(
            3,
            "there: no key and value projection of the tokens",
            f"keys and values of {copies:,} rows",
            macs=unprojected,
        ),
        Saving(
            4,
            "no key bias, the value bias in the output bias",
            "two Adds an attention",
            parameters=2 * s.blocks * 2 * s.width,
            values=2 * projected * s.width,
        ),
        Saving(
            5,
            "the scale of the scores in the query weights",
            "a Mul an attention",
            values=queries * s.width,
        ),
        Saving(
            6,
            "gamma and beta of every LayerNorm in the Linear behind it",
            "a Mul and an Add a LayerNorm",
            parameters=(3 * s.blocks + 1) * 2 * s.width,
            values=2 * normalised * s.width,
        ),
        Saving(
            7,
            "for uint8 pixels: the normalisation in the patch projection",
            f"a .bin file has {inputs:,} bytes, not {4 * inputs:,}, with tsf_opt_u8.onnx, "
            "which casts them",
            bin_bytes=3 * inputs,
        ),
        Saving(
            8,
            "embeddings and bias are one constant, the tokens stay in one order",
            "Transposes, counted below, and one of two Adds of all tokens",
            parameters=(separate - constant) * s.width,
        ),
    ]


def layout_costs(shape: Architecture) -> list[Cost]:
    """The cost of each choice of the layout for an NPU, a to f, over the optimised model.

    Multiply-adds a view, of TS rows in every block:

    a. of a Linear in the temporal attention TS - TP rows more, in the spatial attention
       TS - T (1 + P), in the MLP, which has one class token and not a copy a frame, TS - 1 - TP;
       scores and weighted means of as many rows more, and in the spatial attention of S keys, not
       1 + P. N (4 (TS - TP) D^2 + 2 (TS - TP) T D) + (N - 1) (4 (TS - T (1 + P)) D^2
       + 2 T (S^2 - (1 + P)^2) D + 2 (TS - 1 - TP) D M) + 2 H (TS - T (1 + P)) D
    e. scores and weighted means between the rows of L / T pairs, 2 N TS (L - T) D
    """
    s = shape
    patches, copies = s.frames * s.patches, s.frames * (1 + s.patches)
    rows = s.frames * padded(1 + s.patches)
    square = s.width**2
    temporal = 4 * (rows - patches) * square + 2 * (rows - patches) * s.frames * s.width
    scores = 2 * s.frames * (padded(1 + s.patches) ** 2 - (1 + s.patches) ** 2) * s.width
    spatial = 4 * (rows - copies) * square + scores
    mlp = 2 * (rows - s.tokens) * s.width * s.hidden
    last = 2 * s.heads * (rows - copies) * s.width
    length = items_at_a_time(s.frames) * s.frames
    return [
        Cost(
            "a",
            f"the {1 + s.patches} rows of a frame are filled up to {padded(1 + s.patches)}, and "
            f"the class token has a row in each of {s.frames} frames, in every Linear",
            s.blocks * temporal + (s.blocks - 1) * (spatial + mlp) + last,
        ),
        Cost("b", "a constant added to the scores keeps the rows that fill up out"),
        Cost("c", "MatMuls of Linears have 2 axes"),
        Cost("d", "MatMuls of attentions have 3 axes"),
        Cost(
            "e",
            f"temporal attention takes {length} rows at a time, of {length // s.frames} pairs of "
            "patch and head",
            2 * s.blocks * rows * (length - s.frames) * s.width,
        ),
        Cost("f", "a convolution cuts out the patches; no Transpose has more than 4 axes"),
    ]


def operators(path: Path) -> Counter[str]:
    """How many nodes of each type a model has, without Constant, which computes nothing."""
    graph = read_onnx(path, weights=False).graph
    return Counter(node.op_type for node in graph.node if node.op_type != "Constant")


def count(
    shape: Architecture, views: int, plain: Path, optimised: Path, npu: Path
) -> dict[str, int | None]:
    """The multiply-adds of a view counted in each model; None where they cannot be counted.

    plain, optimised, npu: ONNX models for one video. Raises UserError if a count is not the
    formula's: plain_macs and, for the optimised model, plain_macs less the sum of the savings, to
    which the costs of the layout add up to that of the model for an NPU.
    """
    before = plain_macs(shape)
    after = before - sum(saving.macs for saving in savings(shape, views))
    laid_out = after + sum(cost.macs for cost in layout_costs(shape))
    counted = {}
    for name, path, a_view in (
        ("plain", plain, before),
        ("optimised", optimised, after),
        ("npu", npu, laid_out),
    ):
        found, expected = macs.macs(path), views * a_view
        if found is not None and found != expected:
            raise UserError(
                f"{path}: has {found:,} multiply-adds a video, but by the checkpoint's shapes the "
                f"{name} model has {expected:,}; make the file again from this checkpoint"
            )
        counted[name] = None if found is None else a_view
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    add_recipe_argument(parser, ClipRecipe)
    parser.add_argument("--plain", type=Path, required=True, help="ONNX, one video a run")
    parser.add_argument("--optimised", type=Path, required=True, help="ONNX, one video a run")
    parser.add_argument("--npu", type=Path, required=True, help="ONNX, one video a run")
    parser.add_argument("--output", type=Path, required=True, help="json to write")
    args = parser.parse_args()

    shape, views = load_model(args).architecture, args.recipe.views
    require_divided(shape)
    found, costs = savings(shape, views), layout_costs(shape)
    models = {"plain": args.plain, "optimised": args.optimised, "npu": args.npu}
    nodes = [operators(path) for path in models.values()]
    content = {
        "models": {name: path.name for name, path in models.items()},
        "views": views,
        "plain_macs": plain_macs(shape),
        "counted": count(shape, views, **models),
        "rewrites": [asdict(saving) for saving in found],
        "total": {
            "macs": sum(saving.macs for saving in found),
            "parameters": sum(saving.parameters for saving in found),
            "values": sum(saving.values or 0 for saving in found),
            "bin_bytes": sum(saving.bin_bytes for saving in found),
        },
        "layout": [asdict(cost) for cost in costs],
        "layout_macs": sum(cost.macs for cost in costs),
        "operators": {
            kind: [of_model[kind] for of_model in nodes] for kind in sorted(set().union(*nodes))
        },
    }
    write_json(args.output, content)


if __name__ == "__main__":
    errors.run(main)
