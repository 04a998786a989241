"""Some hundreds of the mutants that `make fuzz` has without end, always the same ones."""

from pathlib import Path
from random import Random

import pytest

from fuzz import mutate, run, sandbox, seeds
from fuzz.subjects import SUBJECTS

MUTANTS = 200


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds") / "in"
    seeds.make(folder)
    return folder


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.__name__)
def test_what_is_not_damaged_is_accepted(subject, source, tmp_path, monkeypatch):
    for name in ("binary", "text", "value"):
        monkeypatch.setattr(mutate, name, lambda content, rng: content)
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    with sandbox.watched(tmp_path):
        assert subject(Random(0), source)


def test_no_mutant_is_a_fault(source, tmp_path):
    outcomes = run.tried(iter(range(MUTANTS)), 0, source, tmp_path, processes=1)
    assert len(outcomes) == MUTANTS
    faults = [outcome for outcome in outcomes if outcome.kind == run.FAULT]
    assert not faults, "\n\n".join(f"{fault.number} {fault.text}" for fault in faults)
    assert {outcome.subject for outcome in outcomes} == {s.__name__ for s in SUBJECTS}


def test_a_number_is_always_the_same_mutant():
    (first, name), (second, same_name) = run.drawn(7, 123), run.drawn(7, 123)
    assert name == same_name and first.random() == second.random()


# ---- the faults that are looked for are seen ----


def several_lines():
    raise SystemExit("error: one\nerror: two")


def other_ending():
    raise SystemExit(3)


def traceback():
    raise KeyError("model")


def a_file_outside():
    Path("beside").write_text("x")


def a_file_moved_out():
    Path("out/a").write_text("x")
    Path("out/a").rename("b")


def a_file_left():
    Path("tmp/x").write_text("x")


@pytest.mark.parametrize(
    "main",
    [several_lines, other_ending, traceback, a_file_outside, a_file_moved_out, a_file_left],
    ids=lambda main: main.__name__,
)
def test_a_fault_is_seen(main, tmp_path):
    sandbox.watch()
    (tmp_path / "out").mkdir()
    with pytest.raises(sandbox.Fault), sandbox.watched(tmp_path):
        sandbox.ends_well(main)
