"""An example of every mistake: a step of a shipped problem, as it is right and as it is with the mistake.

- `examples()` goes through the shipped problems and answers, for every mistake that is a rewrite, the first step it changes.
"""

from __future__ import annotations

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import EvaluationError
from handcalc.loading.loader import load, shipped
from handcalc.marking.definitions import Definitions, Hypothesis, MadeMistake, MistakeForm, MistakenBook
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.workbook import Workbook, on_sheet

FIRST = "mazur-2-2-2"  # the problem that is looked through first


class Example(Record):
    """A step of a problem: its cell, the right definition and number, the wrong ones."""

    problem: str
    book: Workbook
    cell: Cell
    right: Expr
    wrong: Expr
    right_value: float
    wrong_value: float


def examples() -> dict[str, Example]:
    """Slug → an example; mistakes between iterations are shown in the second iteration."""
    found: dict[str, Example] = {}
    for name in (FIRST, *(name for name in shipped() if name != FIRST)):
        problem = load(name)
        book = Workbook(problem, 1 if problem.learning_rate is None or problem.fixed else 2)
        definitions = Definitions(book)
        right = Evaluation(book)
        for number in range(1, book.iterations + 1):
            cells = [*book.cells(number), *(_given(book) if number == 1 else ()), *(_parameters(book, number))]
            for cell in cells:
                for form, wrong in definitions.wrong(cell).items():
                    slug = form.mistake.slug
                    if slug not in found and (example := _example(name, definitions, right, cell, form, wrong)):
                        found[slug] = example
        if len(found) == len(MISTAKES):
            break
    return found


def _given(book: Workbook) -> list[Cell]:
    return [(quantity.name, place) for quantity in book.graph if quantity.givens for place in book.graph.positions(quantity.name)]


def _parameters(book: Workbook, number: int) -> list[Cell]:
    return [] if number == 1 else [(on_sheet(number, name), place) for name in book.updated for place in book.graph.positions(name)]


def _example(name: str, definitions: Definitions, right: Evaluation, cell: Cell, form: MistakeForm, wrong: Expr) -> Example | None:
    """The example, if the number is another one."""
    try:
        made = Evaluation(MistakenBook(definitions, Hypothesis((MadeMistake(form, frozenset({cell})),))))
        values = float(right[cell]), float(made[cell])
    except EvaluationError:
        return None
    if abs(values[0] - values[1]) <= 1e-9 * max(map(abs, values)):
        return None
    return Example(name, definitions.book, cell, definitions.right(cell), wrong, *values)
