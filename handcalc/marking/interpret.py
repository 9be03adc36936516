"""What a student's answers mean: which step, which number or formula, and what was asked.

- `Interpreter(book, notation).read(sheet)` answers one `ReadAnswer` for every answer, and one for every task left out.

Ids and the symbols of the notation are understood. A symbol whose letter stands for the negative (δ = −∂E/∂net) is turned,
so that a step has one sign inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from itertools import islice
from math import inf

from handcalc.core.expr import Expr, Ref, neg
from handcalc.core.order import PHASES
from handcalc.core.patterns import fits, is_pattern
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import AmbiguousIdError, Message, UnknownIdError
from handcalc.marking.draft import Answer, Sheet, filled_in, is_heading
from handcalc.marking.follow import fits as is_rounded
from handcalc.marking.mistakes.entry import kind
from handcalc.marking.typed import Typed, typed
from handcalc.marking.workbook import Workbook, base, iteration, on_sheet
from handcalc.marking.working import result, worked_value
from handcalc.problem.reader import quoted
from handcalc.problem.schema import Task
from handcalc.render import read
from handcalc.render.dialects import PLAIN
from handcalc.render.lookup import Found
from handcalc.render.notation import profiles
from handcalc.render.reading import Reading

UNASKED = Task("")
LOWEST = -0.9e9  # what is below stands for −∞, as a score behind a mask
_INFINITE = re.compile(r"\s*[-−–]\s*(?:∞|inf|infinity|无穷大?)\s*", re.IGNORECASE)
OTHER_NOTATIONS = 400  # steps of a problem of which symbols of other notations are read
HINTED = 100  # unknown words of one sheet that are told what is near: nobody reads more, and it takes long


class ReadAnswer(Record):
    """One answer, understood: its step and number, or its formula, or what is wrong with it.

    turned: the symbol it was given under stands for the negative; typed and its digits are in the step's own sign; working: what the
    arithmetic before it on the line comes to, in that sign as well.
    """

    answer: Answer
    cell: Cell | None = None
    typed: Typed | None = None
    formula: Expr | None = None
    turned: bool = False
    task: Task = UNASKED
    trouble: Message | None = None
    working: float | None = None

    @property
    def blank(self) -> bool:
        """Whether nothing was answered."""
        return not self.answer.text


def _is_prose(answer: Answer) -> bool:
    """Whether a line may be none of an answer: a heading, or words before or behind a colon, or σ(z) = a formula."""
    words = not re.search("[0-9]", answer.text) or re.search(r"[\s(]", answer.id) or re.search(r"[^\W\d]+\s+[^\W\d]{2}", answer.text)
    return is_heading(answer.id) or (bool(words) and typed(result(answer.text)[0]) is None)


class Interpreter:
    """Reads the sheets of one problem."""

    def __init__(self, book: Workbook, notation: str = "") -> None:
        self.book = book
        self.reading = read(book.derivation, notation, PLAIN)
        self._known: dict[tuple[str, bool], tuple[Cell, bool] | Message] = {}
        self._hints: float = inf  # unknown words of a sheet that are still told what is near
        self.tasks = self._tasks()

    def read(self, sheet: Sheet) -> list[ReadAnswer]:
        """The answers in their order, then the tasks that are not among them."""
        self._hints = HINTED
        found = self._updated([self.read_one(answer) for answer in self.answers(sheet)])
        self._hints = inf
        seen: set[Cell] = set()
        for place, one in enumerate(found):
            if one.cell in seen:
                found[place] = one.replace(cell=None, typed=None, formula=None, trouble=Message("this step is answered twice"))
            elif one.cell is not None:
                seen.add(one.cell)
        missing = [cell for cell in self.tasks if cell not in seen]
        return found + [ReadAnswer(Answer(self.book.cell_id(cell), ""), cell, task=self.tasks[cell]) for cell in missing]

    def _updated(self, found: list[ReadAnswer]) -> list[ReadAnswer]:
        """The answers, of which another number for a parameter is its new value, if that is not answered: w = 0.3 - 0.1 = 0.2."""
        own: dict[Cell, Typed | None] = {one.cell: one.typed for one in found if one.cell is not None}

        def updated(one: ReadAnswer) -> ReadAnswer:
            if one.cell is None or one.typed is None:
                return one
            number, (name, place) = iteration(one.cell), base(one.cell)
            new = self.book.of_round(number).updated(name)
            wanted = on_sheet(number, new or ""), place
            if not new or wanted in own or self._is_old(one.typed, one.cell, own):
                return one
            words = {"old": self.reading.symbol(Ref(name, place)), "new": self.reading.symbol(Ref(new, place))}
            note = Message("{old} is given; read as the updated one, {new} (id {id})", **words, id=self.book.cell_id(wanted))
            known = one.replace(cell=wanted, task=self.tasks.get(wanted, UNASKED))
            return known.replace(trouble=note) if number == 1 and not one.trouble else known

        return list(map(updated, found))

    def _is_old(self, number: Typed, parameter: Cell, own: Mapping[Cell, Typed | None]) -> bool:
        """Whether a number of a parameter is what it is before the update: as given, or as in the iteration before, or on this sheet."""
        given = self.book.given_value(parameter)
        if given is not None:
            return number.value * given.denominator == given.numerator
        times, (name, place) = iteration(parameter), base(parameter)
        written = own.get((on_sheet(times - 1, self.book.carried[name]), place)) if name in self.book.carried else None
        if written is not None:
            return number.value == written.value
        return is_rounded(float(self.book.derivation.step((name, place), times).value), number)

    def find(self, text: str) -> tuple[Cell, bool]:
        """The cell of an id or symbol, and whether the symbol stands for its negative. Raises UnknownIdError."""
        word = text, self._hints > 0
        if word not in self._known:
            try:
                self._known[word] = self._find(*word)
            except UnknownIdError as error:
                self._known[word] = error.messages[0]
        known = self._known[word]
        if isinstance(known, Message):
            self._hints -= 1
            raise UnknownIdError(known)
        return known

    def _find(self, text: str, hint: bool) -> tuple[Cell, bool]:
        try:
            return self.book.find(text), False
        except UnknownIdError:
            found = self._look_up(text, hint)
            cell = on_sheet(found.iteration, found.cell[0]), found.cell[1]
            if found.turned is None:
                message = "{found} may be {id} or its negative; write the id, or {symbol} as in this notation"
                letter = self.reading.symbol(Ref(*found.cell))
                raise AmbiguousIdError(Message(message, found=quoted(text), id=self.book.cell_id(cell), symbol=letter)) from None
            return cell, found.turned

    def _look_up(self, text: str, hint: bool) -> Found:
        """What a symbol of the notation means; else of any other notation, if all that have it agree. Raises UnknownIdError."""
        try:
            return self.reading.look_up(text, hint)
        except AmbiguousIdError:
            raise
        except UnknownIdError:
            meant = set()
            for other in self._other_readings if hint else ():
                with suppress(UnknownIdError):
                    meant.add(other.look_up(text, False))
            if len(meant) != 1 or self.book.given_value((found := meant.pop()).cell) is not None:
                raise
            return found

    @cached_property
    def _other_readings(self) -> list[Reading]:
        """The problem in every other notation; in none, if it has too many steps."""
        if len(list(islice(self.book.cells(), OTHER_NOTATIONS + 1))) > OTHER_NOTATIONS:
            return []
        own = self.reading.notation
        found = (read(self.book.derivation, name, PLAIN) for name in profiles())
        return [reading for reading in found if reading.notation.data is not own.data]

    def read_one(self, answer: Answer) -> ReadAnswer:
        """One answer, understood: what stands behind the last sign of its working."""
        if answer.trouble is not None:
            return ReadAnswer(answer, trouble=answer.trouble)
        try:
            cell, turned = self.find(answer.id)
        except UnknownIdError as error:
            return ReadAnswer(answer, trouble=error.messages[0])
        whole = answer.text
        text, remark = result(whole)
        answer = answer.replace(text=filled_in(text))
        task = self.tasks.get(cell, UNASKED)
        known = ReadAnswer(answer, cell, turned=turned, task=task, trouble=remark)
        if known.blank:
            return known
        number = typed(answer.text) or self._infinite(answer.text, cell)
        if number is not None:
            worked = worked_value(whole)
            own = -worked if turned and worked is not None else worked
            return known.replace(typed=number.negated() if turned else number, working=own)
        from handcalc.proof.equivalence import read_formula

        formula = read_formula(answer.text, self.reading.at(iteration(cell)))
        if isinstance(formula, Message):
            return known.replace(trouble=formula)
        if formula == Ref(*base(cell)) or formula == neg(Ref(*base(cell))):
            return known.replace(trouble=Message("this formula is the name of the step itself"))
        return known.replace(formula=formula)

    def _infinite(self, text: str, wanted: Cell) -> Typed | None:
        """−∞, as people write a score behind a mask, which is a very small number here."""
        if _INFINITE.fullmatch(text) is None:
            return None
        value = float(self.book.derivation.step(base(wanted), iteration(wanted)).value)
        return Typed(repr(value), *value.as_integer_ratio(), None, 0) if value < LOWEST else None

    def answers(self, sheet: Sheet) -> list[Answer]:
        """The answers of a sheet: what stands at its head, such as a student's number, is one only where there is such a step, and so is
        the title of a part, a remark, or a formula in letters."""
        listed = [answer for answer in sheet.answers if answer.trouble or not _is_prose(answer) or self._is_step(answer.id)]
        return [answer for answer in sheet.headings if self._is_step(answer.id)] + listed

    def _is_step(self, text: str) -> bool:
        try:
            self.find(text)
        except UnknownIdError:
            return False
        return True

    # --- what is asked ---

    def _tasks(self) -> dict[Cell, Task]:
        found: dict[Cell, Task] = {}
        for task in self.book.problem.tasks:
            for cell in self._asked(task.ask):
                found.setdefault(cell, task)
        return found

    def _asked(self, ask: str) -> Iterable[Cell]:
        """The steps a task means: a phase, a pattern, an id or a symbol. Raises UnknownIdError where there is none."""
        cells = [cell for number in range(1, self.book.iterations + 1) for cell in self.book.cells(number)]
        if ask in PHASES:
            return [cell for cell in cells if self.book.phase(cell) == ask]
        if is_pattern(ask):
            found = [cell for cell in cells if fits(self.book.cell_id(cell), ask)]
            if not found:
                raise UnknownIdError(Message("tasks: no step fits {found}", found=f'"{ask}"'))
            return found
        try:
            return [self.book.find(ask)]
        except UnknownIdError:
            (name, place), number = self.reading.find(ask)
            return [(on_sheet(number, name), place)]

    def default(self) -> list[Cell]:
        """What a blank sheet asks where the problem says nothing: net inputs, outputs, what layers work out between them, loss,
        δ, gradients, new parameters."""
        kinds = ("net", "step", "out", "part", "variable", "error", "loss", "updated")
        wanted = []
        for cell in self.book.cells():
            quantity = self.book.graph[cell[0]]
            if quantity.role == "masked":  # a score, or as good as minus infinity
                continue
            of = kind(self.book.graph[quantity.of.quantity]) if quantity.of else ""
            gradient = quantity.kind == "gradient" and of in ("net", "weight", "bias", "threshold", "given", "variable")
            parameter = of in ("bias", "threshold") and quantity.of is not None and quantity.of.quantity not in self.book.updated
            if not quantity.stage and (quantity.kind in kinds or gradient) and not parameter:
                wanted.append(cell)
        return wanted
