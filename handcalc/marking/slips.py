"""Slips of any calculation, on one answer: what no rewrite of the whole solution explains may be a slip on a single line.

- `LineSlips(definitions, answers, size).explain_all(wrong)` names the slips that give answers, each a `LineSlip`.
- `misplaced_answers(…)` are those that are the right number of another step: exchanged, or the old value of a parameter.

What slips can give is in slipnumbers.py. Here is decided whether one is named, by its odds against coincidence: of all wrong numbers
a kind of slip accounts for a share, which its numbers divide among them, so a kind that gives many explains each of them less; and a
number that nothing explains is as likely to be a tenth off as a hundredth, or may be any (`coincidence`). The shares add up to little
more than one, so that what this holds for chance is named about once in 2 to the power of `NAMED` at most; one that several slips give
is named with all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import isfinite, log, log2

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.marking.definitions import NONE, Definitions, MistakenBook
from handcalc.marking.diagnosis import bits_of, step_of
from handcalc.marking.digits import is_one_digit, is_one_off, written
from handcalc.marking.follow import fits, unit
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.slipnumbers import LINE, SHARES, SlipNumbers, number_of, worked_from
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import iteration, on_sheet

ANSWERS = 24  # wrong answers of a sheet for which slips are looked for
BEFORE = 1200  # steps and given numbers that an answer may be made from
NAMED = 3.75  # bits by which a slip must beat coincidence, to be named
FARTHER = 2.0  # bits more, if it was made on a line that is not on the sheet
DIGITS = 3  # and the significant digits an answer must have
HINT = 0.5  # bits to be a hint
BARE = -2.5  # and where no other slip gives it, so that of all reasons it is the likeliest
RIVAL = 2.0  # bits by which a slip beats another that gives the same number, to be named alone
MOST = 3  # such others, with which a number tells nothing
SHORTER = 3.0  # bits that speak for a dropped digit where an answer has one less than the others
OFTEN = 3  # numbers misread on a sheet, which hardly anybody misreads
MISREAD = "number-misread"
MISSPELLED = 0.1  # the share of wrong numbers of which one digit is another, for no reason

Size = Callable[[Cell, Typed], float]
LEAST = 2.0**-1000  # of a chance, which has a logarithm


class LineSlip(Record):
    """A slip that gives an answer; sure: or else a hint, since it may be coincidence; others: slips that give it too; here: made on the
    line of the answer itself, not on one before it; made: that line as it was worked, where it is another formula; together:
    one with others, as a given number that was misread once."""

    slug: str
    sure: bool
    others: tuple[str, ...] = ()
    here: bool = False
    made: Expr | None = None
    together: bool = False


class LineSlips:
    """The slips of one sheet; size: how large an answer is, counted from what it starts from."""

    def __init__(self, definitions: Definitions, answers: Mapping[Cell, Typed], size: Size) -> None:
        self.definitions = definitions
        self.answers = answers
        self.size = size
        self._numbers = SlipNumbers(definitions, answers)
        self._book = MistakenBook(definitions, NONE)
        self._right = Evaluation(self._book)
        self._values = {wanted: typed.value for wanted, typed in answers.items()}
        self._known: dict[Cell, tuple[dict[str, float], set[str]]] = {}

    def explain_all(self, wrong: Sequence[Cell]) -> dict[Cell, LineSlip]:
        """The slips of wrong answers; not one that most of the wrong answers of its kind refute, since they have another reason;
        one that half of them refute is a hint, and so are numbers misread, each another, on many lines."""
        kind = {wanted: self.definitions.book.quantity(wanted).kind for wanted in wrong[:ANSWERS]}
        found = {wanted: slip for wanted in kind if (slip := self.explain(wanted)) is not None}
        for of in dict.fromkeys(kind.values()):
            found |= self._alike([wanted for wanted in kind if kind[wanted] == of])
        wrongs, known = Counter(kind.values()), Counter(kind[wanted] for wanted in found)
        alike = Counter((kind[wanted], slip.slug) for wanted, slip in found.items())
        misread = sum(slip.slug == MISREAD for slip in found.values())
        result = {}
        for wanted, slip in found.items():
            of, same = kind[wanted], 2 * alike[kind[wanted], slip.slug]
            if same >= wrongs[of]:
                sure = slip.sure and (same > wrongs[of] or known[of] == wrongs[of]) and (slip.slug != MISREAD or misread < OFTEN)
                result[wanted] = slip if sure == slip.sure else slip.replace(sure=False, made=None)
        return result

    def _alike(self, wrong: list[Cell]) -> dict[Cell, LineSlip]:
        """The slip that gives every one of several wrong answers, where it beats coincidence in all of them together."""
        shares = {wanted: self._shares(wanted)[0] for wanted in wrong if len(self.definitions.between(wanted, ())) <= BEFORE}
        if len(shares) < max(len(wrong), 2):
            return {}
        common = [slug for slug in next(iter(shares.values())) if all(slug in other for other in shares.values())]
        bits = {
            slug: sum(log2(shares[wanted][slug] / self._chance(wanted)) for wanted in wrong) for slug in common if not MISTAKES[slug].single
        }
        best = max(bits, key=lambda slug: bits[slug], default="")
        if not best or bits[best] < NAMED * len(wrong) / 2:
            return {}
        return {wanted: LineSlip(self._called(wanted, best), True, (), True, self._made(wanted, best)) for wanted in wrong}

    def _chance(self, wanted: Cell) -> float:
        """How likely an answer is what it is, where there is no reason for it."""
        typed = self.answers[wanted]
        return coincidence(typed, number_of(self.definitions.values, wanted), self.size(wanted, typed))

    def right_numbers(self, wanted: Cell) -> list[float]:
        """What the line of an answer gives with the student's other numbers, and with the right ones."""
        return [worked_from(run, self.definitions.right(wanted), wanted) for run in self._runs(wanted)]

    def explain(self, wanted: Cell) -> LineSlip | None:
        """The slip that gives an answer, if it beats coincidence."""
        right = number_of(self.definitions.values, wanted)
        if not isfinite(right) or len(self.definitions.between(wanted, ())) > BEFORE:
            return None
        shares, here = self._shares(wanted)
        if not shares:
            return None
        typed = self.answers[wanted]
        chance = log2(coincidence(typed, right, self.size(wanted, typed)))
        nearest = [slug for slug in shares if slug in here and self.answers[wanted].above] or [*shares]  # on its own line first
        best, *others = sorted(nearest, key=lambda slug: -shares[slug])
        rivals = tuple(slug for slug in others if log2(shares[best] / shares[slug]) < RIVAL)
        bits = log2(sum(shares.values())) - chance
        if len(rivals) >= MOST:
            return None
        long = typed.significant >= DIGITS or typed.places is None or not typed.above
        if bits < HINT and not (bits >= BARE and not rivals and best in here and self._made(wanted, best)):
            return None
        sure = bits >= NAMED + FARTHER * (best not in here) and long and not (best == MISREAD and self._is_one_digit(wanted))
        if not sure and len(rivals) > 1:
            return None
        return LineSlip(self._called(wanted, best), sure, rivals, best in here, self._made(wanted, best) if sure else None)

    def _is_one_digit(self, wanted: Cell) -> bool:
        """Whether an answer is off by so much in one place as only one digit is worth, which may be a slip in adding as well."""
        typed = self.answers[wanted]
        return any(is_one_digit(abs(typed.value - value), unit(typed)) for value in self.right_numbers(wanted))

    def _made(self, wanted: Cell, slug: str) -> Expr | None:
        """The line as it was worked."""
        typed, runs = self.answers[wanted], self._runs(wanted)
        lines = (expr for own, expr in self._numbers.lines.formulas(wanted) if own == slug)
        return next((expr for expr in lines if any(fits(worked_from(run, expr, wanted), typed) for run in runs)), None)

    def _called(self, wanted: Cell, slug: str) -> str:
        """What the catalogue calls a line worked wrong, where one of its mistakes makes the same of this line: + for − in an update."""
        if slug not in LINE:
            return slug
        typed, runs = self.answers[wanted], self._runs(wanted)
        wrong = self.definitions.wrong(wanted).items()
        named = {form.mistake.slug for form, expr in wrong if any(fits(worked_from(run, expr, wanted), typed) for run in runs)}
        return named.pop() if len(named) == 1 else slug

    def _shares(self, wanted: Cell) -> tuple[dict[str, float], set[str]]:
        """slug → the share of all wrong numbers that are this one because of it; those that are made on its own line."""
        if wanted not in self._known:
            self._known[wanted] = self._worked_shares(wanted)
        return self._known[wanted]

    def _worked_shares(self, wanted: Cell) -> tuple[dict[str, float], set[str]]:
        typed, step = self.answers[wanted], unit(self.answers[wanted])
        shares: dict[str, float] = {}
        here: set[str] = set()
        for kind, share in SHARES.items():
            numbers: dict[str, set[float]] = {}
            hits: dict[str, None] = {}
            for run in self._runs(wanted):
                for slug, value in kind(self._numbers, wanted, run):
                    if isfinite(value / step):
                        numbers.setdefault(slug, set()).add(round(value / step))
                        if fits(value, typed):
                            hits[slug] = None
            here |= {*hits} if kind is not SlipNumbers.lines_before else set()
            for slug in hits:
                part = share if isinstance(share, float) else share[slug]
                shares[slug] = shares.get(slug, 0.0) + part / len(numbers[slug])
        if "digit-dropped" in shares and self._is_shorter(wanted):
            shares["digit-dropped"] *= 2.0**SHORTER
        return shares, here

    def _runs(self, wanted: Cell) -> list[Evaluation]:
        """The lines with the student's other numbers, and with the right ones."""
        others = {cell: value for cell, value in self._values.items() if cell != wanted}
        return [*([Evaluation(self._book, None, others)] if others else []), self._right]

    def _is_shorter(self, wanted: Cell) -> bool:
        """Whether an answer has one digit less than all others."""
        typed = self.answers[wanted]
        others = [other for cell, other in self.answers.items() if cell != wanted and other.places is not None and other.above]
        if not others or typed.places is None:
            return False
        places, digits = min(other.places or 0 for other in others), min(other.significant for other in others)
        return typed.places == places - 1 or typed.significant == digits - 1


