"""What results are told apart by: the parts of a response, people, and formulas that variants have in common."""

from __future__ import annotations

import random

import pytest
from students import Exercise as Pupils
from variants import net

from handcalc.exercises.draw import Draws
from handcalc.exercises.generate import Generator
from handcalc.exercises.numbers import ExerciseTemplate
from handcalc.exercises.people import Person, paired
from handcalc.exercises.results import parts_of
from handcalc.loading.loader import loads
from handcalc.marking.answers import sheet_of
from handcalc.marking.check import Checker
from handcalc.marking.report import as_json
from handcalc.marking.workbook import Workbook

# --- parts ------------------------------------------------------------------------------------------------------------


def test_parts_of_a_response() -> None:
    assert parts_of("part 1: 0.35; part 2: ") == {1: "0.35", 2: ""}
    assert parts_of("Partie 1 : 0,35; Partie 2 : 1,5e-4") == {1: "0,35", 2: "1,5e-4"}
    assert parts_of("部件1：0.35; 部件2：7") == {1: "0.35", 2: "7"}
    assert parts_of("part 1: 0.1; part 2: 9; part 2: 0.2; part 3: x") == {1: "0.1", 2: "9; part 2: 0.2", 3: "x"}
    assert parts_of("part 1: 0.1; part 3: 9; part 2: 4") == {1: "0.1; part 3: 9", 2: "4"}
    assert parts_of("0.35") == parts_of("-") == parts_of("") == parts_of("see 1 part: x") == {}


# --- who is whom ------------------------------------------------------------------------------------------------------


def test_people_are_paired_only_where_it_is_certain() -> None:
    def one(id: str = "", email: str = "", name: str = "", kind: str = "number") -> Person:
        return Person(((kind, id),) if id else (), email, name)

    assert paired([one("7", name="Ann Ng")], [one(name="Ng, Ann"), one("7", name="Zoe")]) == {0: 1}
    assert paired([one(email="A@x.org")], [one("7", "a@X.org")]) == {0: 0}
    assert paired([one(name="Ann Ng")], [one(name="ng ann"), one(name="Ann NG")]) == {}, "two of a name"
    assert paired([one(name="Ann Ng"), one(name="Ng Ann")], [one(name="Ann Ng")]) == {}
    assert paired([one("7", name="Ann Ng")], [one("8", name="Ann Ng")]) == {}, "somebody else"
    assert paired([one("7", name="Ann Ng")], [one("8", name="Ann Ng", kind="login")]) == {0: 0}
    assert paired([one(email="a@x.org", name="Ann Ng")], [one(email="b@x.org", name="Ann Ng")]) == {}
    assert paired([one(name="芳 王")], [one(name="王芳")]) == {0: 0}
    assert paired([one("s1", kind="")], [one("s1")]) == {0: 0}


# --- formulas that variants have in common ---------------------------------------------------------------------------


TEMPLATES = (
    "mazur-2-2-2", "shared-bias-2-3-2", "prachub-bptt", "gomez-lstm", "gru-backward", "attention-backward", "conv-pool-dense",
    "mini-batches", "adam-logistic", "elastic-net-logistic", "softmax-cross-entropy", "minimise-x0-x1", "mazur-updated-weights",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_what_is_known_of_formulas_changes_no_mark(name: str) -> None:
    """A checker that has learnt from that of another variant says the same as one that has not."""
    made = Generator(ExerciseTemplate(name), "a")
    chooser = random.Random(name)
    last: Checker | None = None
    for attempt in range(4):
        numbers = made.template.drawn(Draws("a", "1"), attempt)
        problem = loads(made.template.text_with(numbers), made.template.problem.path, made.template.folder)
        own = Pupils(problem)
        sheets = [answers for _, answers in own.with_mistakes(chooser.sample(own.mistakes("all"), 2))]
        sheets += [found[1] for _ in range(2) if (found := own.with_nonsense(chooser)) is not None]
        checker = Checker(problem, like=last)
        for answers in sheets:
            assert as_json(checker.mark(sheet_of(answers))) == as_json(own.mark(answers))
        if last is not None and name in ("mazur-2-2-2", "prachub-bptt", "gomez-lstm"):  # in others, another number may be 0
            assert checker.desk().book.has_formulas_of(last.desk().book)
        last = checker


def test_formulas_are_told_apart() -> None:
    book = Workbook(loads(net()))
    assert book.has_formulas_of(Workbook(loads(net(w1="0.9", x1="-3", t="0.1"))))
    for change in ({"w1": "0"}, {"hidden": "tanh"}, {"more": "conventions: {bias_update: false}\n"}, {"more": "given: {out.h1: 0.4}\n"}):
        assert not book.has_formulas_of(Workbook(loads(net(**change))))
    assert not book.has_formulas_of(Workbook(loads(net()), 2))
