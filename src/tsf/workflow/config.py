"""Check the configuration against config/schema.json, with messages that help."""

import json
import math
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from tsf.engines.setup import parse_engines, refuse_other_bins
from tsf.errors import UserError
from tsf.model.checkpoints import DIGITS, checkpoint
from tsf.workflow.plan import checkpoint_name, is_made, refuse_braces

# 1.0 is an integer to the schema's standard, but none to Python's functions
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: type(value) is int
    ),
)


def check(config: dict, schema: Path) -> None:
    """Check `config`, and bring engines and values from --config into the schema's form.

    Raises UserError with every fault: its key and the values that are allowed.
    """
    content = json.loads(schema.read_text("utf-8"))
    _refuse_retired(config)
    if isinstance(config.get("engines"), list):  # a name is short for {engine: name}
        config["engines"] = [{"engine": e} if isinstance(e, str) else e for e in config["engines"]]
    try:
        config.update(_typed(config, content))
    except RecursionError:
        raise UserError("config: a value holds itself, or is nested too deeply") from None
    _refuse_odd(config, "config")
    validator = Validator(content)
    faults = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    if faults:
        raise UserError("config: " + "; ".join(map(_explain, faults)))
    setups = parse_engines(config["engines"], config["bin"])
    if any(setup.engine == "ascend" for setup in setups):
        refuse_other_bins(config["ascend"]["onnx"], config["bin"])
    if config["scratch"] is not None and config["keep"] != "nothing":
        raise UserError(
            f"config: scratch is for the temporary .bin files of keep: nothing, but keep is "
            f"{config['keep']}, whose files stay in results; write scratch: null, or keep: nothing"
        )
    model = config["model"]
    if model["checkpoint"] is None and model["config"] not in DIGITS:
        named = "model.config" if model["config"] is None else repr(model["config"])
        raise UserError(
            f"config: model.checkpoint is null, but mmaction2 has no checkpoint for {named}, "
            f"only for {', '.join(DIGITS)}; set model.checkpoint"
        )
    if model["sha256"] is not None and is_made(model["checkpoint"] or ""):
        raise UserError(
            f"config: model.sha256 is of a file of yours or a download, but {model['checkpoint']} "
            "is in results, where the workflow makes it; set model.sha256: null"
        )
    where = checkpoint(model).where
    if "://" in where and checkpoint_name(where) in ("", ".", ".."):
        raise UserError(
            f"config: model.checkpoint {where} names no file; write the URL of the file of weights"
        )
    if "://" in where and checkpoint(model).sha256 is None:
        raise UserError(
            "config: model.checkpoint is a URL, so model.sha256 must be set to check the download; "
            "its first 8 digits are enough, in which the names of mmaction2's files end"
        )


def _refuse_retired(config: dict) -> None:
    """Raises UserError for the keys that `keep` and `recipe` have replaced, with what to write."""
    if "sampler" in config:
        raise UserError(
            "config: sampler is part of the recipe now: in its place write recipe: "
            f"{{sampler: {config['sampler']}}}, or nothing, for that of model.config"
        )
    if "frames" not in config and "keep_bin" not in config:
        return
    frames = config.get("frames", "needed")
    keep_bin = str(config.get("keep_bin", True)).lower() == "true"
    keep = {"all": "all_frames", "none": "bins"}.get(frames, "frames") if keep_bin else "nothing"
    raise UserError(
        f"config: the key keep has replaced frames and keep_bin; write keep: {keep} in their place "
        "(it is one of all_frames, frames, bins, nothing)"
    )


def _refuse_odd(value: Any, key: str) -> None:
    """Raises UserError for a number that is none, and for text that Snakemake would expand."""
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_odd(item, f"{key}.{name}" if key != "config" else f"config: {name}")
    elif isinstance(value, list):
        for item in value:
            _refuse_odd(item, key)
    elif isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{key} is {value}, which is no number to compare with; write a finite one")
    elif isinstance(value, str) and not key.endswith("filename_tmpl"):
        refuse_braces(key, value)


def _typed(value: Any, schema: dict) -> Any:
    """The value in the schema's type: `--config` gives nested values as text, 4 as '4'."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {key: _typed(item, known.get(key, {})) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, schema.get("items", {})) for item in value]
    types = schema.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    if isinstance(value, str) and types and (value == "null" or "string" not in types):
        try:
            read = json.loads(value)
        except ValueError:
            return value
        fits: dict[str, tuple[type, ...]] = {
            "null": (type(None),),
            "boolean": (bool,),
            "integer": (int,),
            "number": (int, float),
        }
        if any(isinstance(read, fits[kind]) for kind in types & set(fits)):
            return read
    return value


def _explain(fault: ValidationError) -> str:
    key = ".".join(map(str, fault.path)) or "the top level"
    known = sorted(fault.schema.get("properties", {}))
    if fault.validator == "additionalProperties":
        unknown = sorted(map(str, set(fault.instance) - set(known)))
        close = get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"its keys are {', '.join(known)}"
        return f"{', '.join(map(repr, unknown))} is not a key of {key}; {hint}"
    if fault.validator == "required":
        return f"{fault.message.split()[0]} is missing in {key}"
    meaning = fault.schema.get("description", "")
    if fault.validator == "enum":
        allowed = ", ".join(map(str, fault.validator_value))
        close = get_close_matches(str(fault.instance), map(str, fault.validator_value), n=1)
        hint = f", did you mean {close[0]!r}?" if close else ""
        return f"{key} is {fault.instance!r}, but must be one of {allowed}{hint}"
    if fault.validator_value == "boolean":
        meaning += " With --config it is True or False."
    fault_text = fault.message.split(repr(fault.instance))[-1].strip()
    return f"{key} is {fault.instance!r}, which {fault_text}. {meaning}"
