"""The lines of a student's calculation, right and wrong, with the student's own earlier numbers put in.

- `StudentLines(desk, marking, reading)`: `right(answer)` is the one number that a report puts beside an answer: what the right
  definition gives on the numbers the student had; `solution(answer)` the same with all right numbers, in as many digits.
- `line(label, cell, hypothesis)` is a step worked out under a hypothesis; the line of a right step ends in the number of `right`.

Decimals are those of the answer (of a very small one fewer), digits at least two, and as many more as it takes to see that the numbers
differ.
"""

from __future__ import annotations

from math import floor, log10
from typing import Any

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Ref, references, rewrite
from handcalc.core.quantity import Cell, cell
from handcalc.core.rounding import DEFAULT_SIGNIFICANT, DIGITS_LIMIT, Rounding, Shown
from handcalc.errors import EvaluationError, Message
from handcalc.marking.definitions import NONE, Hypothesis, MistakenBook
from handcalc.marking.desk import Desk
from handcalc.marking.follow import unit
from handcalc.marking.interpret import UNASKED
from handcalc.marking.marked import RIGHT, Marked, Marking
from handcalc.marking.typed import Typed
from handcalc.marking.wording import step_item
from handcalc.marking.workbook import base
from handcalc.render.blocks import Digits, Equation, Item, Put, Symbolic, Toned
from handcalc.render.reading import Reading

FEWEST = 2  # digits of a right number
AS_USUAL = Rounding()


