"""An exercise: a problem, what it asks for, and with how many digits; and its numbers, worked out.

- `Exercise(problem, digits)` knows the steps that are asked: the tasks, else outputs, loss, δ and new parameters.
- `AskedDigits` is how many are asked: `shown(value)`, `unit(value)`, `grain`.
- `Worked(exercise, numbers)` is the exercise worked with its own numbers or with others, which is quick: formulas are shared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cached_property

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Number
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import EvaluationError, Message, ProblemError
from handcalc.exercises.units import Unit, units
from handcalc.marking.answers import Sheet
from handcalc.marking.bands import ANYTHING, Band, Grain
from handcalc.marking.check import Checker
from handcalc.marking.definitions import Definitions
from handcalc.marking.follow import Follow
from handcalc.marking.interpret import UNASKED
from handcalc.marking.mistakes.entry import kind
from handcalc.marking.workbook import SMALL
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.schema import Problem

USUAL = 4  # decimals, where nothing says how many
_USUAL_KINDS = ("out", "variable", "error", "loss", "updated")
MOST = 15  # decimals that can be asked
ASKED_MOST = SMALL  # answers of an exercise
SMALLEST = 1e-6  # what is smaller is written with a power of ten
MOST_PLACES = 308  # of a power of ten as a float
EXACT_MOST = 1e15  # of larger numbers a float does not know the digits
NEAR_TIE = 1e-12  # how near a number is to one that ends in 5, of itself


class AskedDigits(Record):
    """Decimal places or significant digits that are asked of a number, and what happens to a 5 behind them."""

    decimals: int | None = None
    significant: int | None = None
    ties: str = "half_up"

    @property
    def rounding(self) -> Rounding:
        """The rounding to these digits."""
        return Rounding(self.decimals, None if self.decimals is not None else self.significant, ties=self.ties)

    @property
    def grain(self) -> Grain:
        """How coarsely somebody may round on the way who answers with these digits: to them, or to more."""
        return Grain(self.decimals, self.significant if self.decimals is None else None, finer=True)

    @property
    def json(self) -> dict[str, int]:
        """As data: {"decimals": 4}."""
        return {"decimals": self.decimals} if self.decimals is not None else {"significant": self.significant or 1}

    def shown(self, value: float) -> str:
        """A number with these digits, zeros at the end too; a plain decimal, or with a power of ten where it is very small."""
        whole, places = self._rounded(value)
        if whole and abs(value) < SMALLEST:
            digits = str(abs(whole))
            head = digits[0] + "." * (len(digits) > 1) + digits[1:]
            return f"{'-' * (whole < 0)}{head}e{len(digits) - 1 - places}"
        digits = str(abs(whole)).rjust(places + 1, "0")
        return "-" * (whole < 0) + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)

    def value(self, value: float) -> float:
        """A number rounded to these digits."""
        whole, places = self._rounded(value)
        return _ratio(whole, 10**places)

    def unit(self, value: float) -> float:
        """The value of the last digit that is asked of a number."""
        return float(10.0 ** -self._places(value))

    def is_tie(self, value: float) -> bool:
        """Whether a number ends in a 5 just behind the digits that are asked."""
        scaled = abs(value) * 10.0 ** min(self._places(value), MOST_PLACES)
        return scaled < EXACT_MOST and abs(scaled - math.floor(scaled) - 0.5) <= NEAR_TIE * max(scaled, 1.0)

    def _places(self, value: float) -> int:
        if self.decimals is not None:
            return self.decimals
        return (self.significant or 1) - 1 - (math.floor(math.log10(abs(value))) if value else 0)

    def _rounded(self, value: float) -> tuple[int, int]:
        """(whole, places): the number rounded to these digits is whole/10^places."""
        rounded = self.rounding.carried(value)
        size = _ratio(rounded.numerator, rounded.denominator)
        places = max(self._places(size if size and math.isfinite(size) else value), 0)
        return int(rounded * 10**places), places


def _ratio(top: int, bottom: int) -> float:
    """A quotient, which may be too large for a float."""
    try:
        return top / bottom
    except OverflowError:
        return math.inf if top > 0 else -math.inf


class Exercise:
    """What is asked of a problem, and with how many digits.

    asked: step → digits, in document order; cells: every step that the solution shows; carried: the rounding in which results are used
    again, where they are.
    """

    def __init__(self, problem: Problem, digits: AskedDigits | None = None, carry: bool = False, notation: str = "") -> None:
        self.problem = problem
        own = problem.rounding or Rounding()
        self.carried = digits.rounding.replace(carry=True) if digits and carry else own.replace(carry=True) if own.carry or carry else None
        self.checker = Checker(problem, notation)
        self.desk = self.checker.desk_for(Sheet("", ()))
        self.book = self.desk.book
        self.definitions = self.desk.definitions
        asked = self._asked()
        if len(asked) > ASKED_MOST:
            text = "{count} answers are asked, {limit} at most; say under tasks which"
            raise ProblemError(Message(text, f"{problem.path}: ", count=len(asked), limit=ASKED_MOST))
        self.asked = {wanted: digits or self.digits_of(wanted) for wanted in asked}

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The steps that the solution shows: all that are computed, but for what is not trained; of a large network, those asked."""
        book = self.book
        if not book.small:
            return tuple(self.asked)
        found = (wanted for number in range(1, book.iterations + 1) for wanted in book.cells(number))
        return tuple(wanted for wanted in found if self._is_shown(wanted))

    def _is_shown(self, wanted: Cell) -> bool:
        """A parameter that is not trained has no new value in the solution."""
        quantity = self.book.quantity(wanted)
        of = quantity.of.quantity if quantity.of else ""
        return quantity.kind not in ("updated", "change") or not of or of in self.book.updated

    @cached_property
    def units(self) -> list[Unit]:
        """The steps that are saturated, or dead, for some numbers."""
        return units(self.book, self.cells)

    def id(self, wanted: Cell) -> str:
        """The id of a step."""
        return self.book.cell_id(wanted)

    def ids(self, cells: Iterable[Cell]) -> list[str]:
        """The ids of some steps."""
        return [self.id(wanted) for wanted in cells]

    @property
    def digits(self) -> AskedDigits:
        """The digits that most of the answers are asked with."""
        found = list(self.asked.values())
        return max(dict.fromkeys(found), key=found.count) if found else AskedDigits(USUAL)

    def digits_of(self, wanted: Cell) -> AskedDigits:
        """The digits that the tasks or the problem ask of a step, else the usual ones."""
        asked = self.desk.asked_digits(wanted, self.desk.interpreter.tasks.get(wanted, UNASKED))
        return AskedDigits(*(asked or (USUAL, None)), (self.problem.rounding or Rounding()).ties)

    def _asked(self) -> list[Cell]:
        """The tasks, else outputs, loss, δ, new parameters; where nothing is trained the gradients of the parameters."""
        tasks = [*self.desk.interpreter.tasks]
        if tasks:
            return [wanted for wanted in tasks if self.book.given_value(wanted) is None]
        usual = self.desk.interpreter.default() or [wanted for wanted in self.book.cells() if not self.book.quantity(wanted).stage]
        kinds = {wanted: self.book.quantity(wanted).kind for wanted in usual if self._is_shown(wanted)}
        trained = "updated" in kinds.values()
        chosen = [wanted for wanted, found in kinds.items() if found in _USUAL_KINDS or self._is_error(wanted, found, trained)]
        return chosen or usual

    def _is_error(self, wanted: Cell, found: str, trained: bool) -> bool:
        """Whether a step is a δ; or, where nothing is trained, the gradient of a parameter."""
        of = self.book.quantity(wanted).of
        if found != "gradient" or of is None:
            return False
        source = self.book.graph[of.quantity]
        return kind(source) == "net" or (not trained and source.kind in PARAMETERS) or not self.problem.layers


