"""A marked sheet: what is said of every answer.

- `VERDICTS` is the closed list of what an answer can be; `RIGHT` are those that have nothing against them.
- `Marking` is a sheet, `Marked` one of its answers.
"""

from __future__ import annotations

from collections import Counter

from handcalc.core.expr import Expr
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import Message
from handcalc.marking.diagnosis import Explanation
from handcalc.marking.typed import Typed
from handcalc.showing import SelfShowing

# verdict → what it says
VERDICTS = {
    "correct": "right to the digits typed",
    "rounded": "right, with rounding on the way",
    "imprecise": "right, but with fewer digits than asked",
    "last_digit": "right but for one unit of the last digit",
    "follow_through": "right for an earlier wrong number",
    "convention": "right under another convention",
    "mistake": "wrong, and it is known how",
    "wrong": "wrong",
    "missing": "asked, but not answered",
    "unreadable": "neither a number nor a formula, or no step of the solution",
}
RIGHT = ("correct", "rounded", "convention")


class Marked(Record):
    """One answer, marked.

    id: of the step, or as the student wrote it where there is none; given, typed: the answer as written, and its number;
    cell, expected: the step and its right number as printed; turned: given under a letter that stands for the negative, so both given
    and expected are in its sign; verdict: of VERDICTS; mistakes: slugs; alternatives: other sets of slugs that the numbers cannot tell
    from it; hints: what it may be, where the digits are too few to be sure; conventions: those under which it is right; because_of: the
    id of the answer where it began; note: what else there is to say; made: the line as it was worked, after a slip on it; unworked: the
    same number stands everywhere, and nobody worked it out.
    """

    id: str
    given: str
    verdict: str
    cell: Cell | None = None
    expected: str = ""
    turned: bool = False
    mistakes: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    hints: tuple[str, ...] = ()
    conventions: tuple[str, ...] = ()
    because_of: str = ""
    note: Message | None = None
    marks: float = 0.0
    worth: float = 1.0
    typed: Typed | None = None
    made: Expr | None = None
    unworked: bool = False


class Marking(SelfShowing, Record):
    """One sheet, marked. rounding: the one that was found or declared; explanation: what went wrong, if that is known."""

    name: str
    answers: tuple[Marked, ...]
    rounding: Rounding | None
    explanation: Explanation | None = None

    @property
    def summary(self) -> dict[str, int]:
        """verdict → how many answers have it."""
        counted = Counter(answer.verdict for answer in self.answers)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}

    @property
    def marks(self) -> tuple[float, float]:
        """The marks earned, and those there were."""
        return sum(answer.marks for answer in self.answers), sum(answer.worth for answer in self.answers)

    @property
    def score(self) -> float:
        """The share of the marks that was earned, from 0 to 1."""
        got, worth = self.marks
        return got / worth if worth else float(not self.answers)
