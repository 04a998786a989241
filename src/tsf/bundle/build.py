"""Build results/bundle: the model, and what someone needs to use it elsewhere."""

import argparse
import ast
import shutil
from pathlib import Path

from tsf import errors
from tsf.bundle import card, pins
from tsf.bundle.fit import refuse_recipe
from tsf.digests import read_unchanged
from tsf.engines.described import DescribedEngine, read_described, refuse_other_model
from tsf.errors import UserError
from tsf.files import read_json, read_json_of, sha256, whole_folder
from tsf.markdown import escaped
from tsf.recipe.record import Recipe, read_part

PREDICT = Path(__file__).with_name("predict.py")
LOADERS = {
    "onnxruntime": "load_onnxruntime",
    "openvino": "load_openvino",
    "ascend": "load_ais_bench",
}
AIS_BENCH = """\
# ais_bench and aclruntime are two wheels for your Python, and not on the package index:
# https://gitee.com/ascend/tools, ais-bench_workload/tool/ais_bench, names the downloads.
"""


def chosen(engines: dict[str, DescribedEngine], choice: dict | None) -> str:
    """The name of the fastest of the engines that is within the limits of choice.json.

    choice: None where there is one engine, which is not to be compared. Raises UserError.
    """
    if choice is None:
        (name,) = engines
        return name
    if len(choice["cpus"]) > 1:
        raise UserError(
            f"the engines were measured on different machines ({', '.join(choice['cpus'])}), so "
            "none is the fastest: name one as bundle.engine, or give them one kind of node by "
            "cluster.partition, delete results/performance and run again"
        )
    for row in choice["engines"]:  # the fastest first
        if row["name"] in engines and row["within_limits"]:
            return str(row["name"])
    raise UserError(
        f"none of {', '.join(engines)} is within the limits of parity and accuracy; see "
        "results/choice.json, or name one as bundle.engine"
    )


def predict_text(source: str, described: DescribedEngine, files: list[str]) -> str:
    """predict.py for one engine: without the functions that load the others' models.

    source: of tsf.bundle.predict. files: those that it checks, the model first.
    """
    setup = described.setup
    wanted = LOADERS[setup.engine]
    lines = source.splitlines(keepends=True)
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.FunctionDef) and node.name in {*LOADERS.values()} - {wanted}:
            assert node.end_lineno is not None  # of parsed source there is always one
            del lines[node.lineno - 1 : node.end_lineno + 2]  # and the two lines that follow it
    text = "".join(lines)
    hint = "bf16" if setup.precision.endswith("bf16") else "f32"
    for old, new in (
        ('FILES = ["tsf_sim.onnx", "recipe.json", "labels.txt"]', f"FILES = {quoted(files)}"),
        ("= load_onnxruntime(", f"= {wanted}("),
        ('DTYPE = "float32"', f'DTYPE = "{described.takes}"'),
        *([('hint = "f32"', f'hint = "{hint}"')] if setup.engine == "openvino" else []),
    ):
        before, found, after = text.partition(old)
        assert found, f"{PREDICT} has no {old}"
        text = before + new + after
    return text


def quoted(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def requirements(engine: str, locks: str, ascend: str) -> str:
    """The text of requirements.txt. locks, ascend: of the envs/*.lock and of envs/ascend.yaml."""
    if engine == "ascend":
        return "\n".join(pins.listed(ascend, pins.OWN)) + f"\n{AIS_BENCH}"
    return "\n".join(pins.closure(locks, [*pins.OWN, engine])) + "\n"


def labels(classes: str, number: int) -> str:
    """A class a line; its number where the classes have no names, as in predictions.csv."""
    return classes or "".join(f"{n}\n" for n in range(number))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", type=Path, nargs="+", required=True, help="to choose from")
    parser.add_argument("--proofs", type=Path, nargs="+", required=True, help="json, one each")
    parser.add_argument("--choice", type=Path, help="json: the fastest within the limits")
    parser.add_argument("--accuracy", type=Path, required=True, help="json")
    parser.add_argument("--recipe", type=Path, required=True, help="recipe.json")
    parser.add_argument("--classes", type=Path, required=True, help="text, a class a line")
    parser.add_argument("--locks", type=Path, nargs="+", required=True, help="envs/*.lock")
    parser.add_argument("--ascend", type=Path, required=True, help="envs/ascend.yaml")
    parser.add_argument("--dataset", required=True, help="its name")
    parser.add_argument("--model", required=True, help="the name of the model's config")
    parser.add_argument("--checkpoint", required=True, help="the name of the weights' file")
    parser.add_argument("--sha256", help="of the weights' file")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    args = parser.parse_args()

    recipe = read_part(str(args.recipe), Recipe)
    refuse_recipe(recipe.clip)
    engines = {path.stem: read_described(path) for path in args.engines}
    proofs = read_json_of(engines, args.proofs)
    proof_files = dict(zip(engines, args.proofs, strict=True))
    choice = read_json(args.choice) if args.choice else None
    name = chosen(engines, choice)
    described = engines[name]
    refuse_other_model(described)
    models = [described.file.with_name(file) for file in sorted(described.sha256)]
    models.sort(key=lambda path: path != described.file)  # the one that is opened comes first
    accuracy = read_json(args.accuracy)
    rows = {row["name"]: row for row in choice["engines"]} if choice else {}
    facts = card.Facts(
        described,
        recipe,
        accuracy,
        proofs[name],
        rows.get(name),
        name,
        escaped(args.dataset),
        escaped(args.model),
        escaped(args.checkpoint),
        args.sha256,
    )
    with whole_folder(args.output) as folder:
        for model in models:
            shutil.copyfile(model, folder / model.name)
        shutil.copyfile(args.recipe, folder / "recipe.json")
        shutil.copyfile(proof_files[name], folder / "parity.json")
        engine = described.setup.engine
        texts = {
            "labels.txt": labels(read_unchanged(args.classes).decode(), recipe.classes),
            "predict.py": predict_text(
                PREDICT.read_text("utf-8"),
                described,
                [*(model.name for model in models), "recipe.json", "labels.txt"],
            ),
            "requirements.txt": requirements(
                engine,
                "".join(path.read_text("utf-8") for path in args.locks),
                args.ascend.read_text("utf-8"),
            ),
            "README.md": card.english(facts),
            "README.zh-CN.md": card.chinese(facts),
        }
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8")
        files = sorted(folder.iterdir())
        sums = "".join(f"{sha256(path)}  {path.name}\n" for path in files)
        (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
        for path in folder.iterdir():
            path.chmod(0o644)  # ais_bench refuses a model that its group may write
    print(f"{args.output}: {name}, {', '.join(path.name for path in files)}")


if __name__ == "__main__":
    errors.run(main)