class Worked:
    """An exercise worked with its own numbers, or with others in their place; values: in full precision."""

    def __init__(self, exercise: Exercise, numbers: Mapping[Cell, Number] | None = None) -> None:
        self.exercise = exercise
        self.problem = exercise.problem
        self.definitions: Definitions = exercise.definitions.renumbered(numbers) if numbers else exercise.definitions
        self.book = self.definitions.book
        self.values = self.definitions.values
        self._bands: dict[AskedDigits, Follow] = {}

    def number(self, wanted: Cell) -> float:
        """The number of a step. Raises EvaluationError."""
        return float(self.values[wanted])

    @cached_property
    def _carried(self) -> Evaluation:
        return Evaluation(self.book, self.exercise.carried)

    def answer(self, wanted: Cell) -> float:
        """The number to answer with: in full precision, or with every result rounded before it is used."""
        return float(self._carried[wanted]) if self.exercise.carried else self.number(wanted)

    @cached_property
    def answers(self) -> dict[Cell, float]:
        """The asked steps with their numbers. Raises EvaluationError."""
        return {wanted: self.answer(wanted) for wanted in self.exercise.asked}

    @cached_property
    def shown(self) -> dict[Cell, str]:
        """The asked steps with their numbers as they are printed."""
        return {wanted: self.exercise.asked[wanted].shown(value) for wanted, value in self.answers.items()}

    def tolerance(self, wanted: Cell, digits: AskedDigits) -> Band:
        """All that somebody can answer who rounds what comes before it to these digits, or to more, or not at all.

        Where rounding could give anything, only the number itself, rounded.
        """
        value, half = self.number(wanted), digits.unit(self.number(wanted)) / 2
        own = Band(value - half, value + half)
        found = self._follow(digits).expected(wanted)
        if found is ANYTHING or not math.isfinite(found.width):
            return own
        return digits.grain.widened(found) | Band(value, value)

    def _follow(self, digits: AskedDigits) -> Follow:
        if digits not in self._bands:
            self._bands[digits] = Follow(self.definitions, {}, digits.grain)
        return self._bands[digits]

    def solves(self) -> EvaluationError | None:
        """What is wrong, if a step of the solution has no number."""
        try:
            for wanted in self.exercise.cells:
                self.values[wanted]
        except EvaluationError as error:
            return error
        return None
