"""What a student's answers mean: which step, which number or formula, and what was asked.

- `Interpreter(book, notation).read(sheet)` answers one `ReadAnswer` for every answer, and one for every task left out.

Ids and the symbols of the notation are understood. A symbol whose letter stands for the negative (δ = −∂E/∂net) is turned,
so that a step has one sign inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from itertools import islice, takewhile
from math import inf

from handcalc.core.expr import Expr, Number, Ref, neg
from handcalc.core.order import PHASES
from handcalc.core.patterns import fits, is_pattern
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import AmbiguousIdError, Message, Template, UnknownIdError
from handcalc.marking.draft import Answer, Sheet, filled_in, is_heading
from handcalc.marking.follow import fits as agrees
from handcalc.marking.lists import NumberList, list_of
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

READ_AS_NEW: Template = "{old} is given; read as the updated one, {new} (id {id})"
READ_AS_OUTPUT: Template = "{old} is given; read as the output, {new} (id {id})"
UNASKED = Task("")
GIVEN = Task("", marks=Number(0))  # a number of the exercise, written down again
LOWEST = -0.9e9  # what is below stands for −∞, as a score behind a mask
GRADIENTS = ("grad", "gradient", "gradients", "∇f", "∇e", "梯度")  # of all parameters
_BRACKETED = re.compile(r"([^()\[\]@]+)(?:\(([^()]+\))|\[([0-9]{1,4}\])|@([0-9]{1,4}))")
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


def _digits(read: ReadAnswer) -> int:
    return read.typed.places or 0 if read.typed is not None else -1


def _is_same(first: ReadAnswer, second: ReadAnswer) -> bool:
    """Whether an answer is there again, perhaps with other digits."""
    if first.typed is None or second.typed is None:
        return first.blank or second.blank
    one, two = first.typed, second.typed
    if one.ratio == two.ratio:
        return True
    return min(one.significant, two.significant) > 2 and (agrees(one.value, two) or agrees(two.value, one))


def _is_prose(answer: Answer) -> bool:
    """Whether a line may be none of an answer: a heading, or words before or behind a colon, or σ(z) = a formula."""
    words = not re.search("[0-9]", answer.text) or re.search(r"[\s(]", answer.id) or re.search(r"[^\W\d]+\s+[^\W\d]{2}", answer.text)
    return is_heading(answer.id) or (bool(words) and typed(result(answer.text)[0]) is None and list_of(answer.text) is None)


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
        seen: dict[Cell, ReadAnswer] = {}
        for place, one in enumerate(found):
            if one.cell is not None and one.cell in seen and not _is_same(seen[one.cell], one):
                found[place] = one.replace(cell=None, typed=None, formula=None, trouble=Message("this step is answered twice"))
            elif one.cell is not None:
                seen[one.cell] = one if one.cell not in seen else max(seen[one.cell], one, key=_digits)
        found = [one for one in found if one.cell is None or seen[one.cell] is one]
        missing = [cell for cell in self.tasks if cell not in seen]
        return found + [ReadAnswer(Answer(self.book.cell_id(cell), ""), cell, task=self.tasks[cell]) for cell in missing]

    def _updated(self, found: list[ReadAnswer]) -> list[ReadAnswer]:
        """The answers, of which another number for a given parameter is its new value, if that is not answered: w = 0.3 - 0.1 = 0.2."""
        answered = {one.cell: one.typed for one in found if one.cell is not None}
        repeated = self._repeated(found)

        def updated(one: ReadAnswer) -> ReadAnswer:
            if one.cell is None or one.typed is None or one in repeated:
                return one
            cell, number = base(one.cell), iteration(one.cell)
            new = self._later(cell) if cell[0] in self.book.graph else ""
            wanted = on_sheet(number, new), cell[1]
            if not new or wanted in answered or self._is_old(cell, number, one.typed):
                return one
            own = answered.get((on_sheet(number - 1, new), cell[1])) if number > 1 else None
            if own is not None and own.value == one.typed.value:  # what the student has had for it since the iteration before
                return one
            words = {"old": self.reading.symbol(Ref(*cell)), "new": self.reading.symbol(Ref(new, cell[1])), "id": self.book.cell_id(wanted)}
            note = Message(READ_AS_OUTPUT, **words) if self.book.graph[cell[0]].kind == "target" else Message(READ_AS_NEW, **words)
            return one.replace(cell=wanted, task=self.tasks.get(wanted, UNASKED), trouble=one.trouble or (note if number == 1 else None))

        return list(map(updated, found))

    def _repeated(self, found: list[ReadAnswer]) -> list[ReadAnswer]:
        """The exercise, written down again before the first answer: given numbers, an input or the rate among them, most as they are."""
        head = [*takewhile(lambda one: one.cell is not None and self._is_given(one.cell), found)]
        right = [one.cell for one in head if one.cell and self._is_old(base(one.cell), iteration(one.cell), one.typed)]
        others = [cell for cell in right if self.book.quantity(cell).kind in ("input", "target", "rate")]
        return head if others and 2 * len(right) >= len(head) else []

    def _is_given(self, cell: Cell) -> bool:
        return self.book.given_value(cell) is not None

    def _later(self, cell: Cell) -> str:
        """What another number for a given one may be: the updated parameter, the output beside a target; "" where there is none."""
        graph = self.book.graph
        if graph[cell[0]].kind != "target":
            return graph.updated(cell[0]) or ""
        outs = [quantity for quantity in graph if quantity.kind == "out" and quantity.of is None and not quantity.stage]
        return outs[-1].name if outs and graph.present(outs[-1].name, cell[1]) else ""

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
            found = self._spelled(text, hint)
            cell = on_sheet(found.iteration, found.cell[0]), found.cell[1]
            if found.turned is None:
                message = "{found} may be {id} or its negative; write the id, or {symbol} as in this notation"
                letter = self.reading.symbol(Ref(*found.cell))
                raise AmbiguousIdError(Message(message, found=quoted(text), id=self.book.cell_id(cell), symbol=letter)) from None
            return cell, found.turned

    def _spelled(self, text: str, hint: bool) -> Found:
        """What a symbol means; with a sample or an argument in brackets, as y(A) or J(θ), what y[A] or J does. Raises UnknownIdError."""
        try:
            return self._look_up(text, hint)
        except AmbiguousIdError:
            raise
        except UnknownIdError as error:
            if bracketed := _BRACKETED.fullmatch(text):
                whole, inside = bracketed[1], (bracketed[2] or bracketed[3] or bracketed[4]).rstrip(")]")
                sample = self._sample(inside)
                is_argument = not inside[:1].isdigit() and all(inside != one.name for one in self.book.problem.samples)
                for other in (f"{whole}[{sample}]", f"{whole}@{sample}", whole if is_argument else ""):
                    with suppress(UnknownIdError):
                        return self._look_up(other, False)
            raise error

    def _sample(self, text: str) -> str:
        """The name of a sample that is called by its number, where it has another; any other text as it is."""
        names = [sample.name for sample in self.book.problem.samples]
        return names[int(text) - 1] if text.isdigit() and text not in names and 1 <= int(text) <= len(names) else text

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
            cell, turned = self._find_any(answer)
        except UnknownIdError as error:
            trouble = error.messages[0]
            if (numbers := list_of(answer.text)) is not None:
                count = len(numbers.cells)
                trouble = Message("there is no vector or matrix {found} of {count} numbers", found=quoted(answer.id), count=count)
            return ReadAnswer(answer.replace(trouble=trouble if answer.names else None), trouble=trouble)
        whole = answer.text
        text, remark = result(whole)
        answer = answer.replace(text=filled_in(text))
        task = self.tasks.get(cell, UNASKED if self.book.given_value(cell) is None else GIVEN)
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

    def _find_any(self, answer: Answer) -> tuple[Cell, bool]:
        """The first step among the names of an answer; the first whose right number it is, if there is one. Raises UnknownIdError."""
        found: dict[tuple[Cell, bool], None] = {}
        for name in answer.names:
            with suppress(UnknownIdError):
                found[self.find(name)] = None
        number = typed(filled_in(result(answer.text)[0])) if len(found) > 1 else None
        if number is not None:
            for cell, turned in found:
                value = float(self.book.derivation.step(base(cell), iteration(cell)).value)
                if agrees(-value if turned else value, number):
                    return cell, turned
        return next(iter(found)) if found else self.find(answer.id)

    def _infinite(self, text: str, wanted: Cell) -> Typed | None:
        """−∞, as people write a score behind a mask, which is a very small number here."""
        if _INFINITE.fullmatch(text) is None:
            return None
        value = float(self.book.derivation.step(base(wanted), iteration(wanted)).value)
        return Typed(repr(value), *value.as_integer_ratio(), None, 0) if value < LOWEST else None

    def answers(self, sheet: Sheet) -> list[Answer]:
        """The answers of a sheet: what stands at its head, such as a student's number, is one only where there is such a step, and so is
        the title of a part, a remark, or a formula in letters."""
        listed = [
            answer
            for answer in sheet.answers
            if answer.trouble or not (answer.loose or _is_prose(answer)) or any(map(self.is_step, answer.names or (answer.id,)))
        ]
        listed = [one for answer in listed for one in self._spread(answer)]
        return [answer for answer in sheet.headings if self.is_step(answer.id)] + listed

    def _spread(self, answer: Answer) -> list[Answer]:
        """The numbers of a vector or a matrix, each as an answer; any other answer as it is."""
        numbers = list_of(answer.text) if answer.trouble is None and typed(result(answer.text)[0]) is None else None
        for name in answer.names or (answer.id,):
            if numbers is not None and (cells := self._listed(name, numbers)):
                return [answer.replace(id=self._called(cell), text=text, names=()) for cell, text in zip(cells, numbers.cells)]
        return [answer]

    def _listed(self, name: str, numbers: NumberList) -> list[Cell]:
        """The cells of a list of numbers; of one for a given parameter, those of the new one, if the numbers are not the given ones."""
        start = re.match("#([0-9]{1,8}):", name)
        number = int(start[1]) if start else 1
        if number > self.book.iterations:
            return []
        plain = name[start.end() if start else 0 :].strip()
        found = [found.cell for found in self.reading.list_of(plain, numbers.shape)]
        if not found:
            return self._numbered(name.strip(), plain, len(numbers.cells))
        new = self.book.graph.updated(found[0][0]) if found else ""
        if new and any(not self._is_old(cell, number, typed(text)) for cell, text in zip(found, numbers.cells)):
            found = [(new, place) for _, place in found]
        return [(on_sheet(number, cell), place) for cell, place in found]

    def _numbered(self, name: str, plain: str, count: int) -> list[Cell]:
        """The cells of a list of numbers that are called by a name and a number, as s1, s2 of s, or a name and a parameter, as s_u, s_v."""
        name = f"{name.removesuffix(plain)}grad." if plain.lower() in GRADIENTS else name
        for ends in ([*map(str, range(1, count + 2))], [*self.book.problem.parameters, "+"]):
            for between in ("", "_"):
                known = [self.is_step(f"{name}{between}{end}") for end in ends]
                if len(ends) == count + 1 and known == [True] * count + [False]:
                    return [self.find(f"{name}{between}{end}")[0] for end in ends[:-1]]
        return []

    def _called(self, cell: Cell) -> str:
        """The name of a cell in the sign of its letter."""
        plain, number = base(cell), iteration(cell)
        letter = self.reading.symbol(Ref(*plain))
        return f"#{number}:{letter}" * (number > 1) or letter if self.reading.turned(plain) else self.book.cell_id(cell)

    def _is_old(self, cell: Cell, number: int, answer: Typed | None) -> bool:
        """Whether a number for a parameter is what it is before the update."""
        value = float(self.book.derivation.step(cell, number).value)
        return answer is not None and agrees(value, answer)

    def is_step(self, text: str) -> bool:
        """Whether there is a step of this name."""
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
