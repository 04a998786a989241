"""The packages that predict.py needs, at the versions that the workflow itself runs with."""

import re
from collections.abc import Iterable

from tsf.errors import UserError

# predict.py reads videos and computes with these
OWN = ("numpy", "opencv-python-headless")


def closure(locks: str, wanted: Iterable[str]) -> list[str]:
    """The lines of a requirements file: the wanted packages and all that they need.

    locks: the text of envs/*.lock, where `# via` names the packages that need one. Raises UserError
    if a wanted one is not in it.
    """
    pins, needed_by = {}, {}
    for text in re.findall(r"^[a-z0-9].*\n(?:[ ].*\n)*", locks, re.MULTILINE):
        name, _, _ = text.partition("==")
        pins[name] = text.splitlines()[0].rstrip(" \\")
        _, _, via = text.partition("# via")
        needed_by[name] = set(re.findall(r"[\w.-]+", via))
    found = set(wanted)
    if unknown := sorted(found - pins.keys()):
        raise UserError(f"the locks have no {', '.join(unknown)}")
    while more := {name for name in pins.keys() - found if needed_by[name] & found}:
        found |= more
    return [pins[name] for name in pins if name in found]


def listed(yaml: str, wanted: Iterable[str]) -> list[str]:
    """The pins of the wanted packages in a conda environment's text, envs/ascend.yaml.

    Raises UserError if one is not in it.
    """
    pins = {name: f"{name}=={v}" for name, v in re.findall(r"^ +- ([\w-]+)==(\S+)$", yaml, re.M)}
    if unknown := sorted(set(wanted) - pins.keys()):
        raise UserError(f"the environment has no {', '.join(unknown)}")
    return [pins[name] for name in wanted]
