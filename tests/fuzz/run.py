"""Try mutants, each known by a seed and its number, in processes that may die."""

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from random import Random

from fuzz import sandbox
from fuzz.subjects import SUBJECTS, a_video
from tsf.workers import one_by_one

SECONDS = 60.0  # that a mutant may take; mostly it is some hundredths
ACCEPTED, REFUSED, LOST, FAULT = "accepted", "refused", "lost with its process", "fault"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant."""

    number: int
    subject: str
    kind: str
    text: str = ""  # of a fault


def drawn(seed: int, number: int) -> tuple[Random, str]:
    """A mutant's random generator and its subject, by nothing but the two numbers."""
    rng = Random(f"{seed} {number}")
    (subject,) = rng.choices(list(SUBJECTS), list(SUBJECTS.values()))
    return rng, subject.__name__


def attempt(number: int, seed: int, source: Path, kept: Path) -> Outcome:
    """Run a mutant in this process. source: of seeds.make; kept: where a fault's inputs go."""
    sandbox.prepare()
    rng, name = drawn(seed, number)
    subject = next(function for function in SUBJECTS if function.__name__ == name)
    scratch = Path(tempfile.mkdtemp(prefix="mutant"))
    for folder in ("in", "out"):
        (scratch / folder).mkdir()
    try:
        with sandbox.watched(scratch):
            accepted = subject(rng, source)
    except sandbox.Fault as fault:
        return Outcome(number, name, FAULT, _keep(kept, number, scratch, str(fault)))
    finally:
        shutil.rmtree(scratch)
    return Outcome(number, name, ACCEPTED if accepted else REFUSED)


def _keep(kept: Path, number: int, scratch: Path, text: str) -> str:
    folder = kept / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(scratch / "in", folder, symlinks=True)
    (folder / "fault.txt").write_text(text, encoding="utf-8", errors="backslashreplace")
    return text


def gone(number: int, reason: str, seed: int) -> Outcome:
    """The outcome of a mutant that took its process with it. reason: of `tsf.workers`."""
    name = drawn(seed, number)[1]
    if name == a_video.__name__:  # so it goes in the real steps: one video, with that reason
        return Outcome(number, name, LOST)
    return Outcome(number, name, FAULT, reason)


def tried(
    numbers: Iterator[int], seed: int, source: Path, kept: Path, processes: int
) -> list[Outcome]:
    """The outcomes of the mutants, each process taking the next number that is left."""
    lock = threading.Lock()

    def next_numbers() -> Iterator[int]:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            yield number

    def work(_: int) -> list[Outcome]:
        attempts = partial(attempt, seed=seed, source=source, kept=kept)
        lost = partial(gone, seed=seed)
        return list(one_by_one(attempts, next_numbers(), lost, SECONDS, tries=1))

    with ThreadPoolExecutor(processes) as pool:
        outcomes = chain.from_iterable(pool.map(work, range(processes)))
        return sorted(outcomes, key=lambda outcome: outcome.number)


def until(seconds: float) -> Iterator[int]:
    """0, 1, 2, ... until the time is over."""
    end = time.monotonic() + seconds
    for number in count():
        if time.monotonic() > end:
            return
        yield number


def table(outcomes: list[Outcome]) -> str:
    """A line a subject: how many mutants of each outcome."""
    kinds = (ACCEPTED, REFUSED, LOST, FAULT)
    found = Counter((outcome.subject, outcome.kind) for outcome in outcomes)
    lines = [f"{'':24}" + "".join(f"{kind:>23}" for kind in kinds)]
    for name in [subject.__name__ for subject in SUBJECTS]:
        counts = "".join(f"{found[name, kind]:>23}" for kind in kinds)
        lines.append(f"{name:24}{counts}")
    return "\n".join(lines)