def coincidence(typed: Typed, right: float, size: float) -> float:
    """How likely a wrong number is the one typed, where there is no reason for it: half of them are any up to twice the size, of the
    others the order of magnitude of what they are off by is any; and some differ in one digit."""
    if not typed.above:
        return max(float(2.0 ** -bits_of(typed, size)), LEAST)
    step = step_of(typed)
    off = max(abs(typed.value - right), step)
    reach = 2 * max(size, off)
    chance = step / (4 * reach) + step / (4 * off * (1 + log(reach / step)))
    places = typed.places
    if places is not None and is_one_off(written(typed.value, places), written(right, places)):
        chance += MISSPELLED / (9 * max(typed.significant, 1))
    return min(max(chance, LEAST), 1.0)


def misplaced_answers(definitions: Definitions, answers: Mapping[Cell, Typed], wrong: tuple[Cell, ...]) -> dict[Cell, str]:
    """Wrong answers that are right numbers of the sheet in a wrong place: exchanged with another of their kind, or the old value."""
    found: dict[Cell, str] = {}
    right = definitions.values
    for place, first in enumerate(wrong):
        for second in wrong[place + 1 :]:
            alike = definitions.book.quantity(first).kind == definitions.book.quantity(second).kind and not {first, second} & {*found}
            if alike and fits(number_of(right, second), answers[first]) and fits(number_of(right, first), answers[second]):
                found |= dict.fromkeys((first, second), "answers-exchanged")
    for wanted in wrong:
        if wanted not in found and definitions.book.quantity(wanted).kind == "updated" and is_old(definitions, wanted, answers[wanted]):
            found[wanted] = "old-value-given"
    return found


def is_old(definitions: Definitions, wanted: Cell, typed: Typed) -> bool:
    """Whether the number of a new parameter is the old one, to the digits typed."""
    of, number = definitions.book.quantity(wanted).of, iteration(wanted)
    return of is not None and fits(number_of(definitions.values, (on_sheet(number, of.quantity), wanted[1])), typed)