class StudentLines:
    """Works out single lines of one marked sheet."""

    def __init__(self, desk: Desk, marking: Marking, reading: Reading) -> None:
        self.desk = desk
        self.reading = reading
        self.made = marking.explanation.hypothesis if marking.explanation else NONE
        self.marked: dict[Cell, Marked] = {answer.cell: answer for answer in marking.answers if answer.cell}
        worked = ((wanted, answer.typed) for wanted, answer in self.marked.items() if not answer.unworked)
        self.answers: dict[Cell, Typed] = {wanted: typed for wanted, typed in worked if typed}
        digits = max((typed.significant for typed in self.answers.values()), default=DEFAULT_SIGNIFICANT)
        self.rounding = Rounding(None, min(max(digits, 3), DEFAULT_SIGNIFICANT))  # of numbers between the answers
        self._runs: dict[Hypothesis, Evaluation] = {}

    # --- one right number for each answer ---

    def right(self, answer: Marked) -> Shown:
        """The right number beside an answer, made from the student's own earlier numbers, in the sign of the symbol."""
        assert answer.cell is not None
        if answer.verdict == "imprecise":
            return self.solution(answer)
        return self._signed(answer.cell, self._rounded(answer, self._own(answer.cell)))

    def solution(self, answer: Marked) -> Shown:
        """The number of the solution, in the same digits and sign."""
        assert answer.cell is not None
        return self._signed(answer.cell, self._rounded(answer, self.desk.right[answer.cell]))

    def differs(self, answer: Marked) -> bool:
        """Whether the student's own numbers make another right number than the solution's."""
        if answer.cell is None:
            return False
        right, solution = self.right(answer), self.solution(answer)
        least = unit(answer.typed) / 2 if answer.typed is not None else 0.0
        return right.plain != solution.plain and abs(right.value - solution.value) > least

    def own_numbers(self, answer: Marked) -> tuple[Cell, ...]:
        """The wrong answers that make it another; none where it is rounding alone."""
        if answer.cell is None or not self.differs(answer):
            return ()
        book = self.desk.definitions
        between = book.between(answer.cell, self.answers)
        used = dict.fromkeys(used for current in between for used in book.uses(current) if used in self.answers)
        return tuple(step for step in used if self.marked[step].verdict not in RIGHT)

    def _own(self, wanted: Cell) -> Any:
        try:
            return self._run(NONE).of(self.desk.definitions.right(wanted), wanted)
        except EvaluationError:
            return self.desk.right[wanted]

    def _rounded(self, answer: Marked, value: Any) -> Shown:
        """A number in the digits of an answer, and in more where it would look the same."""
        typed, number = answer.typed, float(value)
        if typed is None or typed.places is None:
            return self._asked(answer).shown(value, True)
        if number == 0:
            return Shown("0")
        decimals = floor(log10(abs(number))) + 1 + typed.places
        fewest = max(min(decimals, typed.significant + 1), FEWEST)
        candidates = [Rounding(None, digits).shown(value, True) for digits in range(min(fewest, DIGITS_LIMIT), DIGITS_LIMIT + 1)]
        if fewest == FEWEST and not candidates[0].exact and candidates[1].exact:  # 1.98 beside 1.8, not 2.0
            candidates.pop(0)
        if answer.verdict == "imprecise":
            candidates.insert(0, self._asked(answer, Rounding(None, fewest)).shown(value, True))
        return next((shown for shown in candidates if shown.value != typed.value), candidates[0])

    def _asked(self, answer: Marked, otherwise: Rounding = AS_USUAL) -> Rounding:
        """The digits that the exercise asks of an answer, if it does."""
        assert answer.cell is not None
        asked = self.desk.asked_digits(answer.cell, self.desk.interpreter.tasks.get(answer.cell, UNASKED))
        return Rounding(*asked) if asked is not None else otherwise

    def _signed(self, wanted: Cell, shown: Shown) -> Shown:
        return shown.negated() if self.reading.turned(base(wanted)) else shown

    # --- lines ---

    def line(self, label: Message | Toned, wanted: Cell, hypothesis: Hypothesis | None, made: Expr | None = None) -> Equation:
        """A step under a hypothesis, with the student's own earlier numbers put in: formula, numbers, result.

        hypothesis: None for the right definition; the student's answer itself is the result where one is supposed; made: or this line.
        """
        supposed = hypothesis or NONE
        run = self._run(supposed if hypothesis is not NONE else self.made)
        expr = made if made is not None else self._inlined(wanted, supposed)
        plain = base(wanted)
        line = self.reading.line(plain, rewrite(expr, lambda node: Ref(*base(cell(node))) if isinstance(node, Ref) else None))
        right: list[tuple[str, Item]] = [("=", Symbolic(line))]
        try:
            numbers = {base(used): self._number(used, run) for ref in references(expr) if (used := cell(ref))}
            value = run.of(expr, wanted)
        except EvaluationError:
            return Equation(step_item(wanted), tuple(right), 1, label)
        exact = all(number.exact for number in numbers.values())
        right.append(("=" if exact else "≈", Put(line, numbers)))
        shown = self._result(wanted, hypothesis if made is None else supposed, value, made is not None)
        right.append(("=" if exact and shown.exact else "≈", Digits(shown)))
        return Equation(step_item(wanted), tuple(right), 1, label)

    def _result(self, wanted: Cell, hypothesis: Hypothesis | None, value: Any, own: bool) -> Shown:
        """The number at the end of a line, in the sign of its symbol; own: as the student has it."""
        answer = self.marked.get(wanted)
        if answer is not None and hypothesis is None:
            return self.right(answer)
        typed = self.answers.get(wanted)
        if typed is None or (hypothesis is NONE and not own):
            return self._signed(wanted, self.rounding.shown(value, True))
        shown = Shown(typed.plain)
        return self._signed(wanted, shown.replace(exact=abs(shown.value - float(value)) <= 1e-12 * abs(shown.value)))

    def moves(self, wanted: Cell, hypothesis: Hypothesis) -> bool:
        """Whether a line comes to another number under a hypothesis, with the student's own numbers in it."""
        run, definitions = self._run(self.made), self.desk.definitions
        try:
            made, right = (
                float(run.of(expr, wanted)) for expr in (definitions.under(wanted, hypothesis.at(wanted)), definitions.right(wanted))
            )
        except EvaluationError:
            return False
        return abs(made - right) > 1e-9 * max(abs(made), abs(right))

    def _inlined(self, wanted: Cell, hypothesis: Hypothesis) -> Expr:
        """A definition with the change Δw written out, unless it was answered."""
        book, definitions = self.desk.book, self.desk.definitions
        expr = definitions.under(wanted, hypothesis.at(wanted))
        if book.quantity(wanted).kind != "updated":
            return expr

        def change(node: Expr) -> Expr | None:
            if isinstance(node, Ref) and cell(node) not in self.answers and book.quantity(cell(node)).kind == "change":
                return definitions.under(cell(node), hypothesis.at(cell(node)))
            return None

        return rewrite(expr, change)

    def _run(self, hypothesis: Hypothesis) -> Evaluation:
        if hypothesis not in self._runs:
            replaced = {wanted: typed.value for wanted, typed in self.answers.items()}
            self._runs[hypothesis] = Evaluation(MistakenBook(self.desk.definitions, hypothesis), None, replaced)
        return self._runs[hypothesis]

    def _number(self, wanted: Cell, run: Evaluation) -> Shown:
        typed = self.answers.get(wanted)
        if typed is not None:
            is_formula = typed.places is None and "/" not in typed.plain
            return self.rounding.shown(typed.value, True) if is_formula else Shown(typed.plain)
        given = run.graph.given_value(wanted)
        if given is not None and given.text:
            return Shown(given.text)
        return self.rounding.shown(run[wanted], True)
